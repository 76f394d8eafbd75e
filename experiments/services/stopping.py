"""Ask runs to stop: one by one, or all runs of a sweep. Carrying it out is the executor's part."""

from __future__ import annotations

from django.contrib.auth.models import User

from experiments.models import Run
from experiments.services.transitions import StaleState, move_run
from experiments.states import RUN_ACTIVE, EndReason, RunState

# Nothing of the run is alive in these states (or nobody can be reached): it ends at once.
_ENDS_AT_ONCE = frozenset({RunState.NOT_STARTED, RunState.QUEUED, RunState.NOT_RESPONDING})
_IS_ASKED = frozenset({RunState.STARTING, RunState.RUNNING})


def request_stop(
    run_id: int, *, end_reason: EndReason, reason: str, by: User | None = None
) -> bool:
    """Cancel a waiting run, ask a live one to stop; tell whether that was still possible.

    A run that is finalizing, already asked or ended is left as it is. `by` is who wanted it, when a
    person did.
    """
    while True:
        state = RunState(Run.objects.values_list("state", flat=True).get(pk=run_id))
        if state in _ENDS_AT_ONCE:
            to = RunState.CANCELED
        elif state in _IS_ASKED:
            to = RunState.CANCEL_REQUESTED
        else:
            return False
        try:
            # `sources`: a run that just started must be asked, not declared dead.
            move_run(run_id, to, end_reason=end_reason, reason=reason, sources={state}, by=by)
        except StaleState:
            continue  # it moved just now: ask what fits its new state
        return True


def stop_order(run: Run) -> bool:
    """Sort runs that are to stop: waiting ones first.

    A slot that a stopped run frees must not go to the next one of them.
    """
    return run.state not in _ENDS_AT_ONCE


def stop_children(sweep_id: int, *, end_reason: EndReason, reason: str) -> int:
    """Ask every active run of a sweep to stop; return how many were asked now."""
    active = Run.objects.filter(sweep_id=sweep_id, state__in=sorted(RUN_ACTIVE))
    runs = list(active.values_list("pk", "state"))
    # Waiting runs first: a slot that a stopped run frees must not go to the next one of them.
    runs.sort(key=lambda run: run[1] not in _ENDS_AT_ONCE)
    return sum(request_stop(pk, end_reason=end_reason, reason=reason) for pk, _ in runs)
