"""Geometry of the small pictures in lists: progress segments and sparklines.

Pure; templatetags/studio.py and static/js/lib/marks.js write the SVG.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from experiments.states import RUN_LIVE, RunState

WIDTH: Final = 92.0
HEIGHT: Final = 28.0


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a progress bar, in percent of its width."""

    css: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Spark:
    """Points of a sparkline in a 92 x 28 box, as SVG wants them."""

    points: str
    area: str
    end: tuple[str, str]


def progress_parts(counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """Return (css, word, count) in the fixed order of the bar."""
    early = counts.get("stopped_early", 0)
    return [
        ("completed", "completed", counts.get(RunState.COMPLETED, 0)),
        ("terminated", "stopped early", early),
        ("failed", "failed", counts.get(RunState.FAILED, 0)),
        ("canceled", "canceled", counts.get(RunState.CANCELED, 0) - early),
        ("running", "running", sum(counts.get(s, 0) for s in RUN_LIVE)),
    ]


def progress_segments(counts: Mapping[str, int], total: int) -> list[Segment]:
    """Return the visible segments; retries may exceed `total`, then the bar is full."""
    parts = progress_parts(counts)
    whole = max(total, sum(n for _, _, n in parts), 1)
    segments, start = [], 0.0
    for css, _, n in parts:
        if n > 0:
            width = 100 * n / whole
            segments.append(Segment(css=css, start=start, width=width))
            start += width
    return segments


def progress_label(counts: Mapping[str, int], total: int) -> str:
    """Say the bar in words."""
    said = [f"{n} {word}" for _, word, n in progress_parts(counts) if n > 0]
    return f"{', '.join(said) or 'none finished'} of {total} runs"


def spark_path(values: Sequence[float | None]) -> Spark | None:
    """Return the line through the finite values; None when there is none."""
    finite = [(i, v) for i, v in enumerate(values) if v is not None and math.isfinite(v)]
    if not finite:
        return None
    low = min(v for _, v in finite)
    spread = max(v for _, v in finite) - low
    last = max(1, len(values) - 1)
    points = [
        (f"{2 + i / last * (WIDTH - 6):.1f}", f"{_height(v - low, spread):.1f}") for i, v in finite
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    floor = f"{HEIGHT - 2:.0f}"
    area = f"{points[0][0]},{floor} {line} {points[-1][0]},{floor}"
    return Spark(points=line, area=area, end=points[-1])


def _height(above: float, spread: float) -> float:
    # A flat line runs in the middle.
    return HEIGHT - 3 - (above / spread if spread else 0.5) * (HEIGHT - 6)
