"""Arrays of metric reports: best so far, running mean, rank at an interval, cutting for charts.

Only finite values count for best, mean and rank; NaN and infinity still take an interval of their
own. Pure: knows no run states, no database and no clock.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SIGNS: Final = {"maximize": 1, "minimize": -1}
_MIN_CUT: Final = 6


def direction(goal: str) -> int:
    """Return 1 when larger values are better, -1 when smaller ones are.

    Raises:
        ValueError: `goal` is neither "maximize" nor "minimize".
    """
    if goal not in _SIGNS:
        raise ValueError(f"goal is {goal!r}; use 'maximize' or 'minimize'.")
    return _SIGNS[goal]


def is_better(goal: str, a: float, b: float) -> bool:
    """Tell whether `a` is strictly better than `b`; False when either is NaN."""
    return direction(goal) * a > direction(goal) * b


def best_so_far(values: ArrayLike, goal: str) -> FloatArray:
    """Return the best finite value up to each report: `(n,)`, NaN before the first finite one.

    >>> best_so_far([0.2, float("nan"), 0.5, 0.4], "maximize").tolist()
    [0.2, 0.2, 0.5, 0.5]
    """
    extremum = np.fmax if direction(goal) > 0 else np.fmin
    best: FloatArray = extremum.accumulate(_finite_or_nan(values))
    return best


def running_mean(values: ArrayLike) -> FloatArray:
    """Return the mean of the finite values up to each report: `(n,)`, NaN before the first one.

    >>> running_mean([1.0, float("inf"), 3.0]).tolist()
    [1.0, 1.0, 2.0]
    """
    means, _, _ = _extend_mean(_finite_or_nan(values), total=0.0, count=0)
    return means


def downsample(x: ArrayLike, y: ArrayLike, limit: int) -> tuple[FloatArray, FloatArray]:
    """Cut a line to at most `limit` points: lowest, highest and last point of equal buckets.

    The first and the last point stay, so do gaps: a bucket with a non-finite value keeps one.
    Random or every-k-th cutting would lose the spikes that people look for.

    Raises:
        ValueError: `limit` is below 6, or `x` and `y` differ in length.
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if xs.shape != ys.shape:
        raise ValueError(f"x has {xs.size} points and y has {ys.size}; give as many of both.")
    if limit < _MIN_CUT:
        raise ValueError(f"limit is {limit}; a cut line needs room for at least {_MIN_CUT} points.")
    if xs.size <= limit:
        return xs, ys
    keep = _bucket_points(ys, limit)
    return xs[keep], ys[keep]


