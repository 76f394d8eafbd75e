"""Read metric series from their chunks: whole, cut for charts, or exactly what is new.

Everything is read with few queries and cut up with numpy; see models/metric.py for the shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np

from experiments.charts.base import Curve
from experiments.curves import downsample
from experiments.models import MetricChunk, MetricSeries, Run, Sweep
from experiments.packed_columns import unpacked
from experiments.queries.json_forms import number_json, numbers_json

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
_ROWS = 200
_FIELDS = ("series__run__number", "first", "count", "values", "steps", "times")
# Of a chunk whatever is new, of its run no more than its name.
_OF_DELTA = (
    *("series", "first", "count", "marks", "values", "steps", "times", "texts"),
    *("series__name", "series__run__number", "series__run__public_id"),
)


@dataclass(frozen=True, slots=True)
class Series:
    """All reports of one metric by one run; arrays `(n,)`, texts by ordinal from 0."""

    name: str
    intervals: np.ndarray[Any, np.dtype[np.int64]]
    steps: Floats | None
    times: Floats
    values: Floats
    texts: dict[int, str]


@dataclass(frozen=True, slots=True)
class Delta:
    """Points of one metric of one run that are new in a window; `first` is an ordinal from 0."""

    cursor: int
    run_id: int
    number: int
    public_id: str
    metric: str
    first: int
    values: Floats
    steps: Floats | None
    times: Floats
    texts: dict[int, str]


def metric_names(sweep: Sweep) -> list[str]:
    """Return the names of all metrics that runs of a sweep have logged, sorted."""
    names = MetricSeries.objects.filter(run__sweep=sweep).order_by("name")
    return list(names.values_list("name", flat=True).distinct())


def series_names(run: Run) -> list[str]:
    """Return the names of all metrics a run has logged, sorted."""
    return list(
        MetricSeries.objects.filter(run=run).order_by("name").values_list("name", flat=True)
    )


def series_of(run: Run, name: str) -> Series | None:
    """Return all reports of one metric by a run; None when it never logged that name."""
    return next(iter(all_series(run, names=[name])), None)


def all_series(run: Run, *, names: Iterable[str] | None = None) -> list[Series]:
    """Return all reports of every metric of a run (or of these), sorted by name; one query."""
    chunks = MetricChunk.objects.filter(series__run=run).order_by("series__name", "first")
    if names is not None:
        chunks = chunks.filter(series__name__in=list(names))
    rows = chunks.values_list("series__name", "first", "count", "values", "steps", "times", "texts")
    return [_series(name, list(group)) for name, group in groupby(rows, key=lambda row: row[0])]


def series_of_runs(sweep: Sweep, numbers: Iterable[int]) -> Iterator[tuple[int, Series]]:
    """Yield run number and series of every metric of these runs, by number and name; one query."""
    found = MetricChunk.objects.filter(sweep=sweep, series__run__number__in=list(numbers))
    rows = found.order_by("series__run__number", "series__name", "first").values_list(
        *("series__run__number", "series__name", "first", "count", "values", "steps", "times"),
        "texts",
    )
    for (number, name), group in groupby(rows, key=lambda row: row[:2]):
        yield number, _series(name, [row[1:] for row in group])


def curves_of(sweep: Sweep, metric: str, *, limit: int = 300) -> dict[int, Curve]:
    """Return one metric of every run by run number, each cut to at most `limit` points."""
    curves = {}
    for number, whole in _whole_curves(sweep, metric):
        curves[number] = _cut(whole, limit)
    return curves


def whole_values(sweep: Sweep, metric: str) -> Iterator[tuple[int, Floats]]:
    """Yield run number and all values of one metric, in order of the numbers; one query."""
    chunks = MetricChunk.objects.filter(series__run__sweep=sweep, series__name=metric)
    rows = chunks.order_by("series__run__number", "first").values_list(
        "series__run__number", "values"
    )
    # Steps and times stay where they are: three times as much, and nobody asks for it.
    for number, group in groupby(rows.iterator(chunk_size=_ROWS), key=lambda row: row[0]):
        yield number, np.frombuffer(b"".join(row[1] for row in group), dtype="<f8")


def whole_curves(sweep: Sweep, metric: str) -> Iterator[tuple[int, Curve]]:
    """Yield run number and all reports of one metric, in order of the numbers; one query."""
    return _whole_curves(sweep, metric)


def curves_of_runs(sweep: Sweep, metric: str, numbers: Iterable[int]) -> dict[int, Curve]:
    """Return the whole curves of one metric of these runs, by run number; one query."""
    return dict(_whole_curves(sweep, metric, numbers=list(numbers)))


def curves_json(sweep: Sweep, metric: str, *, limit: int = 300) -> list[dict[str, Any]]:
    """Return the curves of a metric as REST sends them, in order of the run numbers."""
    runs = {
        number: (public_id, state)
        for number, public_id, state in Run.objects.filter(sweep=sweep).values_list(
            "number", "public_id", "state"
        )
    }
    found = []
    for number, whole in _whole_curves(sweep, metric):
        curve = _cut(whole, limit)
        found.append(
            {
                "run": runs[number][0],
                "number": number,
                "status": runs[number][1],
                "count": int(whole.values.size),
                "intervals": curve.intervals.tolist(),
                "steps": None if curve.steps is None else steps_json(curve.steps),
                "times": numbers_json(curve.times.tolist()),
                "values": numbers_json(curve.values.tolist()),
            }
        )
    return found


def steps_json(steps: Floats) -> list[float | str | None]:
    """Return steps as JSON carries them; a report without a step has null."""
    return [None if np.isnan(step) else number_json(step) for step in steps.tolist()]


def deltas(sweep_id: int, after: int, upto: int) -> list[Delta]:
    """Return exactly the points whose stamp lies in (`after`, `upto`], merged by series.

    One query. A chunk that grew beyond `upto` meanwhile is read too: its marks tell which of its
    points belong to the window.
    """
    chunks = (
        MetricChunk.objects.filter(sweep=sweep_id, stamp__gt=after, since__lte=upto)
        .select_related("series__run")
        .only(*_OF_DELTA)
        .order_by("series_id", "first")
    )
    found = []
    for _, group in groupby(chunks, key=lambda chunk: chunk.series_id):
        delta = _delta(list(group), after, upto)
        if delta is not None:
            found.append(delta)
    return found


def _series(name: str, rows: list[tuple[Any, ...]]) -> Series:
    values, steps, times = _joined([row[1:6] for row in rows])
    texts = {int(k): text for row in rows for k, text in (row[6] or {}).items()}
    intervals = np.arange(1, values.size + 1)
    return Series(name, intervals, steps, times, values, texts)


def _whole_curves(
    sweep: Sweep, metric: str, *, numbers: list[int] | None = None
) -> Iterator[tuple[int, Curve]]:
    chunks = MetricChunk.objects.filter(series__run__sweep=sweep, series__name=metric)
    if numbers is not None:
        chunks = chunks.filter(series__run__number__in=numbers)
    rows = chunks.order_by("series__run__number", "first").values_list(*_FIELDS)
    # Rows come and go: the blobs of a large sweep are never in memory together.
    for number, group in groupby(rows.iterator(chunk_size=_ROWS), key=lambda row: row[0]):
        values, steps, times = _joined([row[1:6] for row in group])
        yield number, Curve(number, np.arange(1, values.size + 1), steps, times, values)


def _joined(rows: list[tuple[int, int, bytes, bytes | None, bytes]]) -> tuple[Any, Any, Any]:
    """Return values, steps and times of chunks (first, count, values, steps, times) in order."""
    values = np.frombuffer(b"".join(row[2] for row in rows), dtype="<f8")
    times = np.concatenate([unpacked(row[4], row[1]) for row in rows])
    if all(row[3] is None for row in rows):
        return values, None, times
    steps = [
        np.full(row[1], np.nan) if row[3] is None else unpacked(row[3], row[1]) for row in rows
    ]
    return values, np.concatenate(steps), times


def _cut(curve: Curve, limit: int) -> Curve:
    if curve.values.size <= limit:
        return curve
    kept, values = downsample(curve.intervals, curve.values, limit)
    at = kept.astype(np.int64) - 1
    return Curve(
        number=curve.number,
        intervals=curve.intervals[at],
        steps=None if curve.steps is None else curve.steps[at],
        times=curve.times[at],
        values=values,
    )


def _delta(chunks: list[MetricChunk], after: int, upto: int) -> Delta | None:
    pieces = [piece for chunk in chunks if (piece := _window(chunk, after, upto)) is not None]
    if not pieces:
        return None
    run = chunks[0].series.run
    values, steps, times = _joined([piece.row for piece in pieces])
    first = pieces[0].row[0]
    texts = {
        int(k): text
        for chunk in chunks
        for k, text in (chunk.texts or {}).items()
        if first <= int(k) < first + values.size
    }
    return Delta(
        cursor=pieces[-1].cursor,
        run_id=run.pk,
        number=run.number,
        public_id=run.public_id,
        metric=chunks[0].series.name,
        first=first,
        values=values,
        steps=steps,
        times=times,
        texts=texts,
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    cursor: int
    row: tuple[int, int, bytes, bytes | None, bytes]


def _window(chunk: MetricChunk, after: int, upto: int) -> _Piece | None:
    marks = np.frombuffer(chunk.marks, dtype="<i8").reshape(-1, 2)  # (flushes, stamp and end)
    low, high = np.searchsorted(marks[:, 0], [after, upto], side="right")
    if low == high:
        return None
    start = int(marks[low - 1, 1]) if low else chunk.first
    end = int(marks[high - 1, 1])
    points = slice(start - chunk.first, end - chunk.first)
    row = (
        start,
        end - start,
        bytes(chunk.values)[8 * points.start : 8 * points.stop],
        None if chunk.steps is None else unpacked(chunk.steps, chunk.count)[points].tobytes(),
        unpacked(chunk.times, chunk.count)[points].tobytes(),
    )
    return _Piece(cursor=int(marks[high - 1, 0]), row=row)
