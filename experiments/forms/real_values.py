"""Log-family arguments that are typed as real values instead of natural logarithms. Pure.

`loguniform` takes exponents, as everywhere; a row whose `scale` is "real" holds e to their power,
so that 0.0001 … 0.1 can be written as it is meant. Sigma becomes a factor: e^sigma.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from experiments.forms.codecs import parse_number
from experiments.problems import Problem
from experiments.space import EXPRESSIONS, load_expression

REAL: Final = "real"
SCALE: Final = "scale"
# The arguments of each distribution that are logarithms.
EXPONENTS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(spec.name for spec in load_expression(name).fields if spec.label.endswith("(ln)"))
    for name in EXPRESSIONS
}
# What they are called as real values.
REAL_LABELS: Final[dict[str, str]] = {
    "min_value": "Low",
    "max_value": "High",
    "mu": "Median",
    "sigma": "Factor",
}
_DIGITS: Final = 12
_SHORT: Final = 6
_SAME: Final = 10


def is_real(kind: str, texts: Mapping[str, str]) -> bool:
    """Tell whether a row holds real values instead of logarithms."""
    return texts.get(SCALE) == REAL and bool(EXPONENTS.get(kind))


def exponent_of(value: Any) -> Any:
    """Return the logarithm of a real value; what has none comes back as text that says so."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return value
    try:
        exact = math.log(value)
    except (ValueError, OverflowError):
        return f"ln({value})"
    # A real value is written with twelve digits: what comes from a short logarithm is it again.
    short = float(f"{exact:.{_SHORT}g}")
    return short if short == float(f"{exact:.{_SAME}g}") else exact


def real_text(exponent: Any) -> str | None:
    """Return the real value of a logarithm as a person would write it; None where there is none.

    >>> real_text(-9.210340371976182), real_text(0)
    ('0.0001', '1')
    """
    if not isinstance(exponent, int | float) or isinstance(exponent, bool):
        return None
    try:
        return f"{math.exp(exponent):.{_DIGITS}g}"
    except OverflowError:
        return None


def real_problems(name: str, kind: str, texts: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with real values that have no logarithm, or a negative spread."""
    if not is_real(kind, texts):
        return []
    found = []
    for key in EXPONENTS[kind]:
        value = parse_number(texts.get(key, ""))
        if not isinstance(value, int | float):
            continue
        label = REAL_LABELS[key]
        if key == "sigma" and value < 1:
            text = f"{label} is {value:g}; a factor is at least 1, which is no spread at all."
        elif value <= 0:
            text = f"{label} is {value:g}; a real value of {kind} is greater than 0."
        else:
            continue
        found.append(Problem(f"search_space.{name}.{key}", text))
    return found


def as_real(
    kind: str, texts: Mapping[str, str], before: Mapping[str, str]
) -> dict[str, str] | None:
    """Return the texts of a row of logarithms as real values; None where that cannot be.

    A value whose logarithm is the same as `before` stays as it was typed.
    """
    changed = dict(texts)
    for key in EXPONENTS.get(kind, ()):
        exponent = parse_number(texts.get(key, ""))
        typed = before.get(key, "")
        text = typed if exponent_of(parse_number(typed)) == exponent else real_text(exponent)
        if text is None:
            return None
        changed[key] = text
    return {**changed, SCALE: REAL}
