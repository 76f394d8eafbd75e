"""The model of a sweep's metric for charts: when there is one, and what it is learned from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from experiments.charts.base import RunView
from experiments.charts.metric_model import MetricModel
from experiments.model_process import AskedModel, Learned, Models
from experiments.models import Run, Sweep
from experiments.samplers import load_sampler
from experiments.samplers.base import Observation
from experiments.space.space import SearchSpace
from experiments.spec import SweepSpec
from experiments.states import RUN_TERMINAL, RunState

# A sampler that has a model of its own shows it early; any other sweep when there is enough.
_LEAST: Final = 5
_LEAST_ELSEWHERE: Final = 20
_OUTCOMES: Final[dict[str, Literal["completed", "failed", "canceled"]]] = {
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.CANCELED: "canceled",
}
MODELS: Final = Models()


@dataclass(frozen=True, slots=True)
class ModelNeed:
    """Whether the page of a sweep offers the model, and a sentence about it."""

    is_offered: bool
    note: str
    has_enough: bool = False


def model_need(sweep: Sweep) -> ModelNeed:
    """Return what a model of this sweep needs; one query."""
    scored = Run.objects.filter(sweep=sweep, best_value__isnull=False)
    count = scored.filter(state__in=sorted(RUN_TERMINAL - {RunState.FAILED})).count()
    has_own, least = _least(sweep)
    if count >= least:
        text = f"What a Gaussian process learned of {sweep.metric_name} from {count} ended runs."
        return ModelNeed(is_offered=True, note=text, has_enough=True)
    text = f"A model of {sweep.metric_name} needs {least} ended runs with a value; there "
    return ModelNeed(has_own, f"{text}{'is' if count == 1 else 'are'} {count or 'none'} so far.")


def metric_model(sweep: Sweep, space: SearchSpace, runs: Sequence[RunView]) -> MetricModel | None:
    """Return the model learned from these runs; None while they are too few. No query."""
    ended = [run for run in runs if run.state in _OUTCOMES]
    scored = [run for run in ended if run.state != RunState.FAILED and not math.isnan(run.value)]
    if len(scored) < _least(sweep)[1]:
        return None
    learned = _learned(sweep, space, ended, _best(sweep, scored))
    numbers = MODELS.ask(learned, "numbers")
    return None if numbers is None else AskedModel(MODELS, learned, numbers)


def _best(sweep: Sweep, scored: Sequence[RunView]) -> RunView:
    sign = 1 if sweep.goal == "maximize" else -1
    return max(scored, key=lambda run: sign * run.value)


def _learned(sweep: Sweep, space: SearchSpace, ended: Sequence[RunView], best: RunView) -> Learned:
    observations = [
        Observation(
            run.number,
            run.params,
            None if math.isnan(run.value) else run.value,
            _OUTCOMES[run.state],
        )
        for run in ended
    ]
    return Learned(dict(space.expressions), sweep.goal, observations, dict(best.params))


def _least(sweep: Sweep) -> tuple[bool, int]:
    """Return whether the sampler of a sweep has a model of its own, and how many runs it needs."""
    has_own = load_sampler(SweepSpec.from_stored(sweep.spec).sampler_name).looks_ahead
    return has_own, _LEAST if has_own else _LEAST_ELSEWHERE
