"""Several sweeps side by side: their key figures, their lines, their best runs; few queries.

The number of queries does not grow with the number of sweeps or runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any, Final, TypeAlias

import numpy as np
from django.db.models import F

from experiments.charts.base import RunView
from experiments.charts.comparison import (
    ComparedSweep,
    ComparisonView,
    Leads,
    leads_by_run,
    leads_by_time,
)
from experiments.models import MetricChunk, Run, Sweep
from experiments.packed_columns import unpacked
from experiments.progress import RunFact, SweepProgress, measure_progress
from experiments.queries.compared import Placed
from experiments.queries.run_facts import planned_runs
from experiments.spec import SweepSpec
from experiments.states import SWEEP_ACTIVE

_FIELDS: Final = (
    "pk", "sweep_id", "number", "state", "end_reason", "started_at", "ended_at",
    "best_value", "best_interval", "reports", "retry_of",
)  # fmt: skip
_Row: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SweepFigures:
    """The key figures of one sweep. Times are in seconds, None where nothing is known."""

    placed: Placed
    progress: SweepProgress
    runs: int
    with_value: int
    median: float | None
    leads: Leads
    leads_by_run: Leads
    is_best: bool = False

    @property
    def sweep(self) -> Sweep:
        """Return the sweep itself."""
        return self.placed.sweep

    @property
    def place(self) -> int:
        """Return its place, from 0."""
        return self.placed.place

    @property
    def failed(self) -> int:
        """Return how many runs have failed."""
        return self.progress.counts.get("Failed", 0)

    @property
    def time_to_best(self) -> float | None:
        """Return when the best value was reported, after the start of the sweep."""
        return float(self.leads.seconds[-1]) if self.leads.seconds.size else None

    @property
    def compute_to_best(self) -> float | None:
        """Return the compute that had been used by then."""
        return float(self.leads.compute[-1]) if self.leads.compute.size else None

    @property
    def runs_to_best(self) -> int | None:
        """Return how many runs it took, in the order of their numbers."""
        return int(self.leads_by_run.runs[-1]) if self.leads_by_run.runs.size else None


class Comparison:
    """What is known of the sweeps at `now`: one query for their runs, one for exact times."""

    def __init__(self, placed: Sequence[Placed], now: datetime) -> None:
        self._placed = placed
        self._now = now
        self._rows: dict[int, list[_Row]] = {p.sweep.pk: [] for p in placed}
        runs = Run.objects.filter(sweep__in=list(self._rows)).order_by("sweep_id", "number")
        for row in runs.values_list(*_FIELDS):
            self._rows[row[1]].append(row)
        times = _report_times(placed, self._rows)
        self._compared = {p.place: self._sweep(p, times) for p in placed}

    def view(self, *, with_params: bool = False) -> ComparisonView:
        """Return the sweeps as charts see them; hyperparameters cost one more query."""
        first = self._placed[0].sweep
        sweeps = list(self._compared.values())
        if with_params:
            runs = _views_of(self._rows)
            sweeps = [
                _with_params(one, p.sweep, runs[p.sweep.pk])
                for one, p in zip(sweeps, self._placed, strict=True)
            ]
        return ComparisonView(first.metric_name, first.goal, tuple(sweeps))

    def figures(self) -> list[SweepFigures]:
        """Return the key figures of every sweep, by place."""
        found = [self._figures(placed) for placed in self._placed]
        values = [f.sweep.best_value for f in found if f.sweep.best_value is not None]
        if not values:
            return found
        top = max(values) if found[0].sweep.goal == "maximize" else min(values)
        return [
            replace(one, is_best=one.sweep.best_value == top and len(found) > 1) for one in found
        ]

    def _figures(self, placed: Placed) -> SweepFigures:
        sweep, rows = placed.sweep, self._rows[placed.sweep.pk]
        facts = [
            RunFact(
                state=row[3],
                end_reason=row[4],
                started=row[5],
                ended=row[6],
                best_value=row[7],
                reports=row[9],
                is_retry=row[10] is not None,
            )
            for row in rows
        ]
        progress = measure_progress(
            facts,
            total=planned_runs(sweep),
            concurrency=sweep.max_concurrent_runs,
            started=sweep.started_at,
            ended=sweep.ended_at,
            deadline=sweep.deadline_at,
            now=self._now,
        )
        compared = self._compared[placed.place]
        values = compared.finite().tolist()
        return SweepFigures(
            placed=placed,
            progress=progress,
            runs=len(rows),
            with_value=len(values),
            median=median(values) if values else None,
            leads=leads_by_time(compared, sweep.goal),
            leads_by_run=leads_by_run(compared, sweep.goal),
        )

    def _sweep(self, placed: Placed, times: Mapping[int, float]) -> ComparedSweep:
        sweep = placed.sweep
        rows = [row for row in self._rows[sweep.pk] if row[5] is not None]
        zero = (sweep.started_at or sweep.created_at).timestamp()
        until = (sweep.ended_at or self._now).timestamp()
        starts = np.array([row[5].timestamp() for row in rows], np.float64) - zero
        ends = np.array([row[6].timestamp() if row[6] else until for row in rows]) - zero
        at = np.array([times.get(row[0], np.nan) for row in rows], np.float64) - zero
        # Without a report to look at, a value counts from the end of its run on.
        at = np.where(np.isfinite(at), np.clip(at, starts, np.maximum(ends, starts)), ends)
        return ComparedSweep(
            place=placed.place,
            name=sweep.name,
            numbers=np.array([row[2] for row in rows], np.int64),
            values=np.array([np.nan if row[7] is None else row[7] for row in rows], np.float64),
            at=at,
            starts=starts,
            ends=np.maximum(ends, starts),
            seconds=max(0.0, until - zero) if sweep.started_at else 0.0,
            best_number=sweep.best_run.number if sweep.best_run else None,
            is_live=sweep.state in SWEEP_ACTIVE,
        )


def _report_times(placed: Sequence[Placed], rows_of: Mapping[int, list[_Row]]) -> dict[int, float]:
    """Return when runs reported their best value, in Unix seconds, for those that may have led.

    A run that is worse than one that had ended before it started never led, so few are looked at.
    """
    keys: list[int] = []
    for one in placed:
        keys += _possible_leaders(rows_of[one.sweep.pk], one.sweep.goal)
    if not keys:
        return {}
    names = {one.sweep.metric_name for one in placed}
    chunks = MetricChunk.objects.filter(
        series__run__in=keys,
        series__name__in=names,
        first__lt=F("series__run__best_interval"),
        first__gte=F("series__run__best_interval") - F("count"),
    )
    found = {}
    fields = ("series__run", "series__run__best_interval", "first", "count", "times")
    for run, interval, first, count, raw in chunks.values_list(*fields):
        found[run] = float(unpacked(raw, count)[interval - 1 - first])
    return found


def _possible_leaders(rows: Iterable[_Row], goal: str) -> Iterator[int]:
    sign = 1.0 if goal == "maximize" else -1.0
    scored = [row for row in rows if row[5] is not None and row[7] is not None and row[8]]
    ends = sorted((row[6], sign * row[7]) for row in scored if row[6] is not None)
    at, best = 0, -np.inf
    for row in sorted(scored, key=lambda row: row[5]):
        while at < len(ends) and ends[at][0] <= row[5]:
            best = max(best, ends[at][1])
            at += 1
        if sign * row[7] > best:
            yield row[0]


def _views_of(rows_of: Mapping[int, list[_Row]]) -> dict[int, list[RunView]]:
    params = dict(Run.objects.filter(sweep__in=list(rows_of)).values_list("pk", "params"))
    return {
        key: [
            RunView(
                number=row[2],
                run_id="",
                state=row[3],
                end_reason=row[4],
                params=params.get(row[0], {}),
                best=row[7],
                best_interval=row[8],
                last=None,
                reports=row[9],
            )
            for row in rows
            if row[5] is not None
        ]
        for key, rows in rows_of.items()
    }


def _with_params(one: ComparedSweep, sweep: Sweep, runs: list[RunView]) -> ComparedSweep:
    space = SweepSpec.from_stored(sweep.spec).space.expressions
    return replace(one, runs=tuple(runs), space=space)