def _bucket_points(ys: FloatArray, limit: int) -> IntArray:
    finite = np.isfinite(ys)
    has_gaps = not bool(finite.all())
    buckets = (limit - 2) // (4 if has_gaps else 3)
    size = -(-ys.size // buckets)
    rows = -(-ys.size // size)
    starts = np.arange(rows) * size
    padding = rows * size - ys.size
    shaped = np.pad(np.where(finite, ys, np.nan), (0, padding), constant_values=np.nan)
    shaped = shaped.reshape(rows, size)  # (rows, size)
    known = ~np.isnan(shaped)
    lowest = starts + np.where(known, shaped, np.inf).argmin(axis=1)
    highest = starts + np.where(known, shaped, -np.inf).argmax(axis=1)
    last = np.minimum(starts + size, ys.size) - 1
    kept = [np.array([0]), lowest, highest, last]
    if has_gaps:
        holes = np.pad(~finite, (0, padding)).reshape(rows, size)
        kept.append((starts + holes.argmax(axis=1))[holes.any(axis=1)])
    return np.unique(np.concatenate(kept))


@dataclass(frozen=True, slots=True)
class IntervalView:
    """What every run with a report had to show at one interval; all arrays `(r,)`.

    `numbers` ascends, so that "the earlier run" is the one that stands first. `values` is NaN for a
    run without a finite value; `reached` tells which runs have as many reports as the interval.
    """

    numbers: IntArray
    values: FloatArray
    reached: BoolArray
    finished: BoolArray


class CurveSet:
    """The curves of one sweep in this process, grown report by report.

    Keeps best-so-far and running mean of every run by interval, so that a policy decides in time
    proportional to the number of runs. Appending costs the new reports only, and the result does
    not depend on how the reports were split into batches.
    """

    def __init__(self, goal: str) -> None:
        direction(goal)
        self.goal: Final = goal
        self._runs: dict[int, _GrowingCurve] = {}
        self._finished: set[int] = set()
        self._ordered: list[tuple[int, _GrowingCurve]] | None = None
        self._leaders: FloatArray | None = None

    def append(self, number: int, values: Iterable[float]) -> None:
        """Add the next reports of run `number`, in order; a run is known from its first report."""
        new = np.asarray(values if isinstance(values, np.ndarray) else list(values), np.float64)
        if not new.size:
            return
        if number not in self._runs:
            self._runs[number] = _GrowingCurve()
            self._ordered = None
        self._runs[number].extend(new, self.goal)
        self._leaders = None

    def set_finished(self, number: int) -> None:
        """Note that run `number` will not report any more."""
        self._finished.add(number)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the runs with at least one report, ascending."""
        return [number for number, _ in self._in_order()]

    def count(self, number: int) -> int:
        """Return how many reports run `number` has; 0 for an unknown run."""
        return len(self._runs[number].best) if number in self._runs else 0

    def is_finished(self, number: int) -> bool:
        """Tell whether run `number` was set finished."""
        return number in self._finished

    def best_of(self, number: int, interval: int) -> float:
        """Return the best of the first `interval` reports of a run; NaN when it has no value."""
        if not self.count(number):
            return float("nan")
        return float(_value_at(self._runs[number].best, interval))

    def best_at(self, interval: int) -> IntervalView:
        """Return the best value of each run within its first `interval` reports."""
        return self._view([_value_at(run.best, interval) for _, run in self._in_order()], interval)

    def mean_at(self, interval: int) -> IntervalView:
        """Return the mean of each run's first `interval` reports."""
        return self._view([_value_at(run.mean, interval) for _, run in self._in_order()], interval)

    def best_curve(self, number: int) -> FloatArray:
        """Return a copy of the best-so-far of run `number`: `(n,)`."""
        return np.array(self._runs[number].best, dtype=np.float64)

    def mean_curve(self, number: int) -> FloatArray:
        """Return a copy of the running mean of run `number`: `(n,)`."""
        return np.array(self._runs[number].mean, dtype=np.float64)

    def longest(self) -> int:
        """Return the largest number of reports of any run; 0 when there is none."""
        return max((len(run.best) for run in self._runs.values()), default=0)

    def leaders(self) -> FloatArray:
        """Return the best value of all runs within their first 1, 2, ... reports: `(longest,)`.

        NaN before the first finite one. Worked out once for all intervals, kept until the next
        report: the line of a limit asks for hundreds of them.
        """
        if self._leaders is None:
            better = np.fmax if direction(self.goal) > 0 else np.fmin
            found = np.full(self.longest(), np.nan)
            for run in self._runs.values():
                curve = np.frombuffer(run.best)
                better(found[: curve.size], curve, out=found[: curve.size])
            self._leaders = better.accumulate(found)
        return self._leaders

    def _in_order(self) -> list[tuple[int, _GrowingCurve]]:
        if self._ordered is None:
            self._ordered = sorted(self._runs.items(), key=lambda item: item[0])
        return self._ordered

    def _view(self, values: Sequence[float], interval: int) -> IntervalView:
        if interval < 1:
            raise ValueError(f"interval is {interval}; the first report is interval 1.")
        runs = self._in_order()
        return IntervalView(
            numbers=np.array([number for number, _ in runs], dtype=np.int64),
            values=np.array(values, dtype=np.float64),
            reached=np.array([len(run.best) >= interval for _, run in runs], dtype=np.bool_),
            finished=np.array([number in self._finished for number, _ in runs], dtype=np.bool_),
        )


class _GrowingCurve:
    # array("d") instead of numpy: one element is read per run and decision, which is three times
    # as fast here, and appending never copies the curve.
    # The mean is worked out when somebody asks: of all policies median stopping alone does.
    __slots__ = ("_mean", "_waiting", "best", "finite_count", "total")

    def __init__(self) -> None:
        self.best = array("d")
        self._mean = array("d")
        self._waiting = array("d")  # reports that are not in the mean yet
        self.total = 0.0
        self.finite_count = 0

    @property
    def mean(self) -> array[float]:
        if self._waiting:
            means, self.total, self.finite_count = _extend_mean(
                np.array(self._waiting), total=self.total, count=self.finite_count
            )
            self._mean.frombytes(means.tobytes())
            self._waiting = array("d")
        return self._mean

    def extend(self, values: FloatArray, goal: str) -> None:
        finite = _finite_or_nan(values)
        before = self.best[-1] if self.best else float("nan")
        better = np.fmax if direction(goal) > 0 else np.fmin
        best = better.accumulate(np.concatenate(([before], finite)))[1:]
        self.best.frombytes(best.tobytes())
        self._waiting.frombytes(finite.tobytes())


def _value_at(curve: array[float], interval: int) -> float:
    return curve[interval - 1] if len(curve) >= interval else curve[-1]


def _finite_or_nan(values: ArrayLike) -> FloatArray:
    raw = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(raw), raw, np.nan)


def _extend_mean(values: FloatArray, *, total: float, count: int) -> tuple[FloatArray, float, int]:
    # A plain left-to-right sum, continued from `total`: batches of any size give the same bits.
    known = ~np.isnan(values)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        sums = np.add.accumulate(np.concatenate(([total], np.where(known, values, 0.0))))
        counts = count + np.cumsum(known)
        means = np.where(counts > 0, sums[1:] / counts, np.nan)
    return means, float(sums[-1]), int(counts[-1]) if counts.size else count
