"""The winner of a sweep: its hyperparameters, how it was started, its files, where it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from experiments.models import Artifact, Run, Sweep
from experiments.queries.json_forms import in_declared_order
from experiments.space.base import Expression
from experiments.spec import SweepSpec

# Closer to the end of its range than this, a value hints that the range is too narrow.
_EDGE: Final = 0.01


@dataclass(frozen=True, slots=True)
class WinningValue:
    """One hyperparameter of the winner. `position` is its place in the range, 0 to 1, on the
    scale that was sampled; None for a category.
    """

    name: str
    value: Any
    position: float | None
    low: float | None
    high: float | None
    scale: str
    choices: list[Any]
    is_at_edge: bool


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


def best_model(sweep: Sweep) -> BestModel | None:
    """Return the winner so far; None while no run has a finite value of the primary metric."""
    if sweep.best_run_id is None or sweep.best_value is None:
        return None
    run = Run.objects.select_related("sweep", "retry_of").get(pk=sweep.best_run_id)
    space = SweepSpec.from_stored(sweep.spec).space
    params = in_declared_order(run.params, sweep.spec)
    return BestModel(
        run=run,
        value=sweep.best_value,
        metric=sweep.metric_name,
        goal=sweep.goal,
        params=params,
        arguments=run.arguments,
        command=run.command,
        artifacts=list(Artifact.objects.filter(run=run)),
        values=[_winning(name, space.expressions[name], params[name]) for name in params],
        rank_of=Run.objects.filter(sweep=sweep, best_value__isnull=False).count(),
    )


def _winning(name: str, expression: Expression, value: Any) -> WinningValue:
    bounds = expression.bounds()
    position = _position(value, bounds, expression.scale)
    has_edges = "normal" not in expression.name
    return WinningValue(
        name=name,
        value=value,
        position=position,
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        scale=expression.scale,
        choices=expression.values() if expression.scale == "category" else [],
        is_at_edge=has_edges and position is not None and not _EDGE < position < 1 - _EDGE,
    )


def _position(value: Any, bounds: tuple[float, float] | None, scale: str) -> float | None:
    if bounds is None or scale == "category" or isinstance(value, bool | str):
        return None
    low, high, at = bounds[0], bounds[1], float(value)
    if scale == "log":
        if low <= 0 or at <= 0:
            return None
        low, high, at = math.log(low), math.log(high), math.log(at)
    if high <= low:
        return None
    return min(1.0, max(0.0, (at - low) / (high - low)))
