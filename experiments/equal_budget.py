"""All runs of a sweep at one budget: the same number of reports, or of seconds since their start.

Says who leads at a budget, how far that is from the end, and which delay of a policy would have
kept the best of the end. Pure: curves in, numbers out. Rules: docs/reference/equal-budget.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from experiments.curves import BoolArray, FloatArray, IntArray, best_so_far, direction
from experiments.ranks import ranks_of

LEAST_COMPLETED: Final = 6
SHOWN_POINTS: Final = 200
# Cells of the table of runs by budgets; beyond it budgets are looked at in steps.
_MOST_CELLS: Final = 4_000_000
_SECONDS_POINTS: Final = 400


@dataclass(frozen=True, slots=True)
class Spent:
    """The reports of one run: `at` says what each had cost, in reports or seconds, ascending.

    `is_done`: it completed, so its best value stands at every larger budget as well. `is_live`: it
    may still get there.
    """

    number: int
    at: FloatArray
    values: FloatArray
    is_done: bool
    is_live: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """One run at a budget: its rank and value there, and at the end (None: it did not complete)."""

    number: int
    rank: int
    value: float
    final_rank: int | None
    final_value: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Everybody at one budget: `placed` best first; `ended` and `behind` have not got there."""

    budget: float
    placed: list[Placed]
    ended: int
    behind: int
    valueless: int


@dataclass(frozen=True, slots=True)
class FinalRun:
    """A run of the final top: its place at the end and at a budget (None: no value there)."""

    number: int
    rank: int
    value: float
    rank_then: int | None
    compared: int


