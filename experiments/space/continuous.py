"""Expressions with infinitely many values: uniform, loguniform, normal, lognormal.

Sources of the formulas: hyperparameter expressions of Azure Machine Learning; bounds of the log
family are natural logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from scipy.special import ndtr, ndtri

from experiments.problems import Problem
from experiments.space.base import Expression, FieldSpec, Scale, check_numbers, is_number, short

# exp() of more than this overflows a float64.
_MAX_EXPONENT = 700.0
# An ordinary learning rate or width is well below; above it, the bounds were hardly meant as logs.
_SUSPICIOUS = 10_000.0
_TAIL = 1e-12

MIN_VALUE = FieldSpec("min_value", "number", "Low", "Smallest value.")
MAX_VALUE = FieldSpec("max_value", "number", "High", "Largest value.")
LOG_MIN_VALUE = FieldSpec(
    "min_value", "number", "Low (ln)", "Natural logarithm of the smallest value."
)
LOG_MAX_VALUE = FieldSpec(
    "max_value", "number", "High (ln)", "Natural logarithm of the largest value."
)
MU = FieldSpec("mu", "number", "Mean", "Mean of the normal distribution.")
SIGMA = FieldSpec("sigma", "number", "Spread", "Standard deviation, 0 or more.")
LOG_MU = FieldSpec("mu", "number", "Mean (ln)", "Mean of the value's natural logarithm.")
LOG_SIGMA = FieldSpec(
    "sigma", "number", "Spread (ln)", "Standard deviation of the value's natural logarithm."
)


def check_range(
    name: str, arguments: Mapping[str, Any], path: str, *, is_log: bool
) -> list[Problem]:
    """Check `min_value` and `max_value`; equal bounds are allowed in the log family only."""
    problems = check_numbers(name, arguments, ("min_value", "max_value"), path)
    if problems:
        return problems
    low, high = arguments["min_value"], arguments["max_value"]
    if low > high or (low == high and not is_log):
        text = f"{name} max_value is {high!r}; it must be greater than min_value, {low!r}."
        return [Problem(f"{path}.max_value", text)]
    return check_exponent(name, "max_value", high, path) if is_log else []


def check_normal(
    name: str, arguments: Mapping[str, Any], path: str, *, is_log: bool
) -> list[Problem]:
    """Check `mu` and `sigma`; sigma 0 is a constant."""
    problems = check_numbers(name, arguments, ("mu", "sigma"), path)
    sigma, mu = arguments.get("sigma"), arguments.get("mu")
    if is_number(sigma) and sigma is not None and sigma < 0:
        problems.append(Problem(f"{path}.sigma", f"{name} sigma is {sigma!r}; use 0 or more."))
    if is_log and not problems and mu is not None and sigma is not None:
        return check_exponent(name, "mu", mu + 3 * sigma, path)
    return problems


def check_exponent(name: str, argument: str, exponent: float, path: str) -> list[Problem]:
    """Refuse a logarithm whose value no float can hold."""
    if exponent <= _MAX_EXPONENT:
        return []
    text = (
        f"{name} {argument} would reach e^{exponent:g}, more than a number can hold; its arguments "
        f"are natural logarithms. Use at most {_MAX_EXPONENT:g}."
    )
    return [Problem(f"{path}.{argument}", text)]


def exponent_warnings(low: float, high: float) -> list[str]:
    """Warn when logarithms look like plain values."""
    largest = math.exp(min(high, _MAX_EXPONENT))
    if largest < _SUSPICIOUS:
        return []
    real = f"Bounds are exponents: e^{high:g} = {short(largest)}."
    if low > 0:
        return [f"{real} For values from {low:g} to {high:g} use the bounds "
                f"{math.log(low):.4f} and {math.log(high):.4f}."]  # fmt: skip
    return [real]


@dataclass(frozen=True, slots=True)
class Uniform(Expression):
    """U(min_value, max_value)."""

    min_value: float
    max_value: float
    name: ClassVar[str] = "uniform"
    label: ClassVar[str] = "uniform"
    help: ClassVar[str] = "Any number between the bounds, all equally likely."
    fields: ClassVar[tuple[FieldSpec, ...]] = (MIN_VALUE, MAX_VALUE)
    is_discrete: ClassVar[bool] = False
    scale: ClassVar[Scale] = "linear"

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        return check_range(cls.name, arguments, path, is_log=False)

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(arguments["min_value"], arguments["max_value"])

    def from_unit(self, u: float) -> float:
        # Not min + u * (max - min): that can overflow, and can leave the range by a rounding.
        value = (1 - u) * self.min_value + u * self.max_value
        return float(min(max(value, self.min_value), self.max_value))

    def to_unit(self, value: Any) -> float:
        width = float(self.max_value) - float(self.min_value)
        return min(max((float(value) - self.min_value) / width, 0.0), 1.0)

    def contains(self, value: Any) -> bool:
        return is_number(value) and bool(self.min_value <= value <= self.max_value)

    def arguments(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value}

    def bounds(self) -> tuple[float, float]:
        return float(self.min_value), float(self.max_value)

    def describe(self) -> str:
        return f"{short(self.min_value)} … {short(self.max_value)}, all equally likely"


@dataclass(frozen=True, slots=True)
class LogUniform(Expression):
    """exp(U(min_value, max_value)); the bounds are natural logarithms."""

    min_value: float
    max_value: float
    name: ClassVar[str] = "loguniform"
    label: ClassVar[str] = "loguniform"
    help: ClassVar[str] = "Every decade equally likely; the bounds are natural logarithms."
    fields: ClassVar[tuple[FieldSpec, ...]] = (LOG_MIN_VALUE, LOG_MAX_VALUE)
    is_discrete: ClassVar[bool] = False
    scale: ClassVar[Scale] = "log"

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        return check_range(cls.name, arguments, path, is_log=True)

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(arguments["min_value"], arguments["max_value"])

    def from_unit(self, u: float) -> float:
        exponent = (1 - u) * self.min_value + u * self.max_value
        return math.exp(min(max(exponent, self.min_value), self.max_value))

    def to_unit(self, value: Any) -> float:
        width = float(self.max_value) - float(self.min_value)
        if value <= 0 or not width:
            return 0.0
        return min(max((math.log(value) - self.min_value) / width, 0.0), 1.0)

    def contains(self, value: Any) -> bool:
        if not is_number(value) or value <= 0:
            return False
        low, high = self.bounds()
        return bool(low * (1 - _TAIL) <= value <= high * (1 + _TAIL))

    def cardinality(self) -> int | None:
        return 1 if self.min_value == self.max_value else None

    def values(self) -> list[Any]:
        return [math.exp(self.min_value)] if self.min_value == self.max_value else []

    def arguments(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value}

    def bounds(self) -> tuple[float, float]:
        return math.exp(self.min_value), math.exp(self.max_value)

    def warnings(self) -> list[str]:
        return exponent_warnings(self.min_value, self.max_value)

    def describe(self) -> str:
        low, high = self.bounds()
        if low == high:
            return f"always {short(low)}"
        return f"{short(low)} … {short(high)}, every decade equally likely"


@dataclass(frozen=True, slots=True)
class Normal(Expression):
    """N(mu, sigma), unbounded."""

    mu: float
    sigma: float
    name: ClassVar[str] = "normal"
    label: ClassVar[str] = "normal"
    help: ClassVar[str] = "Around the mean, unbounded; two thirds within one spread."
    fields: ClassVar[tuple[FieldSpec, ...]] = (MU, SIGMA)
    is_discrete: ClassVar[bool] = False
    scale: ClassVar[Scale] = "linear"

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        return check_normal(cls.name, arguments, path, is_log=False)

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(arguments["mu"], arguments["sigma"])

    def from_unit(self, u: float) -> float:
        return normal_quantile(self.mu, self.sigma, u)

    def to_unit(self, value: Any) -> float:
        return normal_position(self.mu, self.sigma, float(value))

    def contains(self, value: Any) -> bool:
        return is_number(value) and bool(self.sigma > 0 or float(value) == float(self.mu))

    def cardinality(self) -> int | None:
        return None if self.sigma else 1

    def values(self) -> list[Any]:
        return [] if self.sigma else [float(self.mu)]

    def arguments(self) -> dict[str, Any]:
        return {"mu": self.mu, "sigma": self.sigma}

    def bounds(self) -> tuple[float, float]:
        return float(self.mu - 3 * self.sigma), float(self.mu + 3 * self.sigma)

    def describe(self) -> str:
        low, high = self.bounds()
        return f"around {short(self.mu)}, nearly always {short(low)} … {short(high)}"


@dataclass(frozen=True, slots=True)
class LogNormal(Expression):
    """exp(N(mu, sigma)), always above 0."""

    mu: float
    sigma: float
    name: ClassVar[str] = "lognormal"
    label: ClassVar[str] = "lognormal"
    help: ClassVar[str] = "The logarithm is normal: positive, with a long tail to the right."
    fields: ClassVar[tuple[FieldSpec, ...]] = (LOG_MU, LOG_SIGMA)
    is_discrete: ClassVar[bool] = False
    scale: ClassVar[Scale] = "log"

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        return check_normal(cls.name, arguments, path, is_log=True)

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(arguments["mu"], arguments["sigma"])

    def from_unit(self, u: float) -> float:
        return math.exp(min(normal_quantile(self.mu, self.sigma, u), _MAX_EXPONENT))

    def to_unit(self, value: Any) -> float:
        return normal_position(self.mu, self.sigma, math.log(value)) if value > 0 else 0.0

    def contains(self, value: Any) -> bool:
        if not is_number(value) or value <= 0:
            return False
        return self.sigma > 0 or math.isclose(value, math.exp(self.mu), rel_tol=_TAIL)

    def cardinality(self) -> int | None:
        return None if self.sigma else 1

    def values(self) -> list[Any]:
        return [] if self.sigma else [math.exp(self.mu)]

    def arguments(self) -> dict[str, Any]:
        return {"mu": self.mu, "sigma": self.sigma}

    def bounds(self) -> tuple[float, float]:
        return math.exp(self.mu - 3 * self.sigma), math.exp(self.mu + 3 * self.sigma)

    def warnings(self) -> list[str]:
        return exponent_warnings(self.mu, self.mu + 3 * self.sigma)

    def describe(self) -> str:
        low, high = self.bounds()
        return f"around {short(math.exp(self.mu))}, nearly always {short(low)} … {short(high)}"


def normal_quantile(mu: float, sigma: float, u: float) -> float:
    """Return the value of N(mu, sigma) at quantile `u`; the ends stay finite."""
    if not sigma:
        return float(mu)
    return float(mu + sigma * ndtri(min(max(u, _TAIL), 1 - _TAIL)))


def normal_position(mu: float, sigma: float, value: float) -> float:
    """Return the quantile of `value` under N(mu, sigma)."""
    return float(ndtr((value - mu) / sigma)) if sigma else 0.5
