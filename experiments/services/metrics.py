"""Store what runs report: exactly once, as chunks of arrays, in one short transaction per flush.

A report of the primary metric is one interval of its run; NaN, infinity and text count as one too,
but never become the best. Each flush bumps the sweep's cursor once and marks where it ended, so
that readers can tell exactly which points are new after a cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import transaction

from experiments.curves import direction, is_better
from experiments.models import Event, Run, Sweep
from experiments.reported import Report
from experiments.services.chunks import (
    Columns,
    KnownSeries,
    append_columns,
    columns_by_name,
    finite_or_none,
    read_series,
)
from experiments.services.counters import count_reports
from experiments.services.events import bump, notify, write_event
from experiments.services.look_ahead import ask_ahead
from experiments.services.transitions import StaleState
from experiments.states import RUN_TERMINAL

__all__ = ["RecordResult", "Report", "primary_fields", "record_reports"]

# What a flush needs to know; the rest of these rows is large.
_FIELDS: Final = (
    "number",
    "state",
    "fence",
    "last_seq",
    "reports",
    "best_value",
    "sweep__metric_name",
    "sweep__goal",
    "sweep__best_value",
    "sweep__spec",
    "sweep__sampled",
    "sweep__max_total_runs",
    "sweep__compute_id",
)


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What a flush added: the new primary values in order, how many there are now, all stored."""

    new_primary: list[float]
    primary_count: int
    stored: int


def record_reports(run_id: int, fence: int, reports: Sequence[Report]) -> RecordResult:
    """Store the reports of a run's journal; those up to `run.last_seq` are known and skipped.

    Raises:
        StaleState: the run belongs to another attempt by now.
    """
    while True:
        # All of it is read before anything is locked: a hundred runs wait for the sweep's row.
        run = _owned(run_id, fence)
        fresh = [report for report in reports if report.seq > run.last_seq]
        if not fresh:
            return RecordResult(new_primary=[], primary_count=run.reports, stored=0)
        batches = columns_by_name(fresh)
        known = read_series(run, list(batches))
        try:
            with transaction.atomic():
                return _store(run, batches, known, last_seq=max(report.seq for report in fresh))
        except _Moved:
            continue


class _Moved(Exception):  # noqa: N818 - look again
    """The run is not what it was when it was read."""


def _owned(run_id: int, fence: int) -> Run:
    run = Run.objects.select_related("sweep").only(*_FIELDS).filter(pk=run_id).first()
    if run is None:
        raise StaleState(f"Run {run_id} was deleted.")
    if run.fence != fence:
        raise StaleState(f"Run {run_id} belongs to attempt {run.fence}, not to {fence}.")
    return run


def _store(
    run: Run, batches: dict[str, Columns], known: KnownSeries, *, last_seq: int
) -> RecordResult:
    cursor = bump(run.sweep_id)
    if run.state in RUN_TERMINAL:  # its chunks may have been compacted since they were read
        known = read_series(run, list(batches))
    metric = run.sweep.metric_name
    changed: dict[str, Any] = {"last_seq": last_seq}
    primary = batches.get(metric)
    if primary is not None:
        changed |= primary_fields(run, primary) | {"stamp": cursor}
    same = Run.objects.filter(pk=run.pk, fence=run.fence, last_seq=run.last_seq, state=run.state)
    if not same.update(**changed):
        raise _Moved
    counts = append_columns(run, cursor, batches, known)
    has_new_best = "best_value" in changed and _lead(run, cursor, changed)
    notify(run.sweep_id, lists=has_new_best)
    count_reports([batch.times for batch in batches.values()])
    if primary is not None:
        ask_ahead(run.sweep)
    return RecordResult(
        new_primary=primary.values.tolist() if primary is not None else [],
        primary_count=counts.get(metric, run.reports),
        stored=sum(batch.values.size for batch in batches.values()),
    )


def primary_fields(run: Run, batch: Columns) -> dict[str, Any]:
    """Return what these reports of the primary metric change about a run and its best value."""
    fields: dict[str, Any] = {
        "reports": run.reports + batch.values.size,
        "last_value": finite_or_none(batch.values[-1]),
    }
    goal = run.sweep.goal
    finite = np.isfinite(batch.values)
    if not finite.any():
        return fields
    # argmax takes the first of equals: the earliest report keeps the best.
    at = int(np.where(finite, direction(goal) * batch.values, -np.inf).argmax())
    value = float(batch.values[at])
    if run.best_value is None or is_better(goal, value, run.best_value):
        fields |= {
            "best_value": value,
            "best_interval": run.reports + at + 1,
            "best_step": finite_or_none(batch.steps[at]),
        }
    return fields


def _lead(run: Run, cursor: int, changed: dict[str, Any]) -> bool:
    """Make the run the best of its sweep if it is; the log gets a line when the lead changes."""
    value, goal = changed["best_value"], run.sweep.goal
    if not _beats(value, run.sweep.best_value, goal):
        return False  # the best only gets better, so it is no worse now than when it was read
    sweep = Sweep.objects.only("best_value", "best_run_id").get(pk=run.sweep_id)
    if not _beats(value, sweep.best_value, goal):
        return False
    Sweep.objects.filter(pk=sweep.pk).update(best_run=run, best_value=value, best_stamp=cursor)
    if sweep.best_run_id != run.pk:
        write_event(
            sweep.pk,
            cursor,
            Event.Kind.BEST,
            f"Run {run.number} leads with {run.sweep.metric_name} {value:.6g} "
            f"at interval {changed['best_interval']}.",
            run_id=run.pk,
            payload={"number": run.number, "value": value},
        )
    return True


def _beats(value: float, best: float | None, goal: str) -> bool:
    return best is None or is_better(goal, value, best)
