"""Would other policies have stopped a run? It is judged alone, among others as they really went.

At each report of the run the same rules see what everybody had reported by that time. A replay of a
whole sweep (`replay.py`) would stop others as well and change what the run is compared with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.curves import (
    BoolArray,
    CurveSet,
    FloatArray,
    IntArray,
    IntervalView,
    best_so_far,
    running_mean,
)
from experiments.policies.base import Decision, Policy, Snapshot


@dataclass(frozen=True, slots=True)
class PastRun:
    """The reports of one run with their times; `ended` is when it ended, None while it runs.

    Runs of earlier sweeps have numbers below 0 and stand there whole: `times` None.
    """

    number: int
    values: FloatArray
    times: FloatArray | None
    ended: float | None = None


class CurvesThen(CurveSet):
    """What all runs had reported when one of them made each of its reports."""

    def __init__(self, goal: str, number: int, runs: Iterable[PastRun]) -> None:
        super().__init__(goal)
        self._number = number
        ordered = sorted((r for r in runs if r.values.size), key=lambda run: run.number)
        own = next(run for run in ordered if run.number == number)
        self._reports = int(own.values.size)
        times = np.zeros(self._reports) if own.times is None else own.times
        moments = np.maximum.accumulate(times)
        self._all_numbers: IntArray = np.array([run.number for run in ordered], np.int64)
        counts = np.stack([_counts(run, number, moments) for run in ordered])  # (runs, reports)
        place = np.arange(1, self._reports + 1)
        self._known = counts > 0
        self._reached = counts >= place
        at = np.clip(np.minimum(counts, place) - 1, 0, None)
        self._best = _rows([best_so_far(run.values, goal) for run in ordered], at)
        self._mean = _rows([running_mean(run.values) for run in ordered], at)
        ends = np.array([np.inf if run.ended is None else run.ended for run in ordered])
        ends[self._all_numbers == number] = np.inf
        self._ended: BoolArray = ends[:, None] <= moments[None, :]

    def best_at(self, interval: int) -> IntervalView:
        """Return the best values at the time of the run's report `interval`."""
        return self._then(self._best, interval)

    def mean_at(self, interval: int) -> IntervalView:
        """Return the running means at the time of the run's report `interval`."""
        return self._then(self._mean, interval)

    def best_of(self, number: int, interval: int) -> float:
        """Return the best of the first `interval` reports of the judged run."""
        row = int(np.flatnonzero(self._all_numbers == number)[0])
        return float(self._best[row, interval - 1])

    def count(self, number: int) -> int:
        """Return how many reports the judged run has; others are not asked for."""
        return self._reports if number == self._number else 0

    def is_finished(self, number: int) -> bool:
        """Tell whether a run has ended: the judged one has not."""
        return False

    def _then(self, values: NDArray[Any], interval: int) -> IntervalView:
        column = interval - 1
        known = self._known[:, column]
        return IntervalView(
            numbers=self._all_numbers[known],
            values=values[known, column],
            reached=self._reached[known, column],
            finished=self._ended[known, column],
        )


def judged_alone(
    policy: Policy, curves: CurvesThen, number: int, reports: int, names: Mapping[int, str]
) -> Decision | None:
    """Return the decision that would have stopped the run first; None if there is none."""
    for interval in range(1, reports + 1):
        if not policy.is_due(interval):
            continue
        decision = policy.decide(Snapshot(curves, number, interval, names))
        if decision.stop:
            return decision
    return None


def _counts(run: PastRun, number: int, moments: FloatArray) -> IntArray:
    """Return how many reports a run had made at each moment; ties go by the run numbers."""
    if run.number == number:
        return np.arange(1, moments.size + 1)
    if run.times is None:
        return np.full(moments.size, run.values.size)
    side: Literal["left", "right"] = "right" if run.number < number else "left"
    times = np.maximum.accumulate(run.times)
    found: IntArray = np.searchsorted(times, moments, side=side)
    return found


def _rows(curves: Sequence[FloatArray], at: IntArray) -> FloatArray:
    return np.stack([curve[places] for curve, places in zip(curves, at, strict=True)])
