"""The winner of a sweep beside its other runs: median, second best, nearest configurations.

Pure. A gain is how much better the winner is by the goal, so it is never below 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.space.positions import distance
from experiments.space.space import SearchSpace


@dataclass(frozen=True, slots=True)
class Result:
    """One run with a value of the primary metric."""

    number: int
    run_id: str
    value: float
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """A result beside the winner; `distance` from 0 to 1 where it was asked for."""

    result: Result
    gain: float
    distance: float = 0.0


def rank_results(results: Iterable[Result], goal: str) -> list[Result]:
    """Return results from best to worst; of equal ones the earlier run first."""
    sign = -1 if goal == "maximize" else 1
    return sorted(results, key=lambda result: (sign * result.value, result.number))


def median_of(ranked: Sequence[Result]) -> Result | None:
    """Return the result in the middle, the worse of two; None of fewer than three.

    >>> runs = [Result(n, "", v, {}) for n, v in enumerate([0.9, 0.7, 0.5, 0.1])]
    >>> median_of(runs).value, median_of(runs[:2])
    (0.5, None)
    """
    return ranked[len(ranked) // 2] if len(ranked) > 2 else None


def compare(winner: Result, other: Result, goal: str, *, apart: float = 0.0) -> Compared:
    """Return another result with how much the winner is better."""
    gain = winner.value - other.value if goal == "maximize" else other.value - winner.value
    return Compared(other, gain, apart)


def nearest_results(
    space: SearchSpace,
    params: Mapping[str, Any],
    results: Iterable[Result],
    *,
    limit: int,
) -> list[tuple[Result, float]]:
    """Return the results whose configurations are nearest to `params`, with their distances.

    Distances count the parameters that `params` has; of equal ones the earlier run comes first.
    """
    known = {name: e for name, e in space.expressions.items() if name in params}
    if not known:
        return []
    part = SearchSpace(known)
    found = [(result, distance(part, params, result.params)) for result in results]
    return sorted(found, key=lambda pair: (pair[1], pair[0].number))[:limit]


def judge_optimum(winner: Result, ranked: Sequence[Result], near: Sequence[Compared]) -> str:
    """Say whether the winner is a lone peak: near runs against the spread of the better half.

    "" where there are too few runs to say anything.
    """
    middle = median_of(ranked)
    if middle is None or len(near) < 3 or middle.value == winner.value:
        return ""
    spread = abs(winner.value - middle.value)
    mean_gain = sum(one.gain for one in near) / len(near)
    if mean_gain <= spread / 2:
        return "a broad optimum"
    return "a narrow optimum: repeat the best run with other seeds before relying on it"
