"""Expressions with separate values: choice, randint and the quantised four.

Quantised values follow round(x / q) * q without clamping, as published: the end cells of quniform
are half as likely, and the grid may leave the bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from experiments.problems import Problem
from experiments.space.base import (
    Expression,
    FieldSpec,
    Scale,
    check_numbers,
    identity,
    is_number,
    literal,
    short,
)
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
)

STEP: Final = FieldSpec("q", "number", "Step q", "Values are multiples of this; above 0.")
# More separate values than this are treated as a continuum wherever every one would be listed.
MAX_LISTED: Final = 100_000
_FEW: Final = 3
_UNIT_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Choice(Expression):
    """One of the options, equal weight; an option listed twice is twice as likely."""

    options: tuple[Any, ...]
    name: ClassVar[str] = "choice"
    label: ClassVar[str] = "choice"
    help: ClassVar[str] = "One of a list of values, all equally likely."
    fields: ClassVar[tuple[FieldSpec, ...]] = (
        FieldSpec("values", "values", "Values", "The values to choose from."),
    )
    is_discrete: ClassVar[bool] = True
    scale: ClassVar[Scale] = "category"

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        values = arguments.get("values")
        if not isinstance(values, list | tuple):
            shown = literal(values) if "values" in arguments else "missing"
            return [Problem(f"{path}.values", f"choice values is {shown}; use a list of values.")]
        if not values:
            return [Problem(f"{path}.values", "choice has no values; give at least one.")]
        return [
            Problem(f"{path}.values[{i}]", f"choice value {value!r} cannot be written as JSON.")
            for i, value in enumerate(values)
            if not _is_json(value)
        ]

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(tuple(arguments["values"]))

    def from_unit(self, u: float) -> Any:
        return self.options[min(int(u * len(self.options)), len(self.options) - 1)]

    def to_unit(self, value: Any) -> float:
        wanted = identity(value)
        keys = [identity(option) for option in self.options]
        index = keys.index(wanted) if wanted in keys else 0
        return (index + 0.5) / len(self.options)

    def contains(self, value: Any) -> bool:
        if not _is_json(value):
            return False
        wanted = identity(value)
        return any(identity(option) == wanted for option in self.options)

    def cardinality(self) -> int:
        return len(self.values())

    def values(self) -> list[Any]:
        return list({identity(option): option for option in self.options}.values())

    def arguments(self) -> dict[str, Any]:
        return {"values": list(self.options)}

    def to_wire(self) -> list[Any]:
        return [self.name, [list(self.options)]]

    def to_text(self) -> str:
        # A list as the only option would be unpacked when it is read back.
        if len(self.options) == 1 and isinstance(self.options[0], list):
            return f"choice([{literal(self.options[0])}])"
        if any(isinstance(option, list) for option in self.options):
            return f"choice({literal(list(self.options))})"
        return f"choice({', '.join(literal(option) for option in self.options)})"

    def warnings(self) -> list[str]:
        count, different = len(self.options), self.cardinality()
        if count == different:
            return []
        return [f"{count - different} of {count} values are listed more than once: they are drawn more often."]  # fmt: skip  # noqa: E501

    def describe(self) -> str:
        count = self.cardinality()
        return f"{count} values" if count > 1 else "always the same value"


@dataclass(frozen=True, slots=True)
class RandInt(Expression):
    """An integer in [0, upper)."""

    upper: int
    name: ClassVar[str] = "randint"
    label: ClassVar[str] = "randint"
    help: ClassVar[str] = "A whole number from 0 up to, not including, the upper bound."
    fields: ClassVar[tuple[FieldSpec, ...]] = (
        FieldSpec("upper", "integer", "Upper", "One more than the largest number."),
    )
    is_discrete: ClassVar[bool] = True
    scale: ClassVar[Scale] = "linear"

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        upper = arguments.get("upper")
        if isinstance(upper, int) and not isinstance(upper, bool) and 0 < upper < 1 << 53:
            return []
        shown = literal(upper) if "upper" in arguments else "missing"
        text = f"randint upper is {shown}; use a whole number of at least 1."
        return [Problem(f"{path}.upper", text)]

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(arguments["upper"])

    def from_unit(self, u: float) -> int:
        return min(int(u * self.upper), self.upper - 1)

    def to_unit(self, value: Any) -> float:
        return min(max((float(value) + 0.5) / self.upper, 0.0), 1.0)

    def contains(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < self.upper

    def cardinality(self) -> int:
        return self.upper

    def values(self) -> list[Any]:
        return list(range(self.upper)) if self.upper <= MAX_LISTED else []

    def value_at(self, index: int) -> int:
        return index

    def arguments(self) -> dict[str, Any]:
        return {"upper": self.upper}

    def bounds(self) -> tuple[float, float]:
        return 0.0, float(max(self.upper - 1, 0))

    def describe(self) -> str:
        return f"whole numbers 0 … {self.upper - 1}"


class _Quantised(Expression):
    """round(x / q) * q of another expression; ties go to the even multiple, as Python rounds."""

    __slots__ = ()
    q: float
    is_discrete: ClassVar[bool] = True
    _inner_class: ClassVar[type[Expression]]

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        problems = [
            Problem(p.path, p.message.replace(cls._inner_class.name, cls.name, 1))
            for p in cls._inner_class.check(arguments, path)
        ]
        problems += check_numbers(cls.name, arguments, ("q",), path)
        q = arguments.get("q")
        if q is not None and is_number(q) and q <= 0:
            problems.append(
                Problem(f"{path}.q", f"{cls.name} q is {q!r}; use a number greater than 0.")
            )
        return problems

    def inner(self) -> Expression:
        """Return the expression that is rounded."""
        return self._inner_class.build(self.arguments())

    def from_unit(self, u: float) -> int | float:
        return self._multiple(round(self.inner().from_unit(u) / self.q))

    def to_unit(self, value: Any) -> float:
        # Between the quantiles of the cell's ends, so that the way back rounds to this value.
        inner, k = self.inner(), round(value / self.q)
        low = inner.to_unit((k - 0.5) * self.q)
        high = inner.to_unit((k + 0.5) * self.q)
        return (low + high) / 2

    def contains(self, value: Any) -> bool:
        if not is_number(value):
            return False
        k = round(value / self.q)
        if abs(value - k * self.q) > _UNIT_TOLERANCE * max(abs(value), self.q):
            return False
        span = self._span()
        return span is None or span[0] <= k <= span[1]

    def cardinality(self) -> int | None:
        span = self._span()
        return None if span is None else span[1] - span[0] + 1

    def values(self) -> list[Any]:
        span = self._span()
        if span is None or span[1] - span[0] >= MAX_LISTED:
            return []
        return [self._multiple(k) for k in range(span[0], span[1] + 1)]

    def value_at(self, index: int) -> int | float:
        span = self._span()
        if span is None:
            raise ValueError(f"{self.to_text()} has no end, so no value number {index}.")
        return self._multiple(span[0] + index)

    def bounds(self) -> tuple[float, float]:
        span = self._span()
        if span is None:
            low, high = self.inner().bounds() or (0.0, 0.0)
            return round(low / self.q) * self.q, round(high / self.q) * self.q
        return float(self._multiple(span[0])), float(self._multiple(span[1]))

    def describe(self) -> str:
        low, high = self.bounds()
        if self.cardinality() == 1:
            return f"always {short(low)}"
        kind = "around" if self._span() is None else "from"
        return f"multiples of {self.q:g} {kind} {short(low)} to {short(high)}"

    def warnings(self) -> list[str]:
        found = self.inner().warnings()
        count = self.cardinality()
        if count is not None and count <= _FEW:
            noun = "one value" if count == 1 else f"{count} values"
            found.append(f"q {self.q:g} collapses the range to {noun}.")
        span, bounds = self._span(), self.inner().bounds()
        if span is not None and bounds is not None:
            low, high = self.bounds()
            slack = _UNIT_TOLERANCE * max(abs(bounds[0]), abs(bounds[1]), self.q)
            if low < bounds[0] - slack or high > bounds[1] + slack:
                found.append(
                    f"Rounding to multiples of {self.q:g} gives values from {short(low)} to "
                    f"{short(high)}, beyond {short(bounds[0])} … {short(bounds[1])}."
                )
        return found

    def _multiple(self, k: int) -> int | float:
        if isinstance(self.q, int) or float(self.q).is_integer():
            return k * int(self.q)
        # 3 * 0.1 is 0.30000000000000004; a script should be given 0.3.
        value = k * self.q
        return float(f"{value:.12g}")

    def _span(self) -> tuple[int, int] | None:
        """Return the smallest and the largest multiple; None when there is no end."""
        if self.inner().cardinality() is None and isinstance(self.inner(), Normal | LogNormal):
            return None
        inner = self.inner()
        return round(inner.from_unit(0.0) / self.q), round(inner.from_unit(1.0) / self.q)


@dataclass(frozen=True, slots=True)
class QUniform(_Quantised):
    """round(U(min_value, max_value) / q) * q."""

    min_value: float
    max_value: float
    q: float
    name: ClassVar[str] = "quniform"
    label: ClassVar[str] = "quniform"
    help: ClassVar[str] = "Multiples of a step between the bounds."
    fields: ClassVar[tuple[FieldSpec, ...]] = (MIN_VALUE, MAX_VALUE, STEP)
    scale: ClassVar[Scale] = "linear"
    _inner_class: ClassVar[type[Expression]] = Uniform

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(arguments["min_value"], arguments["max_value"], arguments["q"])

    def arguments(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "q": self.q}


@dataclass(frozen=True, slots=True)
class QLogUniform(_Quantised):
    """round(exp(U(min_value, max_value)) / q) * q."""

    min_value: float
    max_value: float
    q: float
    name: ClassVar[str] = "qloguniform"
    label: ClassVar[str] = "qloguniform"
    help: ClassVar[str] = "Multiples of a step, every decade equally likely; bounds are logarithms."
    fields: ClassVar[tuple[FieldSpec, ...]] = (LOG_MIN_VALUE, LOG_MAX_VALUE, STEP)
    scale: ClassVar[Scale] = "log"
    _inner_class: ClassVar[type[Expression]] = LogUniform

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(arguments["min_value"], arguments["max_value"], arguments["q"])

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
    _inner_class: ClassVar[type[Expression]] = Normal

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(arguments["mu"], arguments["sigma"], arguments["q"])

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
    _inner_class: ClassVar[type[Expression]] = LogNormal

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(arguments["mu"], arguments["sigma"], arguments["q"])

    def arguments(self) -> dict[str, Any]:
        return {"mu": self.mu, "sigma": self.sigma, "q": self.q}


def _is_json(value: Any) -> bool:
    if value is None or isinstance(value, str | bool):
        return True
    if isinstance(value, int | float):
        return isinstance(value, int) or math.isfinite(value)
    if isinstance(value, list | tuple):
        return all(_is_json(item) for item in value)
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and _is_json(v) for k, v in value.items())
    return False
