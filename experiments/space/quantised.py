"""Quantised expressions: quniform, qloguniform, qnormal, qlognormal.

Values are round(x / q) * q without clamping, as published, with ties to the even multiple as
Python rounds: the end cells of quniform are half as likely, and the grid may leave the bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar, Final, Self

from experiments.problems import Problem
from experiments.space.base import Expression, FieldSpec, Scale
from experiments.space.continuous import (
    LOG_MAX_VALUE,
    LOG_MIN_VALUE,
    LOG_MU,
    LOG_SIGMA,
    MAX_VALUE,
    MIN_VALUE,
    MU,
    SIGMA,
    LogNormal,
    LogUniform,
    Normal,
    Uniform,
    check_number,
)
from experiments.space.discrete import MAX_LISTED
from experiments.space.literals import is_number, plain, short

STEP: Final = FieldSpec("q", "number", "Step q", "Values are multiples of this; above 0.")
# Beyond, neighbouring multiples of q are the same float.
_MAX_STEPS: Final = 1 << 53
_FEW: Final = 6
_TOLERANCE: Final = 1e-9


def nearest_multiple(x: float, q: float) -> int:
    """Return the k for which k * q is nearest to `x`; ties go to the even k.

    >>> [nearest_multiple(x, 1) for x in (2.5, 3.5)], [nearest_multiple(x, 5) for x in (12.5, 17.5)]
    ([2, 4], [2, 4])
    """
    return round(min(max(x / q, -_MAX_STEPS), _MAX_STEPS))


def multiple(k: int, q: float) -> int | float:
    """Return k * q: an int when q is integral, else the decimal number that a person expects.

    >>> multiple(4, 4.0), multiple(3, 0.1)
    (16, 0.3)
    """
    if float(q).is_integer():
        return k * int(q)
    return float(Decimal(repr(q)) * k)


class _Quantised(Expression):
    """round(x / q) * q of another expression, the law."""

    __slots__ = ()
    q: float
    is_discrete: ClassVar[bool] = True
    _law_class: ClassVar[type[Expression]]

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        law = cls._law_class
        problems = [
            Problem(p.path, p.message.replace(law.name, cls.name, 1))
            for p in law.check(arguments, path)
        ]
        law_is_fine = not problems
        problems += check_number(cls.name, arguments, "q", path)
        q = arguments.get("q")
        if not is_number(q) or q is None:
            return problems
        if q <= 0:
            text = f"{cls.name} q is {q!r}; use a number greater than 0."
            return [*problems, Problem(f"{path}.q", text)]
        if law_is_fine:
            low, high = law.build(arguments).bounds() or (0.0, 0.0)
            if max(abs(low), abs(high)) > q * float(_MAX_STEPS):
                text = f"{cls.name} q is {q!r}, too small for values up to {short(high)}."
                problems.append(Problem(f"{path}.q", text))
        return problems

    def from_unit(self, u: float) -> int | float:
        k = nearest_multiple(_law(self).from_unit(u), self.q)
        span = _span(self)
        # Only an end of chance 0, at a tie, is moved.
        return multiple(min(max(k, span[0]), span[1]) if span else k, self.q)

    def to_unit(self, value: Any) -> float:
        # Between the quantiles of the cell's ends, so that the way back rounds to this value.
        law, k = _law(self), nearest_multiple(value, self.q)
        low, high = law.to_unit((k - 0.5) * self.q), law.to_unit((k + 0.5) * self.q)
        return (low + high) / 2

    def contains(self, value: Any) -> bool:
        if not is_number(value):
            return False
        k, span = nearest_multiple(value, self.q), _span(self)
        if span is None and isinstance(_law(self), LogNormal) and k < 0:
            return False
        # Arithmetic such as 0.1 + 0.2 is off by some units in the last place.
        tolerance = max(_TOLERANCE * self.q, 4 * math.ulp(value))
        is_multiple = abs(value - multiple(k, self.q)) <= tolerance
        return is_multiple and (span is None or span[0] <= k <= span[1])

    def cardinality(self) -> int | None:
        span = _span(self)
        return None if span is None else span[1] - span[0] + 1

    def values(self) -> list[Any]:
        span = _span(self)
        if span is None or span[1] - span[0] >= MAX_LISTED:
            return []
        return [multiple(k, self.q) for k in range(span[0], span[1] + 1)]

    def value_at(self, index: int) -> int | float:
        span = _span(self)
        if span is None:
            raise ValueError(f"{self.to_text()} has no end, so no value number {index}.")
        return multiple(span[0] + index, self.q)

    def index_of(self, value: Any) -> int | None:
        span = _span(self)
        if span is None or not self.contains(value):
            return None
        return nearest_multiple(value, self.q) - span[0]

    def key(self, value: Any) -> str:
        return str(nearest_multiple(value, self.q)) if self.contains(value) else super().key(value)

    def bounds(self) -> tuple[float, float]:
        first, last = self._ends()
        return float(multiple(first, self.q)), float(multiple(last, self.q))

    def describe(self) -> str:
        first, last = self._ends()
        low, high = (short(multiple(k, self.q)) for k in (first, last))
        if first == last:
            return f"always {low}"
        if _span(self) is None:
            return f"multiples of {self.q:g}, nearly always {low} … {high}"
        if last - first < _FEW:
            return ", ".join(short(multiple(k, self.q)) for k in range(first, last + 1))
        return f"{last - first + 1} multiples of {self.q:g}, {low} … {high}"

    def warnings(self) -> list[str]:
        found = _law(self).warnings()
        (first, last), bounds = self._ends(), _law(self).bounds()
        low, high = multiple(first, self.q), multiple(last, self.q)
        if first == last and _law(self).cardinality() != 1:
            found.append(f"q {self.q:g} is too coarse: every value is rounded to {short(low)}.")
        elif _span(self) is not None and bounds is not None:
            slack = _TOLERANCE * max(abs(bounds[0]), abs(bounds[1]), self.q)
            if low < bounds[0] - slack or high > bounds[1] + slack:
                found.append(
                    f"Rounding to multiples of {self.q:g} gives values from {short(low)} to "
                    f"{short(high)}, beyond {short(bounds[0])} … {short(bounds[1])}."
                )
        return found

    def _ends(self) -> tuple[int, int]:
        """Return the first and last multiple to show: all there are, or three sigma."""
        span = _span(self)
        if span is not None:
            return span
        low, high = _law(self).bounds() or (0.0, 0.0)
        return nearest_multiple(low, self.q), nearest_multiple(high, self.q)


@lru_cache(maxsize=1024)
def _law(expression: _Quantised) -> Expression:
    return expression._law_class.build(expression.arguments())


@lru_cache(maxsize=1024)
def _span(expression: _Quantised) -> tuple[int, int] | None:
    """Return the first and last k that can be drawn; None when there is no end.

    k is drawn when ((k - 1/2) q, (k + 1/2) q) and the range have more than a point in common.
    """
    law, q = _law(expression), expression.q
    if law.cardinality() == 1:
        k = nearest_multiple(law.from_unit(0.5), q)
        return k, k
    bounds = law.bounds()
    if bounds is None or isinstance(law, Normal | LogNormal):
        return None
    # In the decimal numbers that were written: 0.15 / 0.1 is a tie, which floats miss.
    low, high = (Fraction(repr(bound)) / Fraction(repr(q)) for bound in bounds)
    first = math.floor(low - Fraction(1, 2)) + 1
    return first, max(first, math.ceil(high + Fraction(1, 2)) - 1)


@dataclass(frozen=True, slots=True)
class QUniform(_Quantised):
    """round(U(min_value, max_value) / q) * q.

    >>> QUniform(1, 10, 4).values()
    [0, 4, 8]
    """

    min_value: float
    max_value: float
    q: float
    name: ClassVar[str] = "quniform"
    label: ClassVar[str] = "quniform"
    help: ClassVar[str] = "Multiples of a step between the bounds."
    fields: ClassVar[tuple[FieldSpec, ...]] = (MIN_VALUE, MAX_VALUE, STEP)
    scale: ClassVar[Scale] = "linear"
    _law_class: ClassVar[type[Expression]] = Uniform

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(*(plain(arguments[field.name]) for field in cls.fields))

    def arguments(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "q": self.q}


@dataclass(frozen=True, slots=True)
class QLogUniform(_Quantised):
    """round(exp(U(min_value, max_value)) / q) * q.

    >>> QLogUniform(-6, -1, 1).describe()
    'always 0'
    """

    min_value: float
    max_value: float
    q: float
    name: ClassVar[str] = "qloguniform"
    label: ClassVar[str] = "qloguniform"
    help: ClassVar[str] = "Multiples of a step, every decade equally likely; bounds are logarithms."
    fields: ClassVar[tuple[FieldSpec, ...]] = (LOG_MIN_VALUE, LOG_MAX_VALUE, STEP)
    scale: ClassVar[Scale] = "log"
    _law_class: ClassVar[type[Expression]] = LogUniform

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(*(plain(arguments[field.name]) for field in cls.fields))

    def arguments(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "q": self.q}


@dataclass(frozen=True, slots=True)
class QNormal(_Quantised):
    """round(N(mu, sigma) / q) * q."""

    mu: float
    sigma: float
    q: float
    name: ClassVar[str] = "qnormal"
    label: ClassVar[str] = "qnormal"
    help: ClassVar[str] = "Multiples of a step around the mean, unbounded."
    fields: ClassVar[tuple[FieldSpec, ...]] = (MU, SIGMA, STEP)
    scale: ClassVar[Scale] = "linear"
    _law_class: ClassVar[type[Expression]] = Normal

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(*(plain(arguments[field.name]) for field in cls.fields))

    def arguments(self) -> dict[str, Any]:
        return {"mu": self.mu, "sigma": self.sigma, "q": self.q}


@dataclass(frozen=True, slots=True)
class QLogNormal(_Quantised):
    """round(exp(N(mu, sigma)) / q) * q."""

    mu: float
    sigma: float
    q: float
    name: ClassVar[str] = "qlognormal"
    label: ClassVar[str] = "qlognormal"
    help: ClassVar[str] = "Multiples of a step with a long tail to the right."
    fields: ClassVar[tuple[FieldSpec, ...]] = (LOG_MU, LOG_SIGMA, STEP)
    scale: ClassVar[Scale] = "log"
    _law_class: ClassVar[type[Expression]] = LogNormal

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(*(plain(arguments[field.name]) for field in cls.fields))

    def arguments(self) -> dict[str, Any]:
        return {"mu": self.mu, "sigma": self.sigma, "q": self.q}
