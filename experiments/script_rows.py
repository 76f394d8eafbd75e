"""A first search-space expression for an argument of a script: a start that a person changes.

Pure. Ranges lie around the default; an argument without a sensible range gets none.
"""

from __future__ import annotations

import math
from typing import Any

from experiments.script_reader import ScriptArgument
from experiments.space.literals import is_number

Expression = dict[str, Any]
# Up to here a fraction is more likely a rate, which is searched by its order of magnitude.
_RATE = 0.1
_POWERS_FROM = 8
# Larger defaults stand for "no limit", smaller ones for nothing.
_LARGEST = 1e12
_SMALLEST = 1e-30


def suggest_expression(argument: ScriptArgument) -> Expression | None:
    """Return a mapping such as `{type: uniform, ...}`; None where nothing sensible can be said."""
    if not argument.takes_one_value or not argument.name:
        return None
    if argument.choices:
        is_plain = all(isinstance(value, str) or is_number(value) for value in argument.choices)
        return _choice(argument.choices) if is_plain else None
    default = argument.default
    # A parser without a type hands text on; its default says what the script makes of it.
    kind = argument.type if argument.type in ("int", "float") else _kind_of(default)
    if argument.type not in ("int", "float", "str", "") or kind is None:
        return None
    if kind == "bool":
        # A callable such as str2bool reads these words; type=bool would take both for true.
        return _choice((True, False)) if argument.type == "" else None
    number = default if is_number(default) and abs(default) < _LARGEST else None
    if kind == "int":
        return _whole(argument.name, None if number is None else int(number))
    return _real(None if number is None else float(number))


def _kind_of(default: Any) -> str | None:
    kind = type(default).__name__
    return kind if kind in ("int", "float", "bool") else None


def _choice(values: Any) -> Expression:
    return {"type": "choice", "values": list(values)}


def _whole(name: str, default: int | None) -> Expression:
    if "seed" in name.lower():
        return {"type": "randint", "upper": 1000}
    if default is None:
        return {"type": "quniform", "min_value": 1, "max_value": 10, "q": 1}
    if default >= _POWERS_FROM and default & (default - 1) == 0:
        return _choice([default // 4, default // 2, default, default * 2, default * 4])
    if 0 <= default <= 2:
        return _choice(range(default, default + 3))
    if default < 0:
        return {"type": "quniform", "min_value": 2 * default, "max_value": 0, "q": 1}
    # Steps of about a tenth, so that both ends can be reached.
    q = 10 ** max(0, int(math.log10(default)) - 1)
    low, high = max(1, default // 2 // q) * q, default * 2 // q * q
    return {"type": "quniform", "min_value": low, "max_value": high, "q": q}


def _real(default: float | None) -> Expression:
    if default is None:
        return _uniform(0, 1)
    if abs(default) < _SMALLEST:
        return _uniform(0, 0.5)
    if default < 0:
        return _uniform(2 * default, 0)
    if _RATE < default < 1:
        # Stays inside 0 and 1: neither end is a sensible momentum or dropout.
        width = 0.9 * min(default, 1 - default)
        return _uniform(default - width, default + width)
    low, high = math.log(default / 10), math.log(default * 10)
    return {"type": "loguniform", "min_value": round(low, 2), "max_value": round(high, 2)}


def _uniform(low: float, high: float) -> Expression:
    bounds = (float(f"{bound:.4g}") for bound in (low, high))
    low, high = (int(bound) if bound == int(bound) else bound for bound in bounds)
    return {"type": "uniform", "min_value": low, "max_value": high}
