"""Curves that are known to their end, shown to a policy as they were at one moment after the other.

Answers exactly what a `CurveSet` that grows report by report would, in far less time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from experiments.curves import (
    CurveSet,
    FloatArray,
    IntArray,
    IntervalView,
    best_so_far,
    direction,
    running_mean,
)

_NOBODY: Final = -1


class KnownCurves(CurveSet):
    """Whole curves of which only a part shows: the first `counts` reports of each run.

    Best so far and running mean are worked out once for all reports. `show` lets more of them be
    seen, `stop` cuts a run where it stands. Rows stand in ascending order of the run numbers.
    """

    def __init__(self, goal: str, values: Mapping[int, Sequence[float] | FloatArray]) -> None:
        super().__init__(goal)
        curves = {n: np.asarray(values[n], np.float64) for n in sorted(values)}
        self._places: Final = {number: row for row, number in enumerate(curves)}
        self._order: Final[IntArray] = np.array(list(curves), dtype=np.int64)
        self._limits: Final[IntArray] = np.array([c.size for c in curves.values()], dtype=np.int64)
        self._counts: Final[IntArray] = np.zeros_like(self._limits)
        width = int(self._limits.max(initial=0))
        self._best: Final = _table([best_so_far(c, goal) for c in curves.values()], width)
        self._mean: Final = _table([running_mean(c) for c in curves.values()], width)
        self._judged = _NOBODY

    def show(self, rows: IntArray, judged: int | None = None) -> None:
        """Let the next report of each of `rows` be seen; a row may stand there several times.

        Run `judged` does not count as finished, even if it has just made its last report.
        """
        self._counts[:] += np.bincount(rows, minlength=self._counts.size)
        np.minimum(self._counts, self._limits, out=self._counts)
        self._judged = _NOBODY if judged is None else self._places[judged]

    def stop(self, number: int) -> None:
        """Let run `number` end with what is seen of it."""
        row = self._places[number]
        self._limits[row] = self._counts[row]

    def append(self, number: int, values: Iterable[float]) -> None:
        """Refuse: all reports are known from the start.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"run {number} cannot get reports: its curve is known as a whole.")

    @property
    def numbers(self) -> list[int]:
        """The numbers of the runs of which something is seen, ascending."""
        seen: list[int] = self._order[self._counts > 0].tolist()
        return seen

    def count(self, number: int) -> int:
        """Return how many reports are seen of run `number`; 0 for an unknown run."""
        row = self._places.get(number)
        return 0 if row is None else int(self._counts[row])

    def is_finished(self, number: int) -> bool:
        """Tell whether run `number` has made its last report, or was stopped."""
        row = self._places.get(number)
        return row is not None and bool(self._finished_rows(np.array([row]))[0])

    def best_of(self, number: int, interval: int) -> float:
        """Return the best of the first `interval` reports of a run; NaN when it has no value."""
        count = self.count(number)
        if not count:
            return float("nan")
        return float(self._best[self._places[number], min(count, interval) - 1])

    def best_at(self, interval: int) -> IntervalView:
        """Return the best value of each run within its first `interval` reports."""
        return self._look(self._best, interval)

    def mean_at(self, interval: int) -> IntervalView:
        """Return the mean of each run's first `interval` reports."""
        return self._look(self._mean, interval)

    def best_curve(self, number: int) -> FloatArray:
        """Return a copy of the best-so-far of run `number`, as far as it is seen: `(n,)`."""
        return self._best[self._places[number], : self.count(number)].copy()

    def mean_curve(self, number: int) -> FloatArray:
        """Return a copy of the running mean of run `number`, as far as it is seen: `(n,)`."""
        return self._mean[self._places[number], : self.count(number)].copy()

    def longest(self) -> int:
        """Return the largest number of reports that are seen of a run; 0 when there is none."""
        return int(self._counts.max(initial=0))

    def leaders(self) -> FloatArray:
        """Return the best value of all runs within their first 1, 2, ... seen reports."""
        width = self.longest()
        is_seen = np.arange(width) < self._counts[:, None]
        seen = np.where(is_seen, self._best[:, :width], np.nan)
        better = np.fmax if direction(self.goal) > 0 else np.fmin
        found: FloatArray = better.accumulate(better.reduce(seen, axis=0, initial=np.nan))
        return found

    def _look(self, table: FloatArray, interval: int) -> IntervalView:
        if interval < 1:
            raise ValueError(f"interval is {interval}; the first report is interval 1.")
        rows = np.flatnonzero(self._counts)
        counts = self._counts[rows]
        return IntervalView(
            numbers=self._order[rows],
            values=table[rows, np.minimum(counts, interval) - 1],
            reached=counts >= interval,
            finished=self._finished_rows(rows),
        )

    def _finished_rows(self, rows: IntArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
        ended: np.ndarray[Any, np.dtype[np.bool_]] = self._counts[rows] >= self._limits[rows]
        ended &= rows != self._judged
        return ended


def _table(curves: Sequence[FloatArray], width: int) -> FloatArray:
    table = np.full((len(curves), width), np.nan)
    for row, curve in enumerate(curves):
        table[row, : curve.size] = curve
    return table
