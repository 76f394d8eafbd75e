"""Guess the search space that observed values came from, and hold a given one against them. Pure.

A guess is a starting point for people: bounds are the smallest and largest value that was seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief, identity, is_number, literal, option_fault
from experiments.space.space import SearchSpace

# Numbers that take so few values, each of them again and again, were chosen from a list.
_MAX_CHOICES: Final = 12
_AGAIN: Final = 2
# Whole numbers up to so many are written as a choice of all of them.
_MAX_RANGE: Final = 64
# From two decades on, people search in logarithms.
_LOG_RATIO: Final = 100
_NEVER_LESS: Final = 8


def infer_space(runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return an expression for every hyperparameter of some runs, in the order they appear.

    >>> infer_space([{"lr": 0.001, "layers": 2}, {"lr": 0.25, "layers": 4}])
    {'lr': 'loguniform(-6.907756, -1.386294)', 'layers': 'choice(range(2, 5))'}
    """
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: _expression([run[name] for run in runs if name in run]) for name in names}


def check_space(raw: Any, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a search space that was given, if it names what the runs have.

    Raises:
        ProblemsError: an expression is wrong; a hyperparameter is missing in it or in all runs.
    """
    space = SearchSpace.parse(raw)
    names = dict.fromkeys(name for run in runs for name in run)
    problems = [
        Problem("search_space", f"{brief(name)} is a hyperparameter of the runs and missing here.")
        for name in names
        if name not in space.expressions
    ]
    problems += [
        Problem(f"search_space.{name}", f"No run has {brief(name)}; they have {_listed(names)}.")
        for name in space.expressions
        if name not in names
    ]
    if problems:
        raise ProblemsError(problems)
    return dict(raw)


def choice_of(values: Iterable[Any]) -> str:
    """Write a choice of these values, each once."""
    distinct = list({identity(value): value for value in values}.values())
    return f"choice({', '.join(literal(value) for value in distinct)})"


def range_of(low: int, high: int) -> str:
    """Write the whole numbers from `low` to `high`, both of them possible."""
    if high - low < _MAX_RANGE:
        return f"choice(range({low}, {high + 1}))"
    return f"quniform({low}, {high}, 1)"


def log_range_of(low: float, high: float) -> str:
    """Write the numbers from `low` to `high`, even in their logarithms."""
    return f"loguniform({_down(math.log(low))}, {_up(math.log(high))})"


def _expression(values: list[Any]) -> str:
    distinct = list({identity(value): value for value in values}.values())
    if len(distinct) < 2 or not all(map(is_number, distinct)):
        return choice_of(sorted(distinct, key=_rank))
    low, high = min(distinct), max(distinct)
    is_list = len(distinct) <= _MAX_CHOICES and len(values) >= _AGAIN * len(distinct)
    if is_list and len(values) >= _NEVER_LESS:
        return choice_of(sorted(distinct))
    if all(isinstance(value, int) for value in distinct):
        return range_of(low, high)
    if low > 0 and high / low >= _LOG_RATIO:
        return log_range_of(low, high)
    return f"uniform({float(low)!r}, {float(high)!r})" if low < high else choice_of([low])


def _rank(value: Any) -> tuple[str, Any]:
    if value is None or isinstance(value, bool):
        return "", int(bool(value))
    return ("a", value) if is_number(value) else ("b", identity(value))


def _down(value: float) -> float:
    return math.floor(value * 1e6) / 1e6


def _up(value: float) -> float:
    return math.ceil(value * 1e6) / 1e6


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def value_faults(params: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with values of hyperparameters, a sentence each."""
    return [
        f"{name} is {brief(value)}, which {fault}."
        for name, value in params.items()
        if (fault := option_fault(value))
    ]
