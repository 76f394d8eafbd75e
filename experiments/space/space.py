"""The search space: named expressions in declared order, seen as values, grid or unit cube.

Notation: d parameters; `u`: `(d,)` in the unit cube.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from experiments.problems import Problem, ProblemsError
from experiments.space.base import Expression
from experiments.space.discrete import MAX_OPTIONS, Choice
from experiments.space.literals import brief, text_fault
from experiments.space.parsing import parse_expression

Params = dict[str, Any]
MAX_PARAMETERS: Final = 100
_MAX_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """An ordered mapping of hyperparameter names to expressions; never empty.

    >>> space = SearchSpace.parse({"a": "choice(1, 2)", "b": "choice('x', 'y', 'z')"})
    >>> space.cardinality(), space.at_index(4), space.index_of({"a": 2, "b": "y"})
    (6, {'a': 2, 'b': 'y'}, 4)
    """

    expressions: Mapping[str, Expression]

    @classmethod
    def parse(cls, raw: Any, path: str = "search_space") -> Self:
        """Return the space that a mapping of names to expressions describes.

        Raises:
            ProblemsError: with every problem of every parameter.
        """
        if not isinstance(raw, Mapping) or not raw:
            is_empty = raw is None or (isinstance(raw, Mapping | list) and not raw)
            found = "empty" if is_empty else brief(raw)
            text = f"{path} is {found}; give at least one hyperparameter with its expression."
            raise ProblemsError([Problem(path, text)])
        if len(raw) > MAX_PARAMETERS:
            text = f"{path} has {len(raw)} hyperparameters; at most {MAX_PARAMETERS} are allowed."
            raise ProblemsError([Problem(path, text)])
        problems: list[Problem] = []
        expressions: dict[str, Expression] = {}
        listed = 0
        for name, value in raw.items():
            problems += _check_name(name, path)
            try:
                expression = parse_expression(value, f"{path}.{name}")
            except ProblemsError as error:
                problems += error.problems
                continue
            expressions[str(name)] = expression
            listed += len(expression.options) if isinstance(expression, Choice) else 0
            if listed > MAX_OPTIONS:
                text = f"The choices of {path} list more than {MAX_OPTIONS} values; list fewer."
                problems.append(Problem(path, text))
                break
        problems += _check_collisions(list(expressions), path)
        if problems:
            raise ProblemsError(problems)
        return cls(MappingProxyType(expressions))

    @property
    def parameters(self) -> Mapping[str, Expression]:
        """The expressions by name, in declared order."""
        return self.expressions

    @property
    def dimension(self) -> int:
        """The number of hyperparameters, d."""
        return len(self.expressions)

    def sample(self, rng: np.random.Generator) -> Params:
        """Draw one configuration."""
        return {name: e.sample(rng) for name, e in self.expressions.items()}

    def contains(self, params: Mapping[str, Any]) -> bool:
        """Tell whether `params` has exactly these names and a possible value for each."""
        return set(params) == set(self.expressions) and all(
            e.contains(params[name]) for name, e in self.expressions.items()
        )

    def cardinality(self) -> int | None:
        """Return the number of different configurations; None for infinitely many."""
        counts = [e.cardinality() for e in self.expressions.values()]
        return None if None in counts else math.prod(c for c in counts if c is not None)

    def to_unit(self, params: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the place of a configuration in the unit cube: `(d,)`."""
        return np.array([e.to_unit(params[name]) for name, e in self.expressions.items()])

    def from_unit(self, u: NDArray[np.float64]) -> Params:
        """Return the configuration at a place of the unit cube, `u`: `(d,)`."""
        pairs = zip(self.expressions.items(), u, strict=True)
        return {name: e.from_unit(float(x)) for (name, e), x in pairs}

    def key(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what two configurations share exactly when they are the same one."""
        return tuple(e.key(params.get(name)) for name, e in self.expressions.items())

    def at_index(self, index: int) -> Params:
        """Return configuration `index` of the grid; the last declared parameter varies fastest.

        Raises:
            ValueError: the space is infinite.
            IndexError: the index is outside the grid.
        """
        total = self.cardinality()
        if total is None:
            raise ValueError("An infinite space has no grid.")
        if not 0 <= index < total:
            raise IndexError(f"Index {index} is outside a grid of {total}.")
        params = {}
        for name, expression in reversed(list(self.expressions.items())):
            index, digit = divmod(index, expression.cardinality() or 1)
            params[name] = expression.value_at(digit)
        return {name: params[name] for name in self.expressions}

    def index_of(self, params: Mapping[str, Any]) -> int | None:
        """Return the index of a configuration in the grid; None when it is not one of it."""
        index = 0
        for name, expression in self.expressions.items():
            digit = expression.index_of(params.get(name))
            if digit is None:
                return None
            index = index * (expression.cardinality() or 1) + digit
        return index

    def to_text(self) -> dict[str, str]:
        """Return every expression as text."""
        return {name: e.to_text() for name, e in self.expressions.items()}

    def to_wire(self) -> dict[str, list[Any]]:
        """Return every expression as Azure ML v1 sends it."""
        return {name: e.to_wire() for name, e in self.expressions.items()}

    def to_mapping(self) -> dict[str, dict[str, Any]]:
        """Return every expression as Azure ML v2 writes it."""
        return {name: e.to_mapping() for name, e in self.expressions.items()}

    def warnings(self) -> list[str]:
        """Return every warning, led by the parameter's name."""
        return [f"{n}: {text}" for n, e in self.expressions.items() for text in e.warnings()]


def argument_name(name: str) -> str:
    """Return the command-line option of a hyperparameter: `--name`."""
    return name if name.startswith("--") else f"--{name}"


def variable_name(name: str) -> str:
    """Return the environment variable of a hyperparameter: AZUREML_SWEEP_<name>."""
    return "AZUREML_SWEEP_" + name.lstrip("-").replace("-", "_")


def _check_name(name: Any, path: str) -> list[Problem]:
    fault = _name_fault(name)
    return [Problem(f"{path}.{name}", fault)] if fault else []


def _name_fault(name: Any) -> str:
    if not isinstance(name, str) or not name.strip("-"):
        return f"The hyperparameter name {brief(name)} is not usable; use text such as lr."
    if len(name) > _MAX_NAME:
        return f"The hyperparameter name has {len(name)} characters; use at most {_MAX_NAME}."
    if text_fault(name) or "=" in name or any(c.isspace() or not c.isprintable() for c in name):
        return (
            f"The hyperparameter name {brief(name)} has white space, a control character or =; "
            "use text such as learning_rate."
        )
    if name.startswith("-") and not name.startswith("--"):
        return f"The hyperparameter name {name} starts with one dash; write {name[1:]} or -{name}."
    return ""


def _check_collisions(names: list[str], path: str) -> list[Problem]:
    options = [argument_name(name) for name in names]
    return [
        Problem(
            f"{path}.{name}",
            f"{name} and another hyperparameter are both given as {option}; rename one.",
        )
        for name, option in zip(names, options, strict=True)
        if options.count(option) > 1
    ]
