"""The curves of a whole sweep for charts: read with two queries, cut at once, packed for JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from experiments.charts.lines import (
    MOST_POINTS,
    Bundle,
    FloatArray,
    by_step,
    cut,
    inside,
    pack,
    since_first,
)
from experiments.models import MetricChunk, MetricSeries, Sweep
from experiments.packed_columns import unpacked

_COLUMNS: Final = {"step": "steps", "time": "times"}
_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the curves is asked for; no `runs` are all runs."""

    x: str = "interval"
    low: float = -math.inf
    high: float = math.inf
    runs: Sequence[int] = ()
    points: int = MOST_POINTS


def packed_curves(sweep: Sweep, metric: str, window: Window) -> dict[str, Any]:
    """Return one metric of all runs as charts read it: see `charts.lines.pack`.

    `reports` says how many reports of each run are in the answer, cut or not; `begins` when the
    first one came, where x is time. `is_whole`: no point was left out.
    """
    whole = _read(sweep, metric, window)
    reports = dict(zip(whole.numbers.tolist(), whole.counts.tolist(), strict=True))
    begins: dict[int, float] = {}
    if window.x == "time":
        whole, first = since_first(whole)
        begins = dict(zip(whole.numbers.tolist(), first.tolist(), strict=True))
    elif window.x == "step":
        whole = by_step(whole)
    part = inside(whole, window.low, window.high)
    shown = cut(part, window.points)
    packed = pack(shown)
    return {
        "cursor": sweep.cursor,
        "metric": metric,
        "x": window.x,
        "low": window.low if math.isfinite(window.low) else None,
        "high": window.high if math.isfinite(window.high) else None,
        "is_whole": shown.y.size == part.y.size,
        "reports": [reports[number] for number in packed["numbers"]],
        "begins": [begins[number] for number in packed["numbers"]] if begins else None,
        **packed,
    }


def _read(sweep: Sweep, metric: str, window: Window) -> Bundle:
    series = MetricSeries.objects.filter(run__sweep=sweep, name=metric)
    if window.runs:
        series = series.filter(run__number__in=list(window.runs))
    owners = dict(series.values_list("pk", "run__number"))
    column = _COLUMNS.get(window.x)
    chunks = MetricChunk.objects.filter(series__in=series).order_by("series_id", "first")
    rows = chunks.values_list("series_id", "count", "values", *([column] if column else []))
    numbers: list[int] = []
    counts: list[int] = []
    values, places = bytearray(), bytearray()
    last = None
    # Rows come and go: the blobs of a large sweep are never in memory beside their copy.
    for row in rows.iterator(chunk_size=_ROWS):
        # A run may have begun to report between the two reads: the next answer has it.
        if row[0] not in owners:
            continue
        if row[0] != last:
            last = row[0]
            numbers.append(owners[row[0]])
            counts.append(0)
        counts[-1] += row[1]
        values += row[2]
        if column:
            place = np.full(row[1], np.nan) if row[3] is None else unpacked(row[3], row[1])
            places += place.tobytes()
    y: FloatArray = np.frombuffer(bytes(values), dtype="<f8")
    ends = np.array(counts, dtype=np.int64)
    x = np.frombuffer(bytes(places), dtype="<f8") if column else _intervals(ends)
    y = np.where(np.isfinite(y), y, np.nan)
    return Bundle(np.array(numbers, dtype=np.int64), ends, x, y)


def _intervals(counts: np.ndarray[Any, np.dtype[np.int64]]) -> FloatArray:
    starts = np.cumsum(counts) - counts
    ordinals = np.arange(int(counts.sum())) - np.repeat(starts, counts)
    intervals: FloatArray = ordinals.astype(np.float64) + 1.0
    return intervals
