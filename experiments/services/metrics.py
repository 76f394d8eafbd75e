"""Store what runs report: exactly once, as chunks of arrays, in one short transaction per flush.

A report of the primary metric is one interval of its run; NaN, infinity and text count as one too,
but never become the best. Each flush bumps the sweep's cursor once and marks where it ended, so
that readers can tell exactly which points are new after a cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction

from experiments.curves import direction, is_better
from experiments.models import Event, Run, Sweep
from experiments.services.chunks import (
    Columns,
    Report,
    append_columns,
    columns_by_name,
    finite_or_none,
)
from experiments.services.events import bump, notify, write_event
from experiments.services.look_ahead import ask_ahead
from experiments.services.transitions import StaleState

__all__ = ["RecordResult", "Report", "record_reports"]


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
    rows = Run.objects.values_list("sweep_id", "fence", "last_seq", "reports")
    row = rows.filter(pk=run_id).first()
    if row is None:
        raise StaleState(f"Run {run_id} was deleted.")
    sweep_id, owner, last_seq, known = row
    if owner != fence:
        raise StaleState(f"Run {run_id} belongs to attempt {owner}, not to {fence}.")
    fresh = [report for report in reports if report.seq > last_seq]
    if not fresh:
        return RecordResult(new_primary=[], primary_count=known, stored=0)
    with transaction.atomic():
        cursor = bump(sweep_id)
        run = Run.objects.select_related("sweep").get(pk=run_id)
        if run.fence != fence or run.last_seq != last_seq:
            raise StaleState(f"Run {run_id} was written by attempt {run.fence} meanwhile.")
        return _store(run, cursor, fresh, last_seq=max(report.seq for report in fresh))


def _store(run: Run, cursor: int, reports: Sequence[Report], *, last_seq: int) -> RecordResult:
    batches = columns_by_name(reports)
    counts = append_columns(run, cursor, batches)
    metric = run.sweep.metric_name
    changed: dict[str, Any] = {"last_seq": last_seq}
    primary = batches.get(metric)
    if primary is not None:
        changed |= _primary_fields(run, primary) | {"stamp": cursor}
    Run.objects.filter(pk=run.pk).update(**changed)
    has_new_best = "best_value" in changed and _lead(run, cursor, changed)
    notify(run.sweep_id, lists=has_new_best)
    if primary is not None:
        ask_ahead(run.sweep)
    return RecordResult(
        new_primary=primary.values.tolist() if primary is not None else [],
        primary_count=counts.get(metric, run.reports),
        stored=len(reports),
    )


def _primary_fields(run: Run, batch: Columns) -> dict[str, Any]:
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
    sweep, value = run.sweep, changed["best_value"]
    if sweep.best_value is not None and not is_better(sweep.goal, value, sweep.best_value):
        return False
    Sweep.objects.filter(pk=sweep.pk).update(best_run=run, best_value=value, best_stamp=cursor)
    if sweep.best_run_id != run.pk:
        write_event(
            sweep.pk,
            cursor,
            Event.Kind.BEST,
            f"Run {run.number} leads with {sweep.metric_name} {value:.6g} "
            f"at interval {changed['best_interval']}.",
            run_id=run.pk,
            payload={"number": run.number, "value": value},
        )
    return True
