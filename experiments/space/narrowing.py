"""A smaller search space around one configuration, for a second sweep.

Pure. Every parameter keeps its expression; ranges become half as wide around the value and stay
within the old bounds, except where the value is at or near a bound: there the range goes on beyond.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from experiments.problems import ProblemsError
from experiments.space.base import Expression
from experiments.space.exponents import MAX_EXPONENT
from experiments.space.literals import MAX_NUMBER, is_number
from experiments.space.parsing import parse_expression
from experiments.space.positions import position_of
from experiments.space.quantised import multiple, nearest_multiple
from experiments.space.space import SearchSpace

# Of the width of a range, what is left of it.
SHARE: Final = 0.5
_DIGITS: Final = 3
_RANGES: Final = frozenset({"uniform", "quniform", "loguniform", "qloguniform"})


def narrow_space(space: SearchSpace, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the mapping of a search space around `params`, in declared order."""
    return {
        name: narrow(expression, params.get(name)).to_mapping()
        for name, expression in space.expressions.items()
    }


def narrow(expression: Expression, value: Any) -> Expression:
    """Return the expression of the same kind around `value`; itself where that cannot be.

    >>> from experiments.space.continuous import Uniform
    >>> narrow(Uniform(0, 8), 5).to_text(), narrow(Uniform(2, 8), 8).to_text()
    ('uniform(3, 7)', 'uniform(6.5, 9.5)')
    """
    if expression.scale == "category":
        return _with_option(expression, value)
    if not is_number(value) or expression.cardinality() == 1:
        return expression
    arguments = expression.arguments()
    if expression.name == "randint":
        changed = _upper(arguments["upper"], value)
    elif expression.name in _RANGES:
        changed = _range(expression, value)
    else:
        changed = _spread(expression, value)
    try:
        found = parse_expression({"type": expression.name, **arguments, **changed}, "around")
    except ProblemsError:
        return expression
    # A step as coarse as the range leaves nothing to search.
    return expression if found.cardinality() == 1 else found


def _with_option(expression: Expression, value: Any) -> Expression:
    if expression.contains(value):
        return expression
    options = [*expression.arguments()["values"], value]
    try:
        return parse_expression({"type": "choice", "values": options}, "around")
    except ProblemsError:
        return expression


def _upper(upper: int, value: float) -> dict[str, Any]:
    """Whole numbers from 0 have one bound that can move."""
    half = max(1, math.ceil(upper * SHARE / 2))
    reach = int(value) + half + 1
    is_at_top = position_of(_parsed({"type": "randint", "upper": upper}), value).edge > 0
    return {"upper": reach if is_at_top else min(upper, reach)}


def _spread(expression: Expression, value: float) -> dict[str, Any]:
    """Around a mean: the value is the new mean, half the old spread the new one."""
    is_log = expression.scale == "log"
    arguments = expression.arguments()
    sigma = arguments["sigma"] * SHARE
    if is_log and value <= 0:
        return {}
    mu = math.log(value) if is_log else float(value)
    return {"mu": _plain(_rounded(mu, sigma)), "sigma": _plain(float(f"{sigma:.4g}"))}


def _range(expression: Expression, value: float) -> dict[str, Any]:
    arguments = expression.arguments()
    low, high = float(arguments["min_value"]), float(arguments["max_value"])
    is_log, edge = expression.scale == "log", position_of(expression, value).edge
    centre = _centre(expression, value)
    half = (high - low) * SHARE / 2
    step = arguments.get("q")
    if step is not None and not is_log:
        # At least the neighbours of the value, or there is nothing to search.
        half = max(half, float(step))
    new_low, new_high = centre - half, centre + half
    if edge >= 0 and new_low < low:
        new_low = low
    if edge <= 0 and new_high > high:
        new_high = high
    if not is_log:
        new_low, new_high = _kept_natural((low, high), (new_low, new_high), centre)
    pair = _bounds(new_low, new_high, low=low, high=high, edge=edge)
    if step is not None and not is_log:
        pair = _on_grid(pair, step)
    limit = MAX_EXPONENT if is_log else MAX_NUMBER
    new_low, new_high = (min(max(bound, -limit), limit) for bound in pair)
    return {"min_value": _plain(new_low), "max_value": _plain(new_high)}


def _centre(expression: Expression, value: float) -> float:
    """Return the value in the units of the bounds, which are logarithms in the log family."""
    if expression.scale != "log":
        return float(value)
    # Rounding gives 0 below half a step.
    return math.log(value if value > 0 else expression.arguments().get("q", 1) / 2)


def _kept_natural(
    old: tuple[float, float], new: tuple[float, float], centre: float
) -> tuple[float, float]:
    """Keep signs, and keep fractions fractions: 0 and 1 are rarely bounds by accident.

    A value that is beyond them already shows that they are none.
    """
    (low, high), (new_low, new_high) = old, new
    if low >= 0 <= centre:
        new_low = max(new_low, 0.0)
    if high <= 0 >= centre:
        new_high = min(new_high, 0.0)
    if low >= 0 and high <= 1 and centre <= 1:
        new_high = min(new_high, 1.0)
    return new_low, new_high


def _bounds(
    new_low: float, new_high: float, *, low: float, high: float, edge: int
) -> tuple[float, float]:
    """Round bounds to what a person would write, never beyond old bounds that hold."""
    width = new_high - new_low
    low_text, high_text = _rounded(new_low, width), _rounded(new_high, width)
    if edge >= 0:
        low_text = max(low_text, low)
    if edge <= 0:
        high_text = min(high_text, high)
    return (low_text, high_text) if low_text < high_text else (low, high)


def _on_grid(pair: tuple[float, float], step: float) -> tuple[float, float]:
    """Put bounds on multiples of the step: the ends of quniform are drawn half as often."""
    low, high = (float(multiple(nearest_multiple(bound, step), step)) for bound in pair)
    return (low, high) if low < high else pair


def _rounded(number: float, width: float) -> float:
    """Round to some digits of the width of its range, which is what tells values apart."""
    if width <= 0:
        return number
    return round(number, _DIGITS - math.floor(math.log10(width)) - 1)


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) and abs(number) < 2**53 else number


def _parsed(mapping: Mapping[str, Any]) -> Expression:
    return parse_expression(mapping, "around")
