"""A search space that goes on beyond one of its ends, on the scale that it is sampled on.

Pure. Ends that are natural stay: nothing lies beyond 0 of an amount, beyond 1 of a fraction, below
the 0 of whole numbers, or beyond options that follow no order.
"""

from __future__ import annotations

import math
from typing import Any, Final

from experiments.problems import ProblemsError
from experiments.space.base import Expression
from experiments.space.exponents import MAX_EXPONENT
from experiments.space.literals import MAX_NUMBER, is_number
from experiments.space.parsing import parse_expression
from experiments.space.positions import ranked_options
from experiments.space.quantised import multiple, nearest_multiple

# A range grows by this share of its width, one on a log scale by a decade at most.
_SHARE: Final = 0.5
_DECADE: Final = math.log(10)
_RANGES: Final = frozenset({"uniform", "quniform"})
_LOG_RANGES: Final = frozenset({"loguniform", "qloguniform"})
# What is kept of the distance to a natural end.
_CLOSER: Final = 0.1
_DIGITS: Final = 3
# Options at least so many times apart go on by their ratio: 32, 64, and not 2, 3.
_FACTOR: Final = 2


def widen(expression: Expression, side: int) -> Expression | None:
    """Return the expression with more beyond its lower (-1) or upper (1) end.

    None where that end is natural or nothing can follow.

    >>> from experiments.space.continuous import Uniform
    >>> widen(Uniform(2, 8), 1).to_text(), widen(Uniform(0, 1), 1)
    ('uniform(2, 11)', None)
    """
    if expression.cardinality() == 1:
        return None
    if expression.name == "choice":
        changed = _more_options(expression, side)
    elif expression.name == "randint":
        changed = _more_numbers(expression, side)
    elif expression.name in _LOG_RANGES:
        changed = _more_decades(expression, side)
    elif expression.name in _RANGES:
        changed = _more_width(expression, side)
    else:
        changed = None  # normal distributions have no ends
    if changed is None:
        return None
    try:
        found = parse_expression({"type": expression.name, **expression.arguments(), **changed}, "")
    except ProblemsError:
        return None
    return None if found.to_text() == expression.to_text() else found


def _more_width(expression: Expression, side: int) -> dict[str, Any] | None:
    arguments = expression.arguments()
    low, high = float(arguments["min_value"]), float(arguments["max_value"])
    grown = (high - low) * _SHARE
    bound = low if side < 0 else high
    moved = bound + side * grown
    natural = _natural_end(low, high, side)
    if natural is not None:
        if bound == natural:
            return None
        # Towards the natural end, and never onto it: momentum 0.99 becomes 0.999 at most.
        nearest = natural + (bound - natural) * _CLOSER
        moved = max(moved, nearest) if side < 0 else min(moved, nearest)
    moved = _rounded(moved, abs(moved - bound))
    if (step := arguments.get("q")) is not None:
        places = nearest_multiple(moved, step)
        moved = float(multiple(places, step))
        if abs(moved - bound) < step / 2 or moved == natural:
            return None
    if abs(moved) > MAX_NUMBER:
        return None
    return {"min_value" if side < 0 else "max_value": _plain(moved)}


def _natural_end(low: float, high: float, side: int) -> float | None:
    """Return where a range on this side must end; None: nowhere."""
    if side < 0:
        return 0.0 if low >= 0 else None
    if low >= 0 and high <= 1:
        return 1.0
    return 0.0 if high <= 0 else None


def _more_decades(expression: Expression, side: int) -> dict[str, Any] | None:
    """Move a bound, which is a logarithm, by a factor of ten, or by the whole range if less."""
    arguments = expression.arguments()
    low, high = float(arguments["min_value"]), float(arguments["max_value"])
    grown = min(_DECADE, high - low)
    if side < 0:
        moved = round(low - grown, 4)
        # Below the first step of a quantised form there is only 0.
        if moved < -MAX_EXPONENT or (arguments.get("q") and math.exp(low) <= arguments["q"]):
            return None
        return {"min_value": _plain(moved)}
    moved = round(high + grown, 4)
    return None if moved > MAX_EXPONENT else {"max_value": _plain(moved)}


def _more_numbers(expression: Expression, side: int) -> dict[str, Any] | None:
    if side < 0:
        return None
    upper = int(expression.arguments()["upper"])
    return {"upper": upper + max(1, round(upper * _SHARE))}


def _more_options(expression: Expression, side: int) -> dict[str, Any] | None:
    """Add the number that goes on the order of the options, as a ratio or as a step."""
    options = ranked_options(expression)
    if len(options) < 3 or not all(is_number(option) for option in options):
        return None
    near = options if side < 0 else options[::-1]
    following = _following(near)
    if _natural_end(float(options[0]), float(options[-1]), side) in (near[0], following):
        return None
    if _is_across(following, options, side) or abs(following) > MAX_NUMBER:
        return None
    are_whole = all(isinstance(option, int) for option in options)
    if are_whole and not float(following).is_integer():
        return None
    value = int(following) if are_whole else float(f"{following:.6g}")
    if value in options:
        return None
    given = expression.arguments()["values"]
    is_reversed = len(given) > 1 and is_number(given[0]) and given[0] > given[-1]
    return {"values": [*given, value] if (side > 0) != is_reversed else [value, *given]}


def _following(near: list[Any]) -> float:
    """Return what comes after the options from the end inwards: by their ratio, or their step."""
    end, inner, third = (float(option) for option in near[:3])
    is_even = math.isclose(end - inner, inner - third, rel_tol=1e-6)
    smaller, larger = sorted((abs(end), abs(inner)))
    is_ratio = end * inner > 0 and larger >= _FACTOR * smaller and not is_even
    return end * (end / inner) if is_ratio else end + (end - inner)


def _is_across(following: float, options: list[Any], side: int) -> bool:
    """Tell whether a number leaves what the options have in common: a sign, being fractions."""
    if options[0] > 0 and following <= 0:
        return True
    if options[-1] < 0 and following >= 0:
        return True
    return side > 0 and options[0] >= 0 and options[-1] <= 1 < following


def _rounded(number: float, width: float) -> float:
    """Round to some digits of the width that was added, which is what tells it from the bound."""
    if width <= 0:
        return number
    return round(number, _DIGITS - math.floor(math.log10(width)) - 1)


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) and abs(number) < 2**53 else number
