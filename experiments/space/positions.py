"""Where a value stands in its range, in numbers and in words; how far configurations are apart.

Pure. Places are on the scale that is sampled: logarithmic for the log family, by rank for choices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from experiments.space.base import Expression
from experiments.space.literals import is_number
from experiments.space.space import SearchSpace

# Closer to the end of its range than this, a value hints that the range is too narrow.
NEAR: Final = 0.05
_AT: Final = 0.005
_UNBOUNDED: Final = frozenset({"normal", "qnormal", "lognormal", "qlognormal"})


@dataclass(frozen=True, slots=True)
class Position:
    """Where a value stands. `place`: 0 at `low`, 1 at `high`; None where there is no scale.

    `edge` is -1 or 1 where the value is at or near a bound that could be moved, else 0.
    """

    place: float | None
    low: Any
    high: Any
    words: str
    edge: int = 0


def position_of(expression: Expression, value: Any) -> Position:
    """Return where `value` stands among what the expression draws.

    >>> from experiments.space.continuous import LogUniform
    >>> position_of(LogUniform(-6, -1), 0.0025).words
    'at the lower bound'
    """
    if expression.scale == "category":
        return _among_options(expression, value)
    if not is_number(value):
        return Position(None, None, None, "outside the search space")
    bounds = expression.bounds() or (0.0, 0.0)
    low, high = (_as_drawn(expression, bound) for bound in bounds)
    if expression.cardinality() == 1:
        return Position(0.5, low, high, "the only value")
    if expression.name in _UNBOUNDED:
        place = _on_axis(expression, float(value), bounds)
        return Position(place, low, high, _around(place))
    if not expression.contains(value):
        side = -1 if value < bounds[0] else 1 if value > bounds[1] else 0
        nearest = {-1: 0.0, 0: None, 1: 1.0}[side]
        return Position(nearest, low, high, "outside the search space", side)
    start, at, end = (_coordinate(expression, x) for x in (bounds[0], value, bounds[1]))
    place = min(1.0, max(0.0, (at - start) / (end - start)))
    edge = -1 if place <= NEAR else 1 if place >= 1 - NEAR else 0
    if expression.name == "randint":
        edge = max(0, edge)  # its lower bound is always 0
    return Position(place, low, high, _within(place), edge)


def distance(space: SearchSpace, one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return how far two configurations are apart: 0 the same, 1 opposite corners.

    Root mean square over the parameters of the difference in the unit interval; options that are
    all numbers are apart by their rank, others are the same or not.
    """
    parts = [_apart(e, one.get(n), other.get(n)) ** 2 for n, e in space.expressions.items()]
    return math.sqrt(sum(parts) / len(parts))


def ranked_options(expression: Expression) -> list[Any]:
    """Return the options of a choice: sorted where all are numbers, else as declared."""
    options = expression.values()
    return sorted(options) if _is_ordinal(options) else options


def _among_options(expression: Expression, value: Any) -> Position:
    options = ranked_options(expression)
    count, rank = len(options), _rank(options, value)
    if rank is None:
        return Position(None, options[0], options[-1], "outside the search space")
    if count == 1:
        return Position(0.5, value, value, "the only value")
    place = rank / (count - 1)
    if not _is_ordinal(options):
        return Position(place, options[0], options[-1], f"option {rank + 1} of {count}")
    ends = {0: "the smallest", count - 1: "the largest"}
    words = f"{ends[rank]} of {count}" if rank in ends else f"number {rank + 1} of {count}"
    # Of two options one is always at an end, which says nothing.
    edge = {0: -1, count - 1: 1}.get(rank, 0) if count > 2 else 0
    return Position(place, options[0], options[-1], words, edge)


def _within(place: float) -> str:
    side = "lower" if place < 0.5 else "upper"
    inward = min(place, 1 - place)
    if inward <= _AT:
        return f"at the {side} bound"
    if inward <= NEAR:
        return f"near the {side} bound"
    return "in the middle" if inward > 1 / 3 else f"in the {side} third"


def _around(place: float) -> str:
    """Say how many spreads a value is away from the mean; the axis shows three on each side."""
    spreads = 6 * place - 3
    if abs(spreads) < 0.5:
        return "near the mean"
    side = "below" if spreads < 0 else "above"
    if place in (0.0, 1.0):
        return f"3 or more spreads {side} the mean"
    return f"{abs(spreads):.1f} spreads {side} the mean"


def _on_axis(expression: Expression, value: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    if expression.scale == "log":
        # Rounding may put the lower end of a quantised form at 0.
        if value <= 0 or low <= 0:
            return expression.to_unit(value)
        low, high, value = math.log(low), math.log(high), math.log(value)
    if high <= low:
        return 0.5
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _coordinate(expression: Expression, value: float) -> float:
    # A quantised form may draw 0, which has no logarithm; its quantile says where it belongs.
    return expression.to_unit(value) if expression.scale == "log" else float(value)


def _as_drawn(expression: Expression, bound: float) -> Any:
    """Return a bound as a run would be given it: 16, not 16.0, of whole numbers."""
    place = expression.index_of(bound)
    return bound if place is None else expression.value_at(place)


def _apart(expression: Expression, one: Any, other: Any) -> float:
    if expression.key(one) == expression.key(other):
        return 0.0
    if expression.scale == "category":
        options = ranked_options(expression)
        ranks = _rank(options, one), _rank(options, other)
        if not _is_ordinal(options) or ranks[0] is None or ranks[1] is None:
            return 1.0
        return abs(ranks[0] - ranks[1]) / (len(options) - 1)
    if not is_number(one) or not is_number(other):
        return 1.0
    return abs(expression.to_unit(one) - expression.to_unit(other))


def _rank(options: Sequence[Any], value: Any) -> int | None:
    """Return the place of a value; storage may give back 16 for 16.0."""
    exact = (i for i, o in enumerate(options) if type(o) is type(value) and o == value)
    alike = (i for i, o in enumerate(options) if is_number(o) and is_number(value) and o == value)
    return next(exact, next(alike, None))


def _is_ordinal(options: Sequence[Any]) -> bool:
    return len(options) > 1 and all(is_number(option) for option in options)
