"""What every parameter expression offers: drawing, the unit interval, texts, wire forms.

Pure. An expression is immutable; its arguments are checked where it is parsed
(`experiments.space.parsing`). Notation: `u` is a number in [0, 1]; `value` is what a run is given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from experiments.problems import Problem
from experiments.space.literals import identity, is_number, literal

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

    def index_of(self, value: Any) -> int | None:
        """Return the place of `value` in a finite expression; None when it is not one of it."""
        return 0 if self.cardinality() == 1 and self.contains(value) else None

    def key(self, value: Any) -> str:
        """Return what two values share exactly when they are the same one."""
        return repr(float(value)) if is_number(value) else identity(value)

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
