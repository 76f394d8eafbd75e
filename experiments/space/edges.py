"""Whether the best runs stand at an end of a parameter that could go on: the edge alarm.

Pure: the search space and the completed runs in, facts out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from experiments.space.base import Expression
from experiments.space.positions import position_of
from experiments.space.widening import widen

# So many runs must have completed before their best ones say anything.
LEAST: Final = 10
_TOP_SHARE: Final = 0.1
_TOP_LEAST: Final = 3
# How far from an end a range still counts as it, on the scale that is sampled. Of random draws the
# best tenth fills about a tenth of a range even where nothing but the end matters.
NEAR: Final = 0.15
# Of the best runs, so many must stand at the same end.
_MOST: Final = 0.75
# Where draws by chance would put as many there more often than this, nothing is said.
_CHANCE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Scored:
    """A completed run with a finite value."""

    number: int
    params: Mapping[str, Any]
    value: float


@dataclass(frozen=True, slots=True)
class Edge:
    """An end of a parameter where the best runs are. `side`: -1 lower, 1 upper.

    `at` of the `top` best runs stand there, and `others_at` of the `others` completed ones.
    """

    name: str
    side: int
    bound: Any
    at: int
    top: int
    others_at: int
    others: int
    runs: tuple[int, ...]
    wider: Expression

    @property
    def is_choice(self) -> bool:
        """Whether the end is the first or last option of a choice."""
        return self.wider.name == "choice"


def find_edges(
    expressions: Mapping[str, Expression], runs: Sequence[Scored], goal: str
) -> list[Edge]:
    """Return the ends at which the best runs stand, in the order of the search space."""
    if len(runs) < LEAST:
        return []
    sign = -1 if goal == "maximize" else 1
    ranked = sorted(runs, key=lambda run: (sign * run.value, run.number))
    count = max(_TOP_LEAST, math.ceil(_TOP_SHARE * len(runs)))
    found = []
    for name, expression in expressions.items():
        edge = _edge(name, expression, ranked[:count], ranked[count:])
        if edge is not None:
            found.append(edge)
    return found


def _edge(
    name: str, expression: Expression, best: Sequence[Scored], rest: Sequence[Scored]
) -> Edge | None:
    if expression.cardinality() == 1:
        return None
    sides = [_side_of(expression, run.params.get(name)) for run in best]
    side = 1 if sides.count(1) >= sides.count(-1) else -1
    at = sides.count(side)
    if at < math.ceil(_MOST * len(best)):
        return None
    if _tail(len(best), at, _chance(expression, side)) > _CHANCE:
        return None
    wider = widen(expression, side)
    if wider is None:
        return None
    elsewhere = [_side_of(expression, run.params.get(name)) for run in rest]
    if elsewhere.count(side) == len(rest):
        return None  # all runs stand there: nothing to compare with
    first = next(run for run, at_side in zip(best, sides, strict=True) if at_side == side)
    place = position_of(expression, first.params.get(name))
    return Edge(
        name=name,
        side=side,
        bound=place.high if side > 0 else place.low,
        at=at,
        top=len(best),
        others_at=elsewhere.count(side),
        others=len(rest),
        runs=tuple(run.number for run, edge in zip(best, sides, strict=True) if edge == side),
        wider=wider,
    )


def _side_of(expression: Expression, value: Any) -> int:
    """Return at which end a value stands: -1 or 1, 0 at none."""
    position = position_of(expression, value)
    if expression.scale == "category" or position.edge or position.place is None:
        return position.edge
    return -1 if position.place <= NEAR else 1 if position.place >= 1 - NEAR else 0


def _chance(expression: Expression, side: int) -> float:
    """Return how likely a draw that knows nothing is to stand at this end."""
    count = expression.cardinality()
    if count is None:
        return NEAR
    # Few values: at least the last one, which may be more than that.
    return max(NEAR, 1 / count)


def _tail(count: int, least: int, chance: float) -> float:
    """Return how likely at least `least` of `count` independent draws are, each with `chance`."""
    return math.fsum(
        math.comb(count, k) * chance**k * (1 - chance) ** (count - k)
        for k in range(least, count + 1)
    )
