"""The winner of a sweep: its hyperparameters, how it was started, its files, where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.models import Artifact, Run, Sweep
from experiments.spec import SweepSpec


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
    return BestModel(
        run=run,
        value=sweep.best_value,
        metric=sweep.metric_name,
        goal=sweep.goal,
        params=run.params,
        arguments=run.arguments,
        command=run.command,
        artifacts=list(Artifact.objects.filter(run=run)),
        values=[_winning(name, space.expressions[name], run.params) for name in run.params],
        rank_of=Run.objects.filter(sweep=sweep, best_value__isnull=False).count(),
    )
