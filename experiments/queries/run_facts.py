"""What pages show around a sweep or a run: progress, running runs with their curves, neighbours."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Count, Max, Min, Q

from experiments.curves import downsample
from experiments.models import MetricChunk, MetricSeries, Run, Sweep
from experiments.progress import RunFact, SweepProgress, measure_progress
from experiments.states import RUN_LIVE

_SPARK_POINTS = 40


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run that has a slot now, with its last values as a small curve of at most 40 points."""

    run: Run
    spark: list[float]

    @property
    def spark_json(self) -> str:
        """Return the curve for the browser; gaps are null."""
        return json.dumps([value if math.isfinite(value) else None for value in self.spark])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands in its sweep. `rank` counts from 1 among `ranked` runs with a value."""

    previous: int | None
    next: int | None
    rank: int | None
    ranked: int


def progress_of(sweep: Sweep, now: datetime) -> SweepProgress:
    """Return how far a sweep is at `now`; one query."""
    rows = Run.objects.filter(sweep=sweep).values_list(
        "state", "end_reason", "started_at", "ended_at", "best_value", "reports", "retry_of"
    )
    facts = [RunFact(*row[:6], is_retry=row[6] is not None) for row in rows]
    return measure_progress(
        facts,
        total=planned_runs(sweep),
        concurrency=sweep.max_concurrent_runs,
        started=sweep.started_at,
        ended=sweep.ended_at,
        deadline=sweep.deadline_at,
        now=now,
    )


def planned_runs(sweep: Sweep) -> int:
    """Return how many runs there will be, retries left out."""
    has_all = sweep.is_exhausted or sweep.kept_end_reason
    return sweep.sampled if has_all else sweep.max_total_runs


def live_runs(sweep: Sweep, *, limit: int = 12) -> list[LiveRun]:
    """Return the runs that have a slot, by number, with curves of the primary metric; 2 queries."""
    runs = list(
        Run.objects.filter(sweep=sweep, state__in=sorted(RUN_LIVE)).order_by("number")[:limit]
    )
    chunks = (
        MetricChunk.objects.filter(
            series__run__in=[run.pk for run in runs], series__name=sweep.metric_name
        )
        .order_by("series__run", "first")
        .values_list("series__run", "values")
    )
    values: dict[int, bytes] = {}
    for run_id, piece in chunks if runs else ():
        values[run_id] = values.get(run_id, b"") + bytes(piece)
    return [LiveRun(run, _spark(values.get(run.pk, b""))) for run in runs]


def place_of(run: Run) -> Place:
    """Return the neighbours and the rank of a run; one query."""
    value = run.best_value
    is_up = run.sweep.goal == "maximize"
    better = Q(pk__isnull=True)
    if value is not None:
        better = Q(best_value__gt=value) if is_up else Q(best_value__lt=value)
    found: dict[str, Any] = Run.objects.filter(sweep=run.sweep_id).aggregate(
        previous=Max("number", filter=Q(number__lt=run.number)),
        next=Min("number", filter=Q(number__gt=run.number)),
        ranked=Count("pk", filter=Q(best_value__isnull=False)),
        better=Count("pk", filter=better),
    )
    rank = found["better"] + 1 if value is not None else None
    return Place(found["previous"], found["next"], rank, found["ranked"])


def series_summaries(run: Run) -> list[MetricSeries]:
    """Return the summary of every metric of a run, by name."""
    return list(MetricSeries.objects.filter(run=run).order_by("name"))


def _spark(raw: bytes) -> list[float]:
    values = np.frombuffer(raw, dtype="<f8")
    _, cut = downsample(np.arange(values.size), values, _SPARK_POINTS)
    return [float(value) for value in cut]
