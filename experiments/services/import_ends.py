"""How imported runs and sweeps ended: what was said, or what their reports tell.

Follows the table of `experiments.states`; states are assigned by services.transitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from experiments import clock
from experiments.imports.observed import ObservedRun, ObservedSweep
from experiments.models import Sweep
from experiments.problems import Problem
from experiments.services.outcome import Logged, success_sentence
from experiments.services.sweep_end import end_of_sweep
from experiments.services.text import clean_text
from experiments.services.transitions import move_sweep
from experiments.space.literals import brief
from experiments.states import (
    RUN_REASONS,
    RUN_TERMINAL,
    SWEEP_REASONS,
    SWEEP_TERMINAL,
    EndReason,
    RunState,
    SweepState,
)

_MAX_REASON: Final = 3000
_USUAL: Final = {
    RunState.COMPLETED: EndReason.FINISHED,
    RunState.FAILED: EndReason.NONZERO_EXIT,
    RunState.CANCELED: EndReason.USER,
}
_SENTENCES: Final = {
    RunState.FAILED: "It failed where it ran.",
    RunState.CANCELED: "It was canceled where it ran.",
}


@dataclass(frozen=True, slots=True)
class RunEnd:
    """A terminal state of a run with its end reason and sentence."""

    state: RunState
    end_reason: EndReason
    reason: str


def check_ends(observed: ObservedSweep) -> Iterator[Problem]:
    """Yield what is wrong with the states and end reasons that were given."""
    if observed.status:
        yield from _check_sweep(observed)
    for i, run in enumerate(observed.runs):
        if run.status not in set(RunState):
            yield Problem(f"runs[{i}].status", _unknown(run.status, RunState))
        elif run.end_reason and run.status in RUN_TERMINAL:
            allowed = RUN_REASONS[RunState(run.status)]
            if run.end_reason not in allowed:
                yield Problem(
                    f"runs[{i}].end_reason", _not_for(run.status, run.end_reason, allowed)
                )


def run_end(run: ObservedRun, logged: Logged) -> RunEnd:
    """Return how a run ended; one that had not is over as of when it was read."""
    state = RunState(run.status)
    if state not in RUN_TERMINAL:
        reason = f"It was {state} when it was read; what it had reported by then is here."
        return RunEnd(RunState.CANCELED, EndReason.USER, reason)
    usual = _success(logged) if state == RunState.COMPLETED else _SENTENCES[state]
    reason = clean_text(run.reason, _MAX_REASON) or usual
    return RunEnd(state, EndReason(run.end_reason or _USUAL[state]), reason)


def _success(logged: Logged) -> str:
    """Say what a run has shown; nobody here has seen its exit code."""
    if logged.reports and logged.best_value is not None:
        return success_sentence(logged).removeprefix("Exit code 0. ")
    return f'It ended well where it ran, without a finite value of "{logged.metric}".'


def end_sweep(
    sweep_id: int, observed: ObservedSweep, *, started: datetime, ended: datetime
) -> None:
    """Carry a sweep whose runs are all there to its end, with the times that it had."""
    with clock.running_on(lambda: started):
        move_sweep(sweep_id, SweepState.RUNNING, started_at=started)
    sweep = Sweep.objects.select_related("best_run").get(pk=sweep_id)
    state, end_reason, reason = _sweep_end(sweep, observed)
    with clock.running_on(lambda: ended):
        if state == SweepState.CANCELED:
            move_sweep(sweep_id, SweepState.CANCEL_REQUESTED, end_reason=end_reason, reason=reason)
        move_sweep(sweep_id, state, end_reason=end_reason, reason=reason)


def _sweep_end(sweep: Sweep, observed: ObservedSweep) -> tuple[SweepState, EndReason, str]:
    if not observed.status:
        return end_of_sweep(sweep)
    state = SweepState(observed.status)
    if state not in SWEEP_TERMINAL:
        text = f"It was {state} when it was read; what was there by then was imported."
        return SweepState.CANCELED, EndReason.USER, text
    reason = clean_text(observed.reason, _MAX_REASON) or "It ended where it ran."
    return state, EndReason(observed.end_reason), reason


def _check_sweep(observed: ObservedSweep) -> Iterator[Problem]:
    if observed.status not in set(SweepState):
        yield Problem("sweep.status", _unknown(observed.status, SweepState))
    elif observed.status in SWEEP_TERMINAL:
        allowed = SWEEP_REASONS[SweepState(observed.status)]
        if observed.end_reason not in allowed:
            text = _not_for(observed.status, observed.end_reason, allowed)
            yield Problem("sweep.end_reason", text)


def _unknown(status: str, states: type[RunState] | type[SweepState]) -> str:
    return f"status is {brief(status)}; use one of {', '.join(states)}."


def _not_for(status: str, end_reason: str, allowed: frozenset[EndReason]) -> str:
    return f"end_reason is {brief(end_reason)}; {status} has one of {', '.join(sorted(allowed))}."
