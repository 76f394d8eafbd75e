"""Arguments of the log family: natural logarithms that floats can hold and that were meant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from experiments.problems import Problem
from experiments.space.literals import short

# exp() of more than 709 overflows a float, of less than -745 is 0.
MAX_EXPONENT: Final = 700.0
# Learning rates, widths and regularisation weights are well below; what lies above is more often
# a plain value that was written where its logarithm belongs.
_SUSPICIOUS: Final = 10_000.0


def check_exponents(name: str, reached: Mapping[str, float], path: str) -> list[Problem]:
    """Refuse logarithms whose value no float can hold; `reached`: argument -> exponent."""
    problems = []
    for argument, exponent in reached.items():
        if abs(exponent) > MAX_EXPONENT:
            size = "more" if exponent > 0 else "less"
            text = (
                f"{name} {argument} would reach e^{exponent:g}, {size} than a number can hold; its "
                f"arguments are natural logarithms. Stay within -700 … 700."
            )
            problems.append(Problem(f"{path}.{argument}", text))
    return problems


def exponent_warnings(low: float | None, high: float) -> list[str]:
    """Warn when logarithms look like plain values; `low` None: there is no lower bound.

    >>> exponent_warnings(0.0001, 0.1)[0]
    'The bounds are exponents: e^0.1 = 1.105. For 0.0001 … 0.1 use the bounds -9.2103 and -2.3026.'
    >>> exponent_warnings(-6, -1)
    []
    """
    largest = math.exp(min(high, MAX_EXPONENT))
    is_fraction = low is not None and 0 < low < high <= 1
    if largest < _SUSPICIOUS and not is_fraction:
        return []
    text = f"The bounds are exponents: e^{high:g} = {short(largest)}."
    if low is None or low <= 0:
        return [text]
    bounds = f"{math.log(low):.4f} and {math.log(high):.4f}"
    return [f"{text} For {short(low)} … {short(high)} use the bounds {bounds}."]
