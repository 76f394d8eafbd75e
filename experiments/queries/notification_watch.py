"""Reads of what nobody reports: who leads, which runs fell silent, which wait for no worker."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db.models import (
    CharField,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Concat

from experiments.models import MetricChunk, Notification, Run, Sweep
from experiments.models.compute import SIMULATED
from experiments.notify.kinds import EventKind
from experiments.packed_columns import last_of
from experiments.states import RunState, SweepState

_LIVE: Final = (SweepState.RUNNING, SweepState.PAUSED)


def leads(announced_before: datetime) -> QuerySet[Sweep]:
    """Return active sweeps with a best run, with what was noted of their lead last.

    `told_key` is None before the first time; those noted later than `announced_before` are left
    out, and simulated ones are.
    """
    told = Notification.objects.filter(sweep=OuterRef("pk"), kind=EventKind.NEW_BEST)
    last = told.order_by("-pk")
    return (
        _watched_sweeps()
        .filter(best_run__isnull=False)
        .annotate(
            told_at=Subquery(last.values("created_at")[:1]),
            told_key=Subquery(last.values("key")[:1]),
        )
        .filter(Q(told_at__isnull=True) | Q(told_at__lte=announced_before))
    )


def runs_with_values(sweep_ids: Collection[int]) -> dict[int, int]:
    """Return how many runs of each sweep have a value of the primary metric."""
    rows = Run.objects.filter(sweep__in=sweep_ids, best_value__isnull=False).order_by()
    return dict(rows.values_list("sweep").annotate(n=Count("pk")))


def silent_runs(started_before: datetime) -> list[Run]:
    """Return running runs that began before a time, without those that were announced already.

    `told` says how many reports they had then: one that goes on may fall silent again.
    """
    key = Concat(Cast("pk", CharField()), Value("-"), Cast("reports", CharField()))
    told = Notification.objects.filter(sweep=OuterRef("sweep"), kind=EventKind.STUCK)
    rows = (
        Run.objects.filter(
            state=RunState.RUNNING,
            started_at__lt=started_before,
            sweep__in=_watched_sweeps().order_by().values("pk"),
        )
        .annotate(told_key=key)
        .annotate(is_told=Exists(told.filter(key=OuterRef("told_key"))))
        .filter(is_told=False)
    )
    return list(rows.select_related("sweep"))


def last_reports(run_ids: Collection[int]) -> dict[int, float]:
    """Return when each run reported anything last, Unix seconds; runs without a report are not."""
    newest: dict[int, float] = {}
    chunks = MetricChunk.objects.filter(series__run__in=run_ids).order_by()
    # The last chunk of a series holds its last times; the others are full.
    for run_id, times in chunks.filter(first__gte=F("series__count") - F("count")).values_list(
        "series__run", "times"
    ):
        newest[run_id] = max(newest.get(run_id, 0.0), last_of(times))
    return newest


def longest_runs(sweep_ids: Collection[int]) -> dict[int, float]:
    """Return the seconds that the longest ended run of each sweep took."""
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    rows = Run.objects.filter(
        sweep__in=sweep_ids, started_at__isnull=False, ended_at__isnull=False
    ).order_by()
    found = rows.values_list("sweep").annotate(longest=Max(took))
    return {sweep_id: longest.total_seconds() for sweep_id, longest in found}


def waiting_in_vain(queued_before: datetime) -> list[Run]:
    """Return the first of the waiting runs of each sweep whose target has no worker at all."""
    runs = Run.objects.filter(
        state=RunState.QUEUED,
        created_at__lt=queued_before,
        sweep__in=_watched_sweeps().order_by().values("pk"),
        sweep__compute__is_draining=False,
        sweep__compute__workers__isnull=True,
    )
    found: dict[int, Run] = {}
    for run in runs.select_related("sweep__compute").order_by("sweep", "number"):
        found.setdefault(run.sweep_id, run)
    return list(found.values())


def _watched_sweeps() -> QuerySet[Sweep]:
    return (
        Sweep.objects.filter(kind=Sweep.Kind.SWEEP, state__in=_LIVE)
        .exclude(compute__kind=SIMULATED)
        .order_by("pk")
    )
