"""A search space of which people want to keep a region only.

Pure. What would leave nothing to search, or keeps everything, is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from experiments.problems import ProblemsError
from experiments.space.base import Expression
from experiments.space.exponents import MAX_EXPONENT
from experiments.space.parsing import parse_expression
from experiments.space.quantised import multiple

# Where a distribution has no ends, what is kept of it is drawn evenly.
_BOUNDED: Final = {
    "normal": "uniform",
    "qnormal": "quniform",
    "lognormal": "loguniform",
    "qlognormal": "qloguniform",
}
_MOST_NUMBERS: Final = 100
_TOLERANCE: Final = 1e-6
_LEAST: Final = math.exp(-MAX_EXPONENT)


def keep_options(expression: Expression, values: Sequence[Any]) -> Expression | None:
    """Return a choice of these options alone, in its own order.

    >>> from experiments.space.discrete import Choice
    >>> keep_options(Choice((16, 32, 64)), [64, 16]).to_text()
    'choice(16, 64)'
    """
    if expression.name != "choice":
        return None
    keys = {expression.key(value) for value in values}
    options = expression.arguments()["values"]
    kept = [option for option in options if expression.key(option) in keys]
    return _parsed({"type": "choice", "values": kept}) if 0 < len(kept) < len(options) else None


def keep_range(expression: Expression, low: float | None, high: float | None) -> Expression | None:
    """Return the expression within these ends, in real units; None is an open end.

    >>> from experiments.space.continuous import Normal, Uniform
    >>> keep_range(Uniform(0, 8), 2.0, None).to_text(), keep_range(Normal(0, 1), -1, 2).to_text()
    ('uniform(2, 8)', 'uniform(-1, 2)')
    """
    bounds = expression.bounds()
    if bounds is None:
        return None
    if expression.name == "randint":
        return _whole_numbers(expression, low, high)
    if expression.name not in _BOUNDED:
        # An end beyond the old one narrows nothing.
        low = None if low is None or low <= bounds[0] else low
        high = None if high is None or high >= bounds[1] else high
    if low is None and high is None:
        return None
    return _part(expression, bounds, low, high)


def _part(
    expression: Expression, bounds: tuple[float, float], low: float | None, high: float | None
) -> Expression | None:
    arguments = expression.arguments()
    start, end = bounds[0] if low is None else low, bounds[1] if high is None else high
    step = arguments.get("q")
    if expression.scale == "log":
        if end <= 0:
            return None
        # Quantised values below half a step are 0, which has no logarithm.
        start, end = math.log(max(start, (step or 0) / 2, _LEAST)), math.log(end)
    elif step is not None:
        start = float(multiple(math.ceil(start / step - _TOLERANCE), step))
        end = float(multiple(math.floor(end / step + _TOLERANCE), step))
    ends = {"min_value": _rounded(start), "max_value": _rounded(end)}
    for end_name, given in (("min_value", low), ("max_value", high)):
        if given is None:
            ends[end_name] = arguments.get(end_name, ends[end_name])
    if ends["min_value"] >= ends["max_value"]:
        return None
    name = _BOUNDED.get(expression.name, expression.name)
    return _parsed({"type": name, **ends, **({} if step is None else {"q": step})})


def _whole_numbers(
    expression: Expression, low: float | None, high: float | None
) -> Expression | None:
    """Whole numbers from 0 have one end that can move; others are listed, if they are few."""
    upper = int(expression.arguments()["upper"])
    first = max(0, math.ceil((low or 0) - _TOLERANCE))
    last = upper - 1 if high is None else min(upper - 1, math.floor(high + _TOLERANCE))
    if first >= last or (first == 0 and last == upper - 1):
        return None
    if first and last - first < _MOST_NUMBERS:
        return _parsed({"type": "choice", "values": list(range(first, last + 1))})
    return _parsed({"type": "randint", "upper": last + 1}) if last < upper - 1 else None


def _rounded(number: float) -> int | float:
    value = float(f"{number:.6g}")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _parsed(mapping: dict[str, Any]) -> Expression | None:
    try:
        return parse_expression(mapping, "within")
    except ProblemsError:
        return None
