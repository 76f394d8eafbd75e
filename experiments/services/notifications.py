"""The outbox of notifications: one row in the transaction of the change that it tells of.

Only that is done here, because transactions of sweeps must stay short; who is told is settled by
services.notification_spread, outside of them.
"""

from __future__ import annotations

from typing import Any, Final

from experiments import clock
from experiments.models import Notification, Run, Sweep
from experiments.notify.kinds import EventKind
from experiments.services.text import clean_text
from experiments.states import EndReason, SweepState

_MAX_MESSAGE: Final = 2000
_OF_STATES: Final = {
    SweepState.COMPLETED: EventKind.FINISHED,
    SweepState.CANCELED: EventKind.FINISHED,
    SweepState.FAILED: EventKind.FAILED,
}


def announce(
    kind: EventKind,
    *,
    sweep_id: int,
    key: str,
    message: str,
    facts: dict[str, Any] | None = None,
) -> None:
    """Note that something is to be told; part of the caller's transaction.

    `key` makes the event: the same one of a sweep is told once, however often it is announced.
    """
    if not clock.is_real():
        return  # nobody is told of a simulation
    row = Notification(
        sweep_id=sweep_id,
        kind=kind,
        key=key,
        message=clean_text(message, _MAX_MESSAGE),
        facts=facts or {},
    )
    # One statement; get_or_create would take three and a savepoint.
    Notification.objects.bulk_create([row], ignore_conflicts=True)


def announce_sweep(sweep: Sweep, *, by_person: bool) -> None:
    """Announce the state that a sweep has just come to, if it is one that anybody is told of.

    Paused is one only when nobody did it: then the breaker did.
    """
    if sweep.kind != Sweep.Kind.SWEEP:
        return
    state = SweepState(sweep.state)
    kind = _OF_STATES.get(state)
    if kind is None and state == SweepState.PAUSED and not by_person:
        kind = EventKind.BREAKER
    if kind is not None:
        announce(kind, sweep_id=sweep.pk, key=str(sweep.cursor), message=sweep.reason)


def announce_lost(run: Run) -> None:
    """Announce that a run has lost its worker."""
    if run.end_reason == EndReason.WORKER_LOST:
        announce(
            EventKind.COMPUTE_LOST,
            sweep_id=run.sweep_id,
            key=str(run.pk),
            message=run.reason,
            facts={"run": run.public_id, "number": run.number, "host": run.host},
        )