@dataclass(frozen=True, slots=True)
class Advice:
    """The smallest delay that would have kept the final top; `delay` None: there is none to give.

    `last_danger` is the last budget at which one of them was in the worse half, `endangered` which
    run that was, with its rank among so many.
    """

    delay: float | None
    top: list[int]
    completed: int
    last_danger: float | None = None
    endangered: int | None = None
    rank: int | None = None
    compared: int | None = None
    # Budgets were looked at in steps of so many; 1 is every one.
    step: float = 1


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the ranking at each budget fits the final one: arrays `(g,)`.

    `correlation` is Spearman's, over runs that completed; `kept` how many of the final top are in
    the top of as many at that budget.
    """

    budgets: FloatArray
    correlation: FloatArray
    kept: IntArray


class EqualBudget:
    """All runs of a sweep over a ladder of budgets; ties go to the earlier run."""

    def __init__(self, goal: str, runs: Iterable[Spent], *, is_seconds: bool) -> None:
        self.sign: Final = direction(goal)
        self.is_seconds: Final = is_seconds
        # Only where something became better is kept: all reports are many times as much.
        known = sorted(_steps_of(run, goal) for run in runs if run.values.size)
        self.numbers: IntArray = np.array([steps.number for steps in known], np.int64)
        self._done: BoolArray = np.array([steps.is_done for steps in known], bool)
        self._live: BoolArray = np.array([steps.is_live for steps in known], bool)
        self._steps = [(steps.at, steps.best) for steps in known]
        self._last = np.array([steps.last for steps in known], np.float64)
        self.largest: Final = float(self._last.max()) if known else 0.0
        final = np.array([best[-1] if best.size else np.nan for _, best in self._steps])
        self.final: FloatArray = np.where(self._done, final, np.nan)
        self.ladder: FloatArray = self._ladder()

    @property
    def completed(self) -> int:
        """Return how many runs have a final value."""
        return int(np.isfinite(self.final).sum())

    def top(self, count: int) -> list[int]:
        """Return the numbers of the best completed runs, the best first."""
        return [int(self.numbers[row]) for row in self._order(self.final)[:count]]

    def at(self, budget: float) -> Standing:
        """Return everybody at one budget, which need not be on the ladder."""
        values, there = self._column(budget)
        finals = {int(self.numbers[row]): r for r, row in enumerate(self._order(self.final), 1)}
        placed = []
        for rank, row in enumerate(self._order(values), 1):
            number = int(self.numbers[row])
            final = float(self.final[row]) if number in finals else None
            placed.append(Placed(number, rank, float(values[row]), finals.get(number), final))
        away = ~there
        return Standing(
            budget=budget,
            placed=placed,
            ended=int((away & ~self._live).sum()),
            behind=int((away & self._live).sum()),
            valueless=int((there & ~np.isfinite(values)).sum()),
        )

    def final_top(self, count: int, standing: Standing) -> list[FinalRun]:
        """Return the final top with where each of them stood at a budget."""
        then = {run.number: run.rank for run in standing.placed}
        rows = self._order(self.final)[:count]
        return [
            FinalRun(
                int(self.numbers[row]),
                rank,
                float(self.final[row]),
                then.get(int(self.numbers[row])),
                len(standing.placed),
            )
            for rank, row in enumerate(rows, 1)
        ]

    def foretold(self, count: int) -> tuple[Agreement, Advice]:
        """Return what the whole ladder says about the end."""
        table = self._table()
        return self._agreement(table, count), self._advice(table, count)

    def _agreement(self, table: FloatArray, count: int) -> Agreement:
        """Return how well each budget foretells the end, at no more than `SHOWN_POINTS` budgets."""
        shown = np.unique(np.linspace(0, self.ladder.size - 1, SHOWN_POINTS).astype(int))
        if not self.ladder.size:
            return Agreement(np.empty(0), np.empty(0), np.empty(0, np.int64))
        values = table[:, shown]
        return Agreement(
            budgets=self.ladder[shown],
            correlation=self._correlations(values),
            kept=self._kept(values, count),
        )

    def _advice(self, table: FloatArray, count: int) -> Advice:
        """Return the delay from which on the worse half never held one of the final top.

        At each budget the runs that got there are ranked by their best until then; a run is in the
        worse half if it is among the last floor(N / 2) of N. One without a value yet is not.
        """
        top = self._order(self.final)[:count]
        numbers = [int(self.numbers[row]) for row in top]
        if self.completed < max(LEAST_COMPLETED, 2 * count):
            return Advice(None, numbers, self.completed)
        present = np.isfinite(table).sum(axis=0)
        last, who, rank = -1, None, None
        for row in top:
            ranks = self._ranks_of(table, int(row))
            danger = np.flatnonzero(ranks > present - present // 2)
            if danger.size and danger[-1] > last:
                last, who, rank = int(danger[-1]), int(self.numbers[row]), int(ranks[danger[-1]])
        step = float(self.ladder[1] - self.ladder[0]) if self.ladder.size > 1 else 1.0
        if last < 0:
            return Advice(0.0, numbers, self.completed, step=step)
        after = float(self.ladder[last + 1]) if last + 1 < self.ladder.size else None
        return Advice(
            after,
            numbers,
            self.completed,
            float(self.ladder[last]),
            who,
            rank,
            int(present[last]),
            step,
        )

    def _ladder(self) -> FloatArray:
        if not self._steps:
            return np.empty(0)
        if self.is_seconds:
            return np.linspace(self.largest / _SECONDS_POINTS, self.largest, _SECONDS_POINTS)
        step = max(1, -(-len(self._steps) * int(self.largest) // _MOST_CELLS))
        return np.arange(step, self.largest + 1, step, dtype=np.float64)

    def _table(self) -> FloatArray:
        """Return the best value of each run at each budget; NaN: none, or it did not get there."""
        table = np.full((len(self._steps), self.ladder.size), np.nan)
        for row, (at, best) in enumerate(self._steps):
            places = np.searchsorted(at, self.ladder, side="right") - 1
            upto = (
                self.ladder.size
                if self._done[row]
                else np.searchsorted(self.ladder, self._last[row], "right")
            )
            known = places[:upto] >= 0
            table[row, :upto][known] = best[places[:upto][known]]
        return table

    def _column(self, budget: float) -> tuple[FloatArray, BoolArray]:
        values = np.full(len(self._steps), np.nan)
        for row, (at, best) in enumerate(self._steps):
            place = int(np.searchsorted(at, budget, side="right")) - 1
            if place >= 0 and (self._done[row] or budget <= self._last[row]):
                values[row] = best[place]
        return values, self._done | (self._last >= budget)

    def _order(self, values: FloatArray) -> NDArray[np.intp]:
        """Return the rows with a value, best first; of equals the earlier run first."""
        known = np.flatnonzero(np.isfinite(values))
        return known[np.argsort(-self.sign * values[known], kind="stable")]

    def _ranks_of(self, table: FloatArray, row: int) -> IntArray:
        """Return the rank of a run at each budget: 1 where nobody is better, or it has no value."""
        own = table[row]
        better: IntArray = (table > own if self.sign > 0 else table < own).sum(axis=0)
        return better + 1

    def _correlations(self, values: FloatArray) -> FloatArray:
        rows = np.isfinite(self.final)
        found = np.full(values.shape[1], np.nan)
        for column in range(values.shape[1]):
            both = rows & np.isfinite(values[:, column])
            if both.sum() >= LEAST_COMPLETED:
                found[column] = _spearman(values[both, column], self.final[both])
        return found

    def _kept(self, values: FloatArray, count: int) -> IntArray:
        top = set(self._order(self.final)[:count].tolist())
        orders = [self._order(values[:, column])[:count] for column in range(values.shape[1])]
        return np.array([len(top & set(order.tolist())) for order in orders], np.int64)


@dataclass(frozen=True, slots=True, order=True)
class _Steps:
    """A run as its `k` improvements; `last` is where its reports end."""

    number: int
    is_done: bool = field(compare=False)
    is_live: bool = field(compare=False)
    last: float = field(compare=False)
    at: FloatArray = field(compare=False)  # (k,)
    best: FloatArray = field(compare=False)  # (k,)


def _steps_of(run: Spent, goal: str) -> _Steps:
    best = best_so_far(run.values, goal)
    known = np.flatnonzero(np.isfinite(best))
    came = known[np.append(True, np.diff(best[known]) != 0)] if known.size else known
    last = float(run.at[-1])
    return _Steps(run.number, run.is_done, run.is_live, last, run.at[came], best[came])


def _spearman(one: FloatArray, other: FloatArray) -> float:
    a, b = ranks_of(one), ranks_of(other)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def seconds_since(times: Sequence[float] | FloatArray, start: float | None) -> FloatArray:
    """Return what each report had cost in seconds; without a start the first report is at 0."""
    forward = np.maximum.accumulate(np.asarray(times, dtype=np.float64))
    begin = forward[0] if start is None else start
    return np.maximum(0.0, forward - begin)
