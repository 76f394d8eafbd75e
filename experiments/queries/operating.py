"""The numbers that an operator watches, over all workspaces; each function is one query.

Counts only: no row of a run is read, so a scrape costs the same with large parameters and logs.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q

from experiments.models import ComputeTarget, Run, Sweep
from experiments.models.compute import UNATTENDED
from experiments.queries.watch import alive_since
from experiments.states import RUN_LIVE, RunState


@dataclass(frozen=True, slots=True)
class RunCount:
    """How many runs of one target are in one state."""

    compute: str
    state: str
    end_reason: str
    is_check: bool
    count: int


@dataclass(frozen=True, slots=True)
class TargetCount:
    """A compute target: what is attached to it and how much of that works."""

    name: str
    queue: str
    slots: int
    busy: int
    machines: int


def sweep_counts() -> list[tuple[str, str, int]]:
    """Return how many sweeps are in which state, with the reason of their end; no checks."""
    rows = Sweep.objects.filter(kind=Sweep.Kind.SWEEP).order_by()
    return list(rows.values_list("state", "end_reason").annotate(n=Count("pk")))


def run_counts() -> list[RunCount]:
    """Return how many runs are in which state, by compute target."""
    rows = Run.objects.order_by().values_list(
        "sweep__compute__name", "state", "end_reason", "sweep__kind"
    )
    return [
        RunCount(name, state, reason, kind == Sweep.Kind.CHECK, count)
        for name, state, reason, kind, count in rows.annotate(n=Count("pk"))
    ]


def work_in_hand() -> tuple[int, int]:
    """Return how many runs work and how many wait to be taken, on targets that workers serve."""
    rows = Run.objects.exclude(sweep__compute__kind__in=UNATTENDED).order_by()
    found = dict(
        rows.filter(state__in=[*sorted(RUN_LIVE), RunState.QUEUED])
        .values_list("state")
        .annotate(n=Count("pk"))
    )
    waiting = found.pop(RunState.QUEUED, 0)
    return sum(found.values()), waiting


def target_counts() -> list[TargetCount]:
    """Return the compute targets that workers attach to."""
    # Only live runs have a lease, and there is an index of those.
    live = Run.objects.filter(lease_expires_at__isnull=False, state__in=sorted(RUN_LIVE))
    alive = Q(workers__last_seen_at__gte=alive_since())
    rows = ComputeTarget.objects.exclude(kind__in=UNATTENDED).annotate(
        slots=Count("workers", filter=alive),
        busy=Count("workers", filter=alive & Q(workers__name__in=live.values("worker_name"))),
        machines=Count("workers__host", filter=alive, distinct=True),
    )
    return [
        TargetCount(row.name, row.queue_name, row.slots, row.busy, row.machines) for row in rows
    ]


def database_bytes() -> int:
    """Return how large the database is."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute(
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            )
        return int(cursor.fetchone()[0])
