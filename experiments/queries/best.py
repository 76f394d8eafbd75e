"""The winner of a sweep: its hyperparameters, how it was started, its files, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from experiments.comparison import (
    Compared,
    Result,
    compare,
    judge_optimum,
    median_of,
    nearest_results,
    rank_results,
)
from experiments.models import Artifact, Run, Sweep
from experiments.queries.json_forms import in_declared_order
from experiments.space.positions import Position, position_of
from experiments.space.space import SearchSpace
from experiments.spec import SweepSpec

NEAREST: Final = 6
# The runs after the winner that are shown beside it in each range.
_NEXT: Final = 10


@dataclass(frozen=True, slots=True)
class WinningValue:
    """One hyperparameter of the winner and its place in the search space.

    `others` are the places of the runs that come next; `default` is None where it is not known.
    """

    name: str
    value: Any
    position: Position
    scale: str
    others: list[float]
    default: Any = None
    default_place: float | None = None


@dataclass(frozen=True, slots=True)
class BestModel:
    """What the best-model page shows."""

    run: Run
    value: float
    metric: str
    goal: str
    params: dict[str, Any]
    arguments: list[str]
    command: list[str]
    artifacts: list[Artifact]
    values: list[WinningValue]
    rank_of: int
    second: Compared | None
    median: Compared | None
    by_defaults: Compared | None
    nearest: list[Compared]
    verdict: str
    all_values: list[float]


def best_model(sweep: Sweep, *, defaults: Mapping[str, Any] | None = None) -> BestModel | None:
    """Return the winner so far; None while no run has a finite value of the primary metric.

    `defaults` are values that the script would take by itself; the run nearest to them is compared.
    """
    if sweep.best_run_id is None or sweep.best_value is None:
        return None
    run = Run.objects.select_related("sweep", "retry_of").get(pk=sweep.best_run_id)
    space = SweepSpec.from_stored(sweep.spec).space
    params = in_declared_order(run.params, sweep.spec)
    winner = Result(run.number, run.public_id, sweep.best_value, params)
    ranked = [r for r in _ranked(sweep) if r.number != run.number]
    near = [
        compare(winner, result, sweep.goal, apart=apart)
        for result, apart in nearest_results(space, params, ranked, limit=NEAREST)
    ]
    everybody = [winner, *ranked]
    middle = median_of(everybody)
    return BestModel(
        run=run,
        value=sweep.best_value,
        metric=sweep.metric_name,
        goal=sweep.goal,
        params=params,
        arguments=run.arguments,
        command=run.command,
        artifacts=list(Artifact.objects.filter(run=run)),
        values=_winning_values(space, params, ranked[:_NEXT], defaults or {}),
        rank_of=len(everybody),
        second=compare(winner, ranked[0], sweep.goal) if ranked else None,
        median=compare(winner, middle, sweep.goal) if middle else None,
        by_defaults=_by_defaults(space, winner, everybody, defaults or {}, sweep.goal),
        nearest=near,
        verdict=judge_optimum(winner, everybody, near),
        all_values=[result.value for result in everybody],
    )


def _ranked(sweep: Sweep) -> list[Result]:
    rows = Run.objects.filter(sweep=sweep, best_value__isnull=False)
    found = rows.values_list("number", "public_id", "best_value", "params")
    results = [Result(n, key, value, own) for n, key, value, own in found if value is not None]
    return rank_results(results, sweep.goal)


def _by_defaults(
    space: SearchSpace,
    winner: Result,
    everybody: list[Result],
    defaults: Mapping[str, Any],
    goal: str,
) -> Compared | None:
    known = {name: value for name, value in defaults.items() if name in space.expressions}
    for result, apart in nearest_results(space, known, everybody, limit=1):
        return compare(winner, result, goal, apart=apart)
    return None


def _winning_values(
    space: SearchSpace,
    params: Mapping[str, Any],
    following: list[Result],
    defaults: Mapping[str, Any],
) -> list[WinningValue]:
    found = []
    for name, value in params.items():
        expression = space.expressions[name]
        places = [position_of(expression, other.params.get(name)).place for other in following]
        default = defaults.get(name)
        found.append(
            WinningValue(
                name=name,
                value=value,
                position=position_of(expression, value),
                scale=expression.scale,
                others=[place for place in places if place is not None],
                default=default,
                default_place=None if default is None else position_of(expression, default).place,
            )
        )
    return found
