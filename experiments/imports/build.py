"""Put the runs that a reader found together: specification, search space, metric. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from experiments.imports.observed import ObservedRun, ObservedSweep
from experiments.imports.space import check_space, infer_space
from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief, identity, text_fault
from experiments.spec_warm_start import MAX_CHAIN_RUNS

# What stands for the code of runs that ran elsewhere; no sweep can be submitted with it.
NO_CODE: Final = "imported_without_code.py"
GOALS: Final = ("maximize", "minimize")
_MAX_TEXT: Final = 1000
_MAX_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says about a source; empty: the source or the usual thing decides.

    `metrics` begins with the primary one. `params`: hyperparameters, all others are none;
    `ignored`: neither.
    """

    name: str = ""
    experiment: str = ""
    metrics: tuple[str, ...] = ()
    goal: str = ""
    params: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    space: Mapping[str, Any] | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a reader found: its runs, and what it knows beyond them."""

    kind: str
    source: str
    name: str
    runs: Sequence[ObservedRun]
    metric: str = ""
    goal: str = ""
    space: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def build(found: Found, given: Given) -> ObservedSweep:
    """Return the sweep of the runs that were found.

    Raises:
        ProblemsError: what nobody has said, or what cannot be imported.
    """
    runs = list(found.runs[: given.limit])
    metric = given.metrics[0] if given.metrics else found.metric
    goal = given.goal or found.goal
    problems = _amount_problems(runs) or _metric_problems(runs, metric, goal)
    if problems:
        raise ProblemsError(problems)
    runs = [replace(run, number=number) for number, run in enumerate(runs)]
    params = [run.params for run in runs]
    space = check_space(given.space, params) if given.space else _space_of(found, params)
    notes = list(found.notes)
    if len(found.runs) > len(runs):
        notes.append(f"Only the first {len(runs)} of {len(found.runs)} runs are taken.")
    return ObservedSweep(
        kind=found.kind,
        source=found.source,
        runs=runs,
        notes=notes,
        spec={
            "name": (given.name or found.name or found.source)[:255],
            "experiment": given.experiment or "imported",
            "script": NO_CODE,
            "search_space": space,
            "sampling": "random",
            "primary_metric": {"name": metric, "goal": goal},
            "max_total_runs": len(runs),
        },
    )


def split_constants(
    runs: Sequence[ObservedRun], kept: Collection[str], what: str
) -> tuple[list[ObservedRun], list[str]]:
    """Let only hyperparameters be them: those in `kept`, else those that differ between runs.

    The others become properties of the runs. Returns the runs and what a person should know.
    """
    names = dict.fromkeys(name for run in runs for name in run.params)
    seen = {
        name: {identity(run.params[name]) if name in run.params else "" for run in runs}
        for name in names
    }
    varying = [name for name in names if len(seen[name]) > 1]
    wanted = set(kept) or set(varying) or set(names)
    dropped = [name for name in names if name not in wanted]
    if not dropped:
        return list(runs), []
    split = [
        replace(
            run,
            params={name: value for name, value in run.params.items() if name in wanted},
            properties={
                **run.properties,
                **{name: _text(run.params[name]) for name in dropped if name in run.params},
            },
        )
        for run in runs
    ]
    how = "not asked for" if kept else "the same in all runs"
    listed = ", ".join(dropped[:_MAX_SHOWN]) + (", …" if len(dropped) > _MAX_SHOWN else "")
    return split, [f"{what} {how} are properties of the runs: {listed}."]


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else brief(value)
    return "" if text_fault(text) else text[:_MAX_TEXT]


def _amount_problems(runs: Sequence[ObservedRun]) -> list[Problem]:
    if not runs:
        return [Problem("runs", "There is no run to import.")]
    if len(runs) > MAX_CHAIN_RUNS:
        text = (
            f"There are {len(runs)} runs and a sweep has at most {MAX_CHAIN_RUNS}; take a part of "
            "them with --limit."
        )
        return [Problem("runs", text)]
    if not any(run.params for run in runs):
        return [Problem("search_space", "No run has a hyperparameter; name them with --param.")]
    return []


def _metric_problems(runs: Sequence[ObservedRun], metric: str, goal: str) -> list[Problem]:
    names = list(dict.fromkeys(series.name for run in runs for series in run.series))
    known = ", ".join(names) or "none"
    problems = []
    if not metric:
        text = f"Nobody says which metric is the primary one: --metric NAME. There are: {known}."
        problems.append(Problem("metric", text))
    elif metric not in names:
        text = f"No run has reported {brief(metric)}; there are: {known}."
        problems.append(Problem("metric", text))
    if goal not in GOALS:
        found = f"goal is {brief(goal)}" if goal else "Nobody says what is better"
        problems.append(Problem("goal", f"{found}; use --goal maximize or --goal minimize."))
    return problems


def _space_of(found: Found, params: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    guessed = infer_space(params)
    return {name: found.space.get(name, text) for name, text in guessed.items()}
