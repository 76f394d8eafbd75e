"""Curves made ready to draw: over intervals, steps or time, cut to what one picture can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from experiments.charts.base import Curve, RunView, SweepView
from experiments.charts.texts import absence_reason, best_run
from experiments.curves import direction, downsample

FloatArray = NDArray[np.float64]

LINE_POINTS: Final = 300
# Keeps the figure of 1000 runs below one megabyte.
ALL_POINTS: Final = 32_000


@dataclass(frozen=True, slots=True)
class Line:
    """What is drawn of one run: `x` and `y` are `(n,)`, at least one `y` is finite."""

    run: RunView
    x: FloatArray
    y: FloatArray
    reports: int

    @property
    def is_point(self) -> bool:
        """Tell whether there is only one value, which no line can show."""
        return int(np.isfinite(self.y).sum()) == 1

    def peak(self, goal: str) -> tuple[float, float]:
        """Return the point of the best value."""
        at = int(np.nanargmax(direction(goal) * self.y))
        return float(self.x[at]), float(self.y[at])

    def end(self) -> tuple[float, float]:
        """Return the last point that has a value."""
        at = np.flatnonzero(np.isfinite(self.y))[-1]
        return float(self.x[at]), float(self.y[at])


def cut_lines(
    view: SweepView, x_name: str, curves: Mapping[int, Curve]
) -> tuple[dict[int, Line], dict[int, str]]:
    drawn = max(1, sum(run.number in curves for run in view.runs))
    limit = max(6, min(LINE_POINTS, ALL_POINTS // drawn))
    best = best_run(view)
    lines: dict[int, Line] = {}
    absent: dict[int, str] = {}
    for run in view.runs:
        curve = curves.get(run.number)
        xs, ys = _points(curve, x_name) if curve is not None else (np.empty(0), np.empty(0))
        if not np.isfinite(ys).any():
            has_values = curve is not None and bool(np.isfinite(curve.values).any())
            absent[run.number] = "without a step" if has_values else absence_reason(run)
            continue
        xs, ys = downsample(xs, ys, LINE_POINTS if run is best else limit)
        lines[run.number] = Line(run, xs, ys, int(curve.intervals[-1]) if curve is not None else 0)
    return lines, absent


def _points(curve: Curve, x_name: str) -> tuple[FloatArray, FloatArray]:
    values = np.asarray(curve.values, dtype=np.float64)
    ys = np.where(np.isfinite(values), values, np.nan)
    if x_name == "interval":
        return np.asarray(curve.intervals, dtype=np.float64), ys
    if x_name == "time":
        times = np.asarray(curve.times, dtype=np.float64)
        return times - (times[0] if times.size else 0.0), ys
    if curve.steps is None:
        return np.empty(0), np.empty(0)
    steps = np.asarray(curve.steps, dtype=np.float64)
    known = np.isfinite(steps)
    steps, ys = steps[known], ys[known]
    # A step that was logged twice counts as logged last.
    order = np.argsort(steps, kind="stable")
    steps, ys = steps[order], ys[order]
    last = np.append(np.diff(steps) > 0, True) if steps.size else np.empty(0, dtype=np.bool_)
    return steps[last], ys[last]
