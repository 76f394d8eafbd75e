"""A person's own values for one run: complete, of the right kind, and which leave the space.

Pure. Wrong names and kinds are problems; a value outside its expression is only asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from experiments.problems import Problem, ProblemsError
from experiments.space.base import Expression
from experiments.space.literals import brief, is_number, option_fault, plain
from experiments.space.space import SearchSpace

_MAX_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Configuration:
    """Values in declared order; `outside` says of each that no sampler would draw it."""

    params: dict[str, Any]
    outside: dict[str, str]


def read_configuration(space: SearchSpace, raw: Any, path: str = "params") -> Configuration:
    """Return the configuration that a mapping of names to values describes.

    >>> space = SearchSpace.parse({"lr": "uniform(0, 1)"})
    >>> read_configuration(space, {"lr": 2}).outside
    {'lr': 'lr is 2, outside uniform(0, 1).'}

    Raises:
        ProblemsError: names are missing or unknown, values of a kind that the space does not have.
    """
    if not isinstance(raw, Mapping):
        text = f"{path} is {brief(raw)}; give a mapping of hyperparameters to values."
        raise ProblemsError([Problem(path, text)])
    problems = [
        Problem(f"{path}.{name}", _unknown(name, space))
        for name in raw
        if name not in space.expressions
    ]
    params, outside = {}, {}
    for name, expression in space.expressions.items():
        value = plain(raw.get(name))
        fault = _fault(expression, value) if name in raw else "is missing; give every value"
        if fault:
            text = f"{name} {fault}."
            problems.append(Problem(f"{path}.{name}", text))
            continue
        place = expression.index_of(value)
        # 16.0 stands for the option 16.
        params[name] = value if place is None else expression.value_at(place)
        if not expression.contains(value):
            outside[name] = f"{name} is {brief(value)}, outside {_brief_text(expression)}."
    if problems:
        raise ProblemsError(problems)
    return Configuration(params, outside)


def _brief_text(expression: Expression) -> str:
    """Write an expression for a message, cut where it is long."""
    text = expression.to_text()
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _unknown(name: Any, space: SearchSpace) -> str:
    close = get_close_matches(str(name), space.expressions, n=1)
    known = ", ".join(space.expressions)
    advice = f"Did you mean {close[0]}?" if close else f"It has {known}."
    return f"The search space has no {brief(name)}. {advice}"


def _fault(expression: Expression, value: Any) -> str:
    """Return what is wrong with the kind of a value, as the end of a sentence; "" when nothing."""
    fault = option_fault(value)
    if fault:
        return f"is {brief(value)}, which {fault}"
    options = expression.arguments()["values"] if expression.name == "choice" else [0]
    if all(map(is_number, options)) and not is_number(value):
        return f"is {brief(value)}; use a number"
    if all(isinstance(option, str) for option in options) and not isinstance(value, str):
        return f"is {brief(value)}; use text"
    return ""
