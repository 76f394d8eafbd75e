"""The slots of a sweep and what they did: its own runs, and those of other sweeps in the gaps."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from experiments.models import Run, Sweep, Worker
from experiments.slot_history import (
    Elsewhere,
    KnownWorker,
    SlotHistory,
    Use,
    outcome_of,
    slot_history,
)
from experiments.states import SWEEP_TERMINAL


def slots_of(sweep: Sweep, now: datetime) -> SlotHistory | None:
    """Return the rows of the slots that ran a sweep; None before its first run. Three queries."""
    rows = Run.objects.filter(sweep=sweep, started_at__isnull=False).order_by("number")
    uses = [
        Use(
            number=number,
            worker=worker,
            host=host,
            start=started.timestamp(),
            end=ended.timestamp() if ended else None,
            outcome=outcome_of(state, end_reason),
        )
        for number, worker, host, started, ended, state, end_reason in rows.values_list(
            "number", "worker_name", "host", "started_at", "ended_at", "state", "end_reason"
        )
        if started is not None
    ]
    if not uses:
        return None
    ended_at = sweep.ended_at if sweep.state in SWEEP_TERMINAL else None
    workers = Worker.objects.filter(compute=sweep.compute_id)
    begin = datetime.fromtimestamp(min(use.start for use in uses), tz=now.tzinfo)
    return slot_history(
        uses,
        now=now.timestamp(),
        ended=ended_at.timestamp() if ended_at else None,
        workers=[
            KnownWorker(name, gpu, since.timestamp())
            for name, gpu, since in workers.values_list("name", "gpu", "started_at")
        ],
        elsewhere=_elsewhere(sweep, {use.worker for use in uses}, begin, ended_at or now),
    )


def _elsewhere(sweep: Sweep, workers: set[str], begin: datetime, end: datetime) -> list[Elsewhere]:
    """Return the runs of other sweeps; who reads is told of them no more than when they were."""
    sweeps = Sweep.objects.filter(compute=sweep.compute_id, started_at__lt=end).exclude(pk=sweep.pk)
    live = sweeps.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=begin))
    runs = Run.objects.filter(sweep__in=live, started_at__lt=end)
    overlapping = runs.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=begin))
    return [
        Elsewhere(worker, started.timestamp(), ended.timestamp() if ended else None)
        for worker, started, ended in overlapping.values_list(
            "worker_name", "started_at", "ended_at"
        )
        if worker in workers and "@" in worker and started is not None
    ]
