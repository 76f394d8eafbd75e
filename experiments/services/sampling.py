"""Ask the sampler of a sweep for its next configurations; reads rows, writes none."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from experiments.models import Run, Sweep
from experiments.samplers import load_sampler
from experiments.samplers.base import History, Observation, SpaceExhausted
from experiments.services.new_runs import NewRun
from experiments.spec import SweepSpec
from experiments.states import RunState

logger = logging.getLogger(__name__)

_STATES: Final[dict[str, Literal["completed", "failed", "canceled"]]] = {
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.CANCELED: "canceled",
}


class SamplerFailed(Exception):  # noqa: N818 - a fact about the sweep, told in a sentence
    """The sampler raised; the text is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the sampler wants: runs, or nothing more ever (`note` says why)."""

    runs: list[NewRun] = field(default_factory=list)
    is_exhausted: bool = False
    note: str = ""


def propose_runs(sweep: Sweep, count: int) -> Proposal:
    """Return up to `count` new runs for a sweep.

    Raises:
        SamplerFailed: the sampler has a fault.
    """
    spec = SweepSpec.from_stored(sweep.spec)
    try:
        sampler = load_sampler(spec.sampler_name)(
            spec.space, goal=sweep.goal, seed=sweep.seed, options=spec.sampler_options
        )
        suggestions = sampler.suggest(_history(sweep), count)
    except SpaceExhausted as end:
        return Proposal(is_exhausted=True, note=str(end))
    except Exception as error:
        logger.exception("sampler %s of sweep %s failed", spec.sampler_name, sweep.public_id)
        text = f"The {spec.sampler_name} sampler failed: {type(error).__name__}: {error}"
        raise SamplerFailed(text) from error
    return Proposal(
        runs=[
            NewRun(
                params=_plain(suggestion.params),
                arguments=arguments_of(spec, suggestion.params),
                note=suggestion.note,
            )
            for suggestion in suggestions
        ]
    )


def arguments_of(spec: SweepSpec, params: Mapping[str, Any]) -> list[str]:
    """Return what stands after the script; after the program where a whole command is given."""
    if spec.command is None:
        return spec.arguments_for(params)
    return spec.argv(params, "python")[1:]


def _history(sweep: Sweep) -> History:
    rows = Run.objects.filter(sweep=sweep).order_by("number")
    # Not the next number of a run: one that was repeated took a number of its own, one that was
    # queued by hand counts as well, and neither may change which configurations follow.
    by_hand = rows.filter(origin=Run.Origin.HAND).count()
    return History(
        next_number=sweep.sampled - by_hand,
        observations=[
            Observation(number, params, value, _STATES.get(state, "pending"))
            for number, params, value, state in rows.values_list(
                "number", "params", "best_value", "state"
            )
        ],
    )


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    # numpy's numbers are no JSON.
    return {
        name: value.item() if hasattr(value, "item") else value for name, value in params.items()
    }
