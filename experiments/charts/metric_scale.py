"""The metric as a scale: which range is interesting, how good a value is in it.

From the 20th percentile to the best (mirrored for minimize): one diverged run must not flatten the
others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.charts.base import RunView

FloatArray = NDArray[np.float64]


def metric_values(runs: Sequence[RunView]) -> FloatArray:
    """Return the best value of each run: `(n,)`, NaN where there is none."""
    return np.array([run.value for run in runs], dtype=np.float64)


def metric_domain(values: ArrayLike, goal: str) -> tuple[float, float]:
    """Return (low, high) of the scale; (0, 1) when no value is finite."""
    known = np.asarray(values, dtype=np.float64)
    known = np.sort(known[np.isfinite(known)])
    if not known.size:
        return 0.0, 1.0
    fifth = int(0.2 * (known.size - 1) + 0.5)
    if goal == "maximize":
        return float(known[fifth]), float(known[-1])
    return float(known[0]), float(known[known.size - 1 - fifth])


def focus_range(values: ArrayLike, goal: str) -> tuple[float, float]:
    """Return the range of a metric axis: well below the 20th percentile to just above the best.

    It ends soon after the worst value: where no value is, there is nothing to see.
    """
    low, high = metric_domain(values, goal)
    span = (high - low) or abs(high) * 0.1 or 1.0
    worse, better = span * 0.55, span * 0.0875
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if known.size and high > low:
        edge = low - known.min() if goal == "maximize" else known.max() - high
        worse = min(worse, float(edge) + better)
    return (low - worse, high + better) if goal == "maximize" else (low - better, high + worse)


def goodness(values: ArrayLike, domain: tuple[float, float], goal: str) -> FloatArray:
    """Return how good values are within `domain`: `(n,)` in 0..1, 1 is best; NaN stays NaN."""
    low, high = domain
    array = np.asarray(values, dtype=np.float64)
    if high <= low:
        return np.where(np.isnan(array), np.nan, 1.0)
    share = np.clip((array - low) / (high - low), 0.0, 1.0)
    return share if goal == "maximize" else 1.0 - share
