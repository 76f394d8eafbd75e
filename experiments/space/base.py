"""What every parameter expression offers: drawing, the unit interval, texts, wire forms.

Pure. An expression is immutable; it is checked when it is parsed (`experiments.space.parsing`).
Notation: `u` is a number in [0, 1]; `value` is what the script is given.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from experiments.problems import Problem

Scale = Literal["linear", "log", "category"]
FieldKind = Literal["number", "integer", "values"]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One argument of an expression: forms and the reference page are made from it."""

    name: str
    kind: FieldKind
    label: str
    help: str


class Expression(ABC):
    """A distribution over the values of one hyperparameter."""

    __slots__ = ()
    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    fields: ClassVar[tuple[FieldSpec, ...]]
    is_discrete: ClassVar[bool]
    scale: ClassVar[Scale]

    @classmethod
    @abstractmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        """Return every problem of the arguments, by their names, each below `path`."""

    @classmethod
    @abstractmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        """Return the expression of checked arguments."""

    @abstractmethod
    def from_unit(self, u: float) -> Any:
        """Return the value at quantile `u` of the distribution."""

    @abstractmethod
    def to_unit(self, value: Any) -> float:
        """Return a `u` with `from_unit(u) == value`; values beyond the range give 0 or 1."""

    @abstractmethod
    def contains(self, value: Any) -> bool:
        """Tell whether the expression can draw `value`."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return the arguments by name, in order."""

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw a value."""
        return self.from_unit(float(rng.random()))

    def cardinality(self) -> int | None:
        """Return how many different values there are; None for infinitely many."""
        return None

    def values(self) -> list[Any]:
        """Return the different values in order; empty when there are infinitely many."""
        return []

    def value_at(self, index: int) -> Any:
        """Return value number `index` of a finite expression, in the order of `values`."""
        return self.values()[index]

    def bounds(self) -> tuple[float, float] | None:
        """Return the range of an axis in real units; None for categories."""
        return None

    def warnings(self) -> list[str]:
        """Return what is legal and probably not meant."""
        return []

    @abstractmethod
    def describe(self) -> str:
        """Say in a few words, in real units, what will be drawn."""

    def to_wire(self) -> list[Any]:
        """Return the nested list that Azure ML v1 sends."""
        return [self.name, list(self.arguments().values())]

    def to_mapping(self) -> dict[str, Any]:
        """Return the mapping that Azure ML v2 writes."""
        return {"type": self.name, **self.arguments()}

    def to_text(self) -> str:
        """Return the expression as text: `uniform(0.9, 0.99)`."""
        return f"{self.name}({', '.join(literal(v) for v in self.arguments().values())})"


def literal(value: Any) -> str:
    """Write a value as the Python literal that the text form reads back."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(literal(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    return repr(value)


def is_number(value: Any) -> bool:
    """Tell whether `value` is a finite int or float; bool is not a number here."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1 << 1000 if isinstance(value, int) else math.isfinite(value)


def identity(value: Any) -> str:
    """Return a key under which only the same option of a choice is found: 1, 1.0, True differ."""
    return f"{type(value).__name__}:{json.dumps(value, sort_keys=True, ensure_ascii=False)}"


def short(value: float) -> str:
    """Write a number of a sentence with four significant digits."""
    return f"{value:.4g}"


def check_numbers(
    name: str, arguments: Mapping[str, Any], wanted: Sequence[str], path: str
) -> list[Problem]:
    """Return a problem for each of the `wanted` arguments that is no finite number."""
    problems = []
    for key in wanted:
        value = arguments.get(key)
        if not is_number(value):
            shown = literal(value) if key in arguments else "missing"
            problems.append(
                Problem(f"{path}.{key}", f"{name} {key} is {shown}; use a finite number.")
            )
    return problems
