"""Search spaces whose exponents have another base than e: the `logbase` of Azure ML v2."""

from __future__ import annotations

import math
from typing import Final

from experiments.problems import Problem, ProblemsError
from experiments.space.space import SearchSpace

_EXPONENTS: Final = {
    "loguniform": ("min_value", "max_value"),
    "qloguniform": ("min_value", "max_value"),
    "lognormal": ("mu", "sigma"),
    "qlognormal": ("mu", "sigma"),
}


def rebase(space: SearchSpace, base: float, path: str = "search_space") -> SearchSpace:
    """Return the same space with natural logarithms: base^x = e^(x ln base), for `base` > 1.

    >>> space = SearchSpace.parse({"lr": "loguniform(-1, 0)", "units": "choice(8, 16)"})
    >>> rebase(space, 10).to_text()
    {'lr': 'loguniform(-2.302585092994046, 0.0)', 'units': 'choice(8, 16)'}

    Raises:
        ProblemsError: a value would be larger or smaller than a number can hold.
    """
    problems: list[Problem] = []
    expressions = dict(space.expressions)
    for name, expression in space.expressions.items():
        keys = _EXPONENTS.get(expression.name, ())
        arguments = expression.arguments()
        arguments |= {key: arguments[key] * math.log(base) for key in keys}
        problems += expression.check(arguments, f"{path}.{name}")
        expressions[name] = type(expression).build(arguments)
    if problems:
        raise ProblemsError(problems)
    return SearchSpace(expressions)
