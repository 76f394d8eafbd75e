"""What is legal in a specification and probably not meant, each in one sentence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from experiments.space.space import argument_name, variable_name
from experiments.spec_command import used_names

if TYPE_CHECKING:
    from experiments.spec import SweepSpec


def find_warnings(spec: SweepSpec) -> list[str]:
    """Return every warning, those of single hyperparameters first."""
    return [*spec.space.warnings(), *_budget(spec), *_command_line(spec), *_variables(spec)]


def _budget(spec: SweepSpec) -> list[str]:
    found = []
    runs, total = spec.max_total_runs, spec.space.cardinality()
    if total is not None and total < runs:
        found.append(
            f"The search space has {total} configurations, fewer than max_total_runs "
            f"{runs}: the sweep ends after {total} runs."
        )
    elif spec.sampler_name == "grid" and total is not None and total > runs:
        found.append(f"The grid has {total} combinations; the first {runs} are tried.")
    if spec.max_concurrent_runs is not None and spec.max_concurrent_runs > runs:
        found.append(
            f"max_concurrent_runs is {spec.max_concurrent_runs}, more than max_total_runs {runs}."
        )
    return found


def _command_line(spec: SweepSpec) -> list[str]:
    if spec.command is not None:
        used = set(used_names(spec.command))
        return [
            f"{name}: command does not use it; the script finds it in {variable_name(name)} only."
            for name in spec.search_space
            if name not in used
        ]
    given = {word.partition("=")[0] for word in spec.arguments}
    return [
        f"{name}: {argument_name(name)} is a fixed argument too; the sampled value comes last."
        for name in spec.search_space
        if argument_name(name) in given
    ]


def _variables(spec: SweepSpec) -> list[str]:
    counts = Counter(variable_name(name) for name in spec.search_space)
    return [
        f"{count} hyperparameters share the environment variable {variable}; it holds the last."
        for variable, count in counts.items()
        if count > 1
    ]
