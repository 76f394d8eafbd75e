"""Expressions with infinitely many values: uniform, loguniform, normal, lognormal.

Formulas: the hyperparameter expressions of Azure Machine Learning; the bounds of the log family
are natural logarithms. The checks are shared with the quantised forms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import scipy

from experiments.problems import Problem
from experiments.space.base import Expression, FieldSpec, Scale
from experiments.space.exponents import check_exponents, exponent_warnings
from experiments.space.literals import MAX_NUMBER, brief, is_number, plain, short

_TAIL: Final = 1e-12

MIN_VALUE: Final = FieldSpec("min_value", "number", "Low", "Smallest value.")
MAX_VALUE: Final = FieldSpec("max_value", "number", "High", "Largest value.")
LOG_MIN_VALUE: Final = FieldSpec(
    "min_value", "number", "Low (ln)", "Natural logarithm of the smallest value."
)
LOG_MAX_VALUE: Final = FieldSpec(
    "max_value", "number", "High (ln)", "Natural logarithm of the largest value."
)
MU: Final = FieldSpec("mu", "number", "Mean", "Mean of the normal distribution.")
SIGMA: Final = FieldSpec("sigma", "number", "Spread", "Standard deviation, 0 or more.")
LOG_MU: Final = FieldSpec("mu", "number", "Mean (ln)", "Mean of the value's natural logarithm.")
LOG_SIGMA: Final = FieldSpec(
    "sigma", "number", "Spread (ln)", "Standard deviation of the value's natural logarithm."
)


def check_number(name: str, arguments: Mapping[str, Any], key: str, path: str) -> list[Problem]:
    """Check that an argument is a finite number of a usable size."""
    value = arguments.get(key)
    if is_number(value) and value is not None and abs(value) <= MAX_NUMBER:
        return []
    shown = brief(value) if key in arguments else "missing"
    wanted = "a number below 1e300" if is_number(value) else "a finite number"
    return [Problem(f"{path}.{key}", f"{name} {key} is {shown}; use {wanted}.")]


def check_range(
    name: str, arguments: Mapping[str, Any], path: str, *, is_log: bool
) -> list[Problem]:
    """Check `min_value` and `max_value`; equal bounds are allowed in the log family only."""
    problems = check_number(name, arguments, "min_value", path)
    problems += check_number(name, arguments, "max_value", path)
    if problems:
        return problems
    low, high = arguments["min_value"], arguments["max_value"]
    if low > high or (low == high and not is_log):
        wanted = "at least" if is_log else "greater than"
        text = f"{name} max_value is {high!r}; it must be {wanted} min_value, {low!r}."
        return [Problem(f"{path}.max_value", text)]
    return check_exponents(name, {"min_value": low, "max_value": high}, path) if is_log else []


def check_normal(
    name: str, arguments: Mapping[str, Any], path: str, *, is_log: bool
) -> list[Problem]:
    """Check `mu` and `sigma`; sigma 0 is a constant."""
    problems = check_number(name, arguments, "mu", path)
    problems += check_number(name, arguments, "sigma", path)
    mu, sigma = arguments.get("mu"), arguments.get("sigma")
    if is_number(sigma) and sigma is not None and sigma < 0:
        problems.append(Problem(f"{path}.sigma", f"{name} sigma is {sigma!r}; use 0 or more."))
    if problems or not is_log or mu is None or sigma is None:
        return problems
    return check_exponents(name, {"mu": mu - 3 * sigma, "sigma": mu + 3 * sigma}, path)


@dataclass(frozen=True, slots=True)
class Uniform(Expression):
    """U(min_value, max_value).

    >>> Uniform(0.9, 0.99).describe()
    '0.9 … 0.99, all equally likely'
    """

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
        return cls(plain(arguments["min_value"]), plain(arguments["max_value"]))

    def from_unit(self, u: float) -> float:
        # The weighted sum may leave the range by a rounding.
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
    """exp(U(min_value, max_value)); the bounds are natural logarithms.

    >>> LogUniform(-6, -1).describe()
    '0.002479 … 0.3679, every decade equally likely'
    """

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
        return cls(plain(arguments["min_value"]), plain(arguments["max_value"]))

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
    """N(mu, sigma), unbounded.

    >>> Normal(5, 0).from_unit(0.1)
    5.0
    """

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
        return cls(plain(arguments["mu"]), plain(arguments["sigma"]))

    def from_unit(self, u: float) -> float:
        return _quantile(self.mu, self.sigma, u)

    def to_unit(self, value: Any) -> float:
        return _position(self.mu, self.sigma, float(value))

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
        return _around(self, float(self.mu))


@dataclass(frozen=True, slots=True)
class LogNormal(Expression):
    """exp(N(mu, sigma)), always above 0.

    >>> LogNormal(0, 1).describe()
    'around 1, nearly always 0.04979 … 20.09'
    """

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
        return cls(plain(arguments["mu"]), plain(arguments["sigma"]))

    def from_unit(self, u: float) -> float:
        # Beyond three sigma, which `check` has looked at, the tail is cut where floats end.
        return math.exp(min(max(_quantile(self.mu, self.sigma, u), -700.0), 700.0))

    def to_unit(self, value: Any) -> float:
        return _position(self.mu, self.sigma, math.log(value)) if value > 0 else 0.0

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
        return exponent_warnings(None, self.mu + 3 * self.sigma)

    def describe(self) -> str:
        return _around(self, math.exp(self.mu))


def _quantile(mu: float, sigma: float, u: float) -> float:
    """Return the value of N(mu, sigma) at quantile `u`; the ends stay finite."""
    if not sigma:
        return float(mu)
    return float(mu + sigma * scipy.special.ndtri(min(max(u, _TAIL), 1 - _TAIL)))


def _position(mu: float, sigma: float, value: float) -> float:
    """Return the quantile of `value` under N(mu, sigma)."""
    return float(scipy.special.ndtr((value - mu) / sigma)) if sigma else 0.5


def _around(expression: Normal | LogNormal, middle: float) -> str:
    if not expression.sigma:
        return f"always {short(middle)}"
    low, high = expression.bounds()
    return f"around {short(middle)}, nearly always {short(low)} … {short(high)}"
