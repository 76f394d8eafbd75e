"""A search space without a region that people want to leave out.

Pure. What would leave nothing to search, or cannot be said with the same expression, is None.
"""

from __future__ import annotations

import math
from typing import Any, Final

from experiments.problems import ProblemsError
from experiments.space.base import Expression
from experiments.space.literals import is_number
from experiments.space.parsing import parse_expression

_RANGES: Final = frozenset({"uniform", "quniform", "loguniform", "qloguniform"})


def without_value(expression: Expression, value: Any) -> Expression | None:
    """Return a choice without one of its options.

    >>> from experiments.space.discrete import Choice
    >>> without_value(Choice((16, 32, 64)), 64).to_text()
    'choice(16, 32)'
    """
    if expression.name != "choice" or not expression.contains(value):
        return None
    key = expression.key(value)
    kept = [option for option in expression.arguments()["values"] if expression.key(option) != key]
    return _parsed({"type": "choice", "values": kept}) if kept else None


def without_range(
    expression: Expression, *, start: float | None = None, end: float | None = None
) -> Expression | None:
    """Return the expression without the values from `start` on, or up to `end`."""
    if expression.name == "choice":
        return _fewer_options(expression, start, end)
    if expression.name == "randint":
        is_top = start is not None and start == int(start) and start >= 1
        return _parsed({"type": "randint", "upper": int(start or 0)}) if is_top else None
    if expression.name not in _RANGES:
        return None
    arguments = expression.arguments()
    bound = start if start is not None else end
    if bound is None or (expression.scale == "log" and bound <= 0):
        return None
    step = arguments.get("q") if expression.scale != "log" else None
    if step is not None:
        # The bound itself is one of the values that are left out.
        bound += -step if start is not None else step
    at = math.log(bound) if expression.scale == "log" else float(bound)
    at = float(f"{at:.6g}")
    at = int(at) if at.is_integer() else at
    low, high = arguments["min_value"], arguments["max_value"]
    changed = {"max_value": min(at, high)} if start is not None else {"min_value": max(at, low)}
    found = {"type": expression.name, **arguments, **changed}
    return _parsed(found) if found["min_value"] < found["max_value"] else None


def _fewer_options(
    expression: Expression, start: float | None, end: float | None
) -> Expression | None:
    options = expression.arguments()["values"]
    if not all(is_number(option) for option in options):
        return None
    kept = [
        option
        for option in options
        if not (start is not None and option >= start) and not (end is not None and option <= end)
    ]
    return _parsed({"type": "choice", "values": kept}) if 0 < len(kept) < len(options) else None


def _parsed(mapping: dict[str, Any]) -> Expression | None:
    try:
        return parse_expression(mapping, "without")
    except ProblemsError:
        return None
