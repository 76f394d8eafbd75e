"""Runs whose worker went silent: not responding, given up, repeated, queued again.

Called by the watchdog. Every step says on what belief it rests and does nothing when that changed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from experiments import clock
from experiments.models import Run, Sweep
from experiments.services.advance import advance_sweep
from experiments.services.compaction import compact_series
from experiments.services.dispatch import enqueue_run
from experiments.services.new_runs import create_retry
from experiments.services.notifications import announce_lost
from experiments.services.quotas import note_end
from experiments.services.text import clean_text
from experiments.services.transitions import StaleState, move_run
from experiments.states import RUN_LIVE, EndReason, RunState, SweepState

_MAX_REASON: Final = 3000


def mark_not_responding(run_id: int) -> bool:
    """Note that the lease of a live run has run out; False when it was renewed meanwhile."""
    number = Run.objects.values_list("number", flat=True).get(pk=run_id)
    try:
        move_run(
            run_id,
            RunState.NOT_RESPONDING,
            message=f"Run {number}: Not responding. Its worker has given no sign "
            f"for {settings.STUDIO_LEASE_SECONDS} s.",
            where=Q(lease_expires_at__lt=clock.now()),
        )
    except StaleState:
        return False
    return True


def lose_run(
    run_id: int,
    *,
    reason: str,
    fence: int | None = None,
    expired_before: datetime | None = None,
) -> Run | None:
    """Give a live run up that its worker left behind; return the run that repeats it, if any.

    A run that was asked to stop becomes Canceled, any other Failed with `worker_lost`; it is
    repeated up to STUDIO_MAX_RETRIES times while its sweep goes on. `fence` and `expired_before`
    say on what the caller's belief rests; when that has changed, nothing happens.
    """
    where = Q() if fence is None else Q(fence=fence)
    if expired_before is not None:
        where &= Q(lease_expires_at__lt=expired_before)
    run = Run.objects.get(pk=run_id)
    if run.state not in RUN_LIVE:
        return None
    where &= Q(state=run.state)
    try:
        with transaction.atomic():
            retry = _give_up(run, reason, where)
    except StaleState:
        return None
    compact_series(run_id)
    advance_sweep(run.sweep_id)
    note_end(run.sweep_id)
    return retry


def requeue_run(run_id: int) -> bool:
    """Ask for a slot again for a waiting run, in case the job was lost; False: it does not wait."""
    run = Run.objects.select_related("sweep__compute").get(pk=run_id)
    if run.state != RunState.QUEUED:
        return False
    enqueue_run(run)
    return True


def _give_up(run: Run, reason: str, where: Q) -> Run | None:
    if run.state == RunState.CANCEL_REQUESTED:
        move_run(
            run.pk,
            RunState.CANCELED,
            end_reason=run.end_reason,
            reason=run.reason,
            where=where,
        )
        return None
    lost = move_run(
        run.pk,
        RunState.FAILED,
        end_reason=EndReason.WORKER_LOST,
        reason=clean_text(reason, _MAX_REASON),
        where=where,
    )
    announce_lost(lost)
    return repeat_run(lost)


def repeat_run(lost: Run) -> Run | None:
    """Repeat a run that ended by no fault of its own; part of the transaction that ended it.

    Up to STUDIO_MAX_RETRIES times while its sweep goes on; None when that is over.
    """
    return create_retry(lost) if _may_retry(lost) else None


def _may_retry(lost: Run) -> bool:
    sweep = lost.sweep
    if sweep.kind == Sweep.Kind.CHECK:
        return False  # whoever waits for it starts another one
    if sweep.state not in {SweepState.RUNNING, SweepState.PAUSED}:
        return False
    if sweep.deadline_at is not None and sweep.deadline_at <= clock.now():
        return False
    attempts, earlier = 0, lost
    while earlier.retry_of is not None:
        attempts, earlier = attempts + 1, earlier.retry_of
    return attempts < settings.STUDIO_MAX_RETRIES
