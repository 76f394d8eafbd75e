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
from django.db.models import F

from experiments.curves import direction, is_better
from experiments.models import Event, MetricChunk, MetricSeries, Run, Sweep
from experiments.services.events import bump, notify, write_event
from experiments.services.text import clean_text
from experiments.services.transitions import StaleState

# A live chunk is written again with every flush, so it is closed early; big flushes and finished
# runs fill chunks up to the larger size.
OPEN_POINTS: Final = 512
CHUNK_POINTS: Final = 4096
_MAX_NAME: Final = 255
_MAX_TEXT: Final = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """One logged value. `seq` grows with every report of a run: the end of its journal line."""

    seq: int
    name: str
    value: float | str
    step: float | None
    time: float


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
    batches = _columns_by_name(reports)
    counts = _append(run, cursor, batches)
    metric = run.sweep.metric_name
    changed: dict[str, Any] = {"last_seq": last_seq}
    primary = batches.get(metric)
    if primary is not None:
        changed |= _primary_fields(run, primary) | {"stamp": cursor}
    Run.objects.filter(pk=run.pk).update(**changed)
    has_new_best = "best_value" in changed and _lead(run, cursor, changed)
    notify(run.sweep_id, lists=has_new_best)
    return RecordResult(
        new_primary=primary.values.tolist() if primary is not None else [],
        primary_count=counts.get(metric, run.reports),
        stored=len(reports),
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """One metric's part of a flush: `values`, `steps`, `times` `(n,)`; texts by position."""

    values: np.ndarray[Any, np.dtype[np.float64]]
    steps: np.ndarray[Any, np.dtype[np.float64]]
    times: np.ndarray[Any, np.dtype[np.float64]]
    texts: dict[int, str]

    @property
    def has_steps(self) -> bool:
        return not bool(np.isnan(self.steps).all())


def _columns_by_name(reports: Sequence[Report]) -> dict[str, _Columns]:
    names: dict[str, str] = {}
    groups: dict[str, list[Report]] = {}
    for report in reports:
        name = names.get(report.name)
        if name is None:
            name = names[report.name] = clean_text(report.name, _MAX_NAME)
        groups.setdefault(name, []).append(report)
    return {name: _columns(group) for name, group in groups.items()}


def _columns(group: list[Report]) -> _Columns:
    nan = float("nan")
    texts = {i: r.value for i, r in enumerate(group) if isinstance(r.value, str)}
    values = [nan if isinstance(r.value, str) else r.value for r in group]
    return _Columns(
        values=np.array(values, dtype="<f8"),
        steps=np.array([nan if r.step is None else r.step for r in group], dtype="<f8"),
        times=np.array([r.time for r in group], dtype="<f8"),
        texts={i: clean_text(text, _MAX_TEXT) for i, text in texts.items()},
    )


def _append(run: Run, cursor: int, batches: dict[str, _Columns]) -> dict[str, int]:
    # Rows are written by their unique keys, without primary keys: one INSERT ... ON CONFLICT for
    # all series and one for all chunks, whether they are new or grow.
    known = {s.name: s for s in MetricSeries.objects.filter(run=run, name__in=list(batches))}
    live = {
        chunk.series_id: chunk
        for chunk in MetricChunk.objects.filter(
            series__in=[s.pk for s in known.values()],
            count__lt=OPEN_POINTS,
            series__count=F("first") + F("count"),
        )
    }
    grown = [_grow_series(run, name, known.get(name), batch) for name, batch in batches.items()]
    MetricSeries.objects.bulk_create(
        grown,
        update_conflicts=True,
        unique_fields=["run", "name"],
        update_fields=[
            "count",
            "minimum",
            "maximum",
            "last_value",
            "last_step",
            "has_nonfinite",
            "has_text",
        ],
    )
    chunks = []
    for series, batch in zip(grown, batches.values(), strict=True):
        chunks += _chunks(series, run.sweep_id, cursor, batch, live.get(series.pk))
    MetricChunk.objects.bulk_create(
        chunks,
        update_conflicts=True,
        unique_fields=["series", "first"],
        update_fields=["count", "stamp", "values", "steps", "times", "marks", "texts"],
    )
    return {series.name: series.count for series in grown}


def _grow_series(run: Run, name: str, old: MetricSeries | None, batch: _Columns) -> MetricSeries:
    finite = batch.values[np.isfinite(batch.values)]
    lows, highs = finite.tolist(), finite.tolist()
    if old is not None and old.minimum is not None and old.maximum is not None:
        lows, highs = [old.minimum, *lows], [old.maximum, *highs]
    return MetricSeries(
        run=run,
        name=name,
        count=(old.count if old else 0) + batch.values.size,
        minimum=min(lows, default=None),
        maximum=max(highs, default=None),
        last_value=_finite(batch.values[-1]),
        last_step=_finite(batch.steps[-1]),
        has_nonfinite=(old.has_nonfinite if old else False) or finite.size < batch.values.size,
        has_text=(old.has_text if old else False) or bool(batch.texts),
    )


def _chunks(
    series: MetricSeries, sweep_id: int, cursor: int, batch: _Columns, live: MetricChunk | None
) -> list[MetricChunk]:
    total = batch.values.size
    start = series.count - total
    pieces = []
    done = 0
    while done < total:
        held = live.count if live is not None else 0
        upto = min(total, done + CHUNK_POINTS - held)
        piece = MetricChunk(
            series=series,
            sweep_id=sweep_id,
            first=live.first if live is not None else start + done,
            count=held + upto - done,
            since=live.since if live is not None else cursor,
            stamp=cursor,
            values=_join(live.values if live else b"", batch.values[done:upto]),
            steps=_join_steps(live, batch, done, upto),
            times=_join(live.times if live else b"", batch.times[done:upto]),
            marks=_join(live.marks if live else b"", np.array([cursor, start + upto], dtype="<i8")),
            texts=_join_texts(live, batch, start, done, upto),
        )
        pieces.append(piece)
        live, done = None, upto
    return pieces


def _join(old: bytes | memoryview, new: np.ndarray[Any, Any]) -> bytes:
    return bytes(old) + new.tobytes()


def _join_steps(live: MetricChunk | None, batch: _Columns, done: int, upto: int) -> bytes | None:
    old = live.steps if live is not None else None
    if old is None and not batch.has_steps:
        return None
    if old is None:
        old = np.full(live.count if live is not None else 0, np.nan).tobytes()
    return _join(bytes(old), batch.steps[done:upto])


def _join_texts(
    live: MetricChunk | None, batch: _Columns, start: int, done: int, upto: int
) -> dict[str, str] | None:
    texts = dict(live.texts or {}) if live is not None else {}
    texts |= {str(start + i): text for i, text in batch.texts.items() if done <= i < upto}
    return texts or None


def _primary_fields(run: Run, batch: _Columns) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "reports": run.reports + batch.values.size,
        "last_value": _finite(batch.values[-1]),
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
            "best_step": _finite(batch.steps[at]),
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


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
