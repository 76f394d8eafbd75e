"""What is legal in a specification and probably not meant, each in one sentence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from experiments.samplers import load_sampler
from experiments.space.space import argument_name, variable_name
from experiments.spec_command import used_names

if TYPE_CHECKING:
    from experiments.spec import SweepSpec

RUNS_PER_PARAMETER: Final = 20
_MOST_AT_ONCE: Final = 20
_MOST_RUNS: Final = 1000


def find_warnings(spec: SweepSpec) -> list[str]:
    """Return every warning, those of single hyperparameters first."""
    return [
        *spec.space.warnings(),
        *_budget(spec),
        *_learning(spec),
        *_warm_start(spec),
        *_command_line(spec),
        *_variables(spec),
    ]


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


def _learning(spec: SweepSpec) -> list[str]:
    """Say when a sampler that learns from runs gets too few of them, or too late."""
    kind = load_sampler(spec.sampler_name)
    if not kind.looks_ahead:
        return []
    found = []
    count, runs = len(spec.search_space), spec.max_total_runs
    wanted = min(RUNS_PER_PARAMETER * count, _MOST_RUNS)
    total = spec.space.cardinality()
    if runs < wanted and (total is None or total > runs):
        found.append(
            f"{kind.label} sampling learns best from {RUNS_PER_PARAMETER} runs for each "
            f"hyperparameter: {wanted} for these {count}; max_total_runs is {runs}."
        )
    at_once = min(spec.max_concurrent_runs or runs, runs)
    if at_once > _MOST_AT_ONCE:
        found.append(
            f"Up to {at_once} runs go on at once, and none of them learns from the others; "
            f"{kind.label} sampling is better with max_concurrent_runs up to {_MOST_AT_ONCE}."
        )
    return found


def _warm_start(spec: SweepSpec) -> list[str]:
    """Say when nothing makes use of what earlier sweeps found out."""
    kind = load_sampler(spec.sampler_name)
    if not spec.resume_from or kind.looks_ahead or spec.early_termination is not None:
        return []
    return [
        f"resume_from changes no run: {kind.label} sampling does not learn from earlier sweeps, "
        "and there is no early_termination to compare with them."
    ]


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
