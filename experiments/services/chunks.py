"""Write reports as arrays: series with their summary, chunks with the marks of each flush.

Part of the caller's transaction; knows nothing of goals, best values or policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db.models import F

from experiments.models import MetricChunk, MetricSeries, Run
from experiments.packed_columns import packed, unpacked
from experiments.reported import Report
from experiments.services.text import clean_text

# A live chunk is written again with every flush, so it is closed early; big flushes and finished
# runs fill chunks up to the larger size.
OPEN_POINTS: Final = 512
CHUNK_POINTS: Final = 4096
_MAX_NAME: Final = 255
_MAX_TEXT: Final = 1000


@dataclass(frozen=True, slots=True)
class Columns:
    """One metric's part of a flush: `values`, `steps`, `times` `(n,)`; texts by position."""

    values: np.ndarray[Any, np.dtype[np.float64]]
    steps: np.ndarray[Any, np.dtype[np.float64]]
    times: np.ndarray[Any, np.dtype[np.float64]]
    texts: dict[int, str]

    @property
    def has_steps(self) -> bool:
        """Whether the script gave a step for any of them."""
        return not bool(np.isnan(self.steps).all())


def columns_by_name(reports: Sequence[Report]) -> dict[str, Columns]:
    """Return the reports of each metric as arrays, in the order they came."""
    names: dict[str, str] = {}
    groups: dict[str, list[Report]] = {}
    for report in reports:
        name = names.get(report.name)
        if name is None:
            name = names[report.name] = clean_text(report.name, _MAX_NAME)
        groups.setdefault(name, []).append(report)
    return {name: _columns(group) for name, group in groups.items()}


def _columns(group: list[Report]) -> Columns:
    nan = float("nan")
    texts = {i: r.value for i, r in enumerate(group) if isinstance(r.value, str)}
    values = [nan if isinstance(r.value, str) else r.value for r in group]
    return Columns(
        values=np.array(values, dtype="<f8"),
        steps=np.array([nan if r.step is None else r.step for r in group], dtype="<f8"),
        times=np.array([r.time for r in group], dtype="<f8"),
        texts={i: clean_text(text, _MAX_TEXT) for i, text in texts.items()},
    )


@dataclass(frozen=True, slots=True)
class KnownSeries:
    """Series of a run by name, and the chunk of each that still grows, by the key of its series."""

    series: dict[str, MetricSeries]
    live: dict[int, MetricChunk]


def read_series(run: Run, names: Sequence[str]) -> KnownSeries:
    """Read what a flush of these metrics will go on from."""
    series = {s.name: s for s in MetricSeries.objects.filter(run=run, name__in=names)}
    growing = MetricChunk.objects.filter(
        series__in=[s.pk for s in series.values()],
        count__lt=OPEN_POINTS,
        series__count=F("first") + F("count"),
    )
    return KnownSeries(series, {chunk.series_id: chunk for chunk in growing} if series else {})


def append_columns(
    run: Run, cursor: int, batches: dict[str, Columns], known: KnownSeries
) -> dict[str, int]:
    """Add a flush to the series of a run; return how many points each of them has now."""
    # Rows are written by their unique keys, without primary keys: one INSERT ... ON CONFLICT for
    # all series and one for all chunks, whether they are new or grow.
    grown = [
        _grow_series(run, name, known.series.get(name), batch) for name, batch in batches.items()
    ]
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
        chunks += _chunks(series, run.sweep_id, cursor, batch, known.live.get(series.pk))
    MetricChunk.objects.bulk_create(
        chunks,
        update_conflicts=True,
        unique_fields=["series", "first"],
        update_fields=["count", "stamp", "values", "steps", "times", "marks", "texts"],
    )
    return {series.name: series.count for series in grown}


def _grow_series(run: Run, name: str, old: MetricSeries | None, batch: Columns) -> MetricSeries:
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
        last_value=finite_or_none(batch.values[-1]),
        last_step=finite_or_none(batch.steps[-1]),
        has_nonfinite=(old.has_nonfinite if old else False) or finite.size < batch.values.size,
        has_text=(old.has_text if old else False) or bool(batch.texts),
    )


def _chunks(
    series: MetricSeries, sweep_id: int, cursor: int, batch: Columns, live: MetricChunk | None
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
            times=_join_column(live, live.times if live else None, batch.times[done:upto]),
            marks=_join(live.marks if live else b"", np.array([cursor, start + upto], dtype="<i8")),
            texts=_join_texts(live, batch, start, done, upto),
        )
        pieces.append(piece)
        live, done = None, upto
    return pieces


def _join(old: bytes | memoryview, new: np.ndarray[Any, Any]) -> bytes:
    return bytes(old) + new.tobytes()


def _join_steps(live: MetricChunk | None, batch: Columns, done: int, upto: int) -> bytes | None:
    old = live.steps if live is not None else None
    if old is None and not batch.has_steps:
        return None
    return _join_column(live, old, batch.steps[done:upto])


def _join_column(
    live: MetricChunk | None, old: bytes | memoryview | None, new: np.ndarray[Any, Any]
) -> bytes:
    held = live.count if live is not None else 0
    before = np.full(held, np.nan) if old is None else unpacked(old, held)
    return as_stored(np.concatenate([before, new]))


def as_stored(column: np.ndarray[Any, np.dtype[np.float64]]) -> bytes:
    """Return steps or times of a chunk as they are stored: packed when it grows no more."""
    return packed(column) if column.size >= OPEN_POINTS else column.tobytes()


def _join_texts(
    live: MetricChunk | None, batch: Columns, start: int, done: int, upto: int
) -> dict[str, str] | None:
    texts = dict(live.texts or {}) if live is not None else {}
    texts |= {str(start + i): text for i, text in batch.texts.items() if done <= i < upto}
    return texts or None


def finite_or_none(value: float) -> float | None:
    """Return a number as the database keeps it: SQLite has no NaN."""
    return float(value) if np.isfinite(value) else None
