"""Decide how a run ends from its state and from how its process ended, and carry that out."""

from __future__ import annotations

from typing import Final

from django.db.models import Q

from experiments.models import MetricSeries, Run
from experiments.services.outcome import (
    Logged,
    RunOutcome,
    failure_sentence,
    preemption_sentence,
    success_sentence,
    timeout_sentence,
)
from experiments.services.text import clean_text
from experiments.services.transitions import RunPlace, move_run
from experiments.states import EndReason, RunState

_MAX_REASON: Final = 3000
_R: Final = RunState
# The states that lie between, where the table knows no direct way.
_WAYS: Final[dict[tuple[RunState, RunState], tuple[RunState, ...]]] = {
    (_R.STARTING, _R.COMPLETED): (_R.RUNNING, _R.FINALIZING),
    (_R.RUNNING, _R.COMPLETED): (_R.FINALIZING,),
    (_R.NOT_RESPONDING, _R.COMPLETED): (_R.FINALIZING,),
    (_R.STARTING, _R.CANCELED): (_R.CANCEL_REQUESTED,),
    (_R.RUNNING, _R.CANCELED): (_R.CANCEL_REQUESTED,),
}


def end_run(run: Run, outcome: RunOutcome) -> Run:
    """Move a run to the terminal state that its state and its process's end call for.

    Part of the caller's transaction.

    Raises:
        StaleState: its state changed meanwhile; decide again.
    """
    to, end_reason, reason = _verdict(run, outcome)
    reason = clean_text(reason, _MAX_REASON)
    state, place = RunState(run.state), RunPlace(run.sweep_id, run.number)
    for step in _WAYS.get((state, to), ()):
        is_end = step == _R.CANCEL_REQUESTED
        move_run(
            run.pk,
            step,
            end_reason=end_reason if is_end else "",
            reason=reason if is_end else "",
            where=Q(fence=run.fence, state=state),
            known=place,
        )
        state = step
    return move_run(
        run.pk,
        to,
        end_reason=end_reason,
        reason=reason,
        where=Q(fence=run.fence, state=state),
        known=place,
        exit_code=outcome.exit_code,
        log_bytes=outcome.log_bytes,
        output_bytes=outcome.output_bytes,
    )


def _verdict(run: Run, outcome: RunOutcome) -> tuple[RunState, EndReason, str]:
    ended_by_itself = not outcome.stopped_by_us and not outcome.bad_command
    if run.state == _R.CANCEL_REQUESTED and not ended_by_itself:
        return _R.CANCELED, EndReason(run.end_reason), run.reason
    if outcome.timed_out and run.state != _R.FINALIZING:
        minutes = run.sweep.spec.get("run_timeout_minutes")
        return _R.CANCELED, EndReason.RUN_TIMEOUT, timeout_sentence(minutes)
    if outcome.bad_command:
        return _R.FAILED, EndReason.BAD_COMMAND, failure_sentence(outcome)
    if outcome.is_preempted:
        return _R.FAILED, EndReason.PREEMPTED, preemption_sentence()
    if not outcome.is_success:
        return _R.FAILED, EndReason.NONZERO_EXIT, failure_sentence(outcome)
    sentence = success_sentence(_logged(run))
    if run.state == _R.CANCEL_REQUESTED:
        sentence += " It ended before the request to stop reached it."
    return _R.COMPLETED, EndReason.FINISHED, sentence


def _logged(run: Run) -> Logged:
    names = MetricSeries.objects.filter(run=run).order_by("name").values_list("name", flat=True)
    return Logged(
        metric=run.sweep.metric_name,
        reports=run.reports,
        best_value=run.best_value,
        best_interval=run.best_interval,
        names=list(names),
    )
