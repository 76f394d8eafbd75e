"""Expressions that list their values: choice and randint."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self

from experiments.problems import Problem
from experiments.space import EXPRESSIONS
from experiments.space.base import Expression, FieldSpec, Scale
from experiments.space.literals import brief, identity, is_number, literal, option_fault, plain

# More separate values than this are treated as a continuum wherever every one would be listed.
MAX_LISTED: Final = 100_000
# All options are stored and shown, and no sweep has more than a thousand runs.
MAX_OPTIONS: Final = 10_000
_MAX_UPPER: Final = 1 << 53
_FEW: Final = 6
_MAX_SENTENCE: Final = 60


@dataclass(frozen=True, slots=True, eq=False)
class Choice(Expression):
    """One of the options, equal weight; an option listed twice is twice as likely.

    >>> Choice.build({"values": (16, 32, 64, 64)}).values()
    [16, 32, 64]
    """

    options: tuple[Any, ...]
    # Both follow from the options: the different ones in order, and their places.
    _distinct: tuple[Any, ...] = field(init=False, repr=False)
    _places: dict[Hashable, int] = field(init=False, repr=False)
    name: ClassVar[str] = "choice"
    label: ClassVar[str] = "choice"
    help: ClassVar[str] = "One of a list of values, all equally likely."
    fields: ClassVar[tuple[FieldSpec, ...]] = (
        FieldSpec("values", "values", "Values", "The values to choose from."),
    )
    is_discrete: ClassVar[bool] = True
    scale: ClassVar[Scale] = "category"

    def __post_init__(self) -> None:
        by_key: dict[Hashable, Any] = {}
        for option in self.options:
            by_key.setdefault(_key(option), option)
        object.__setattr__(self, "_distinct", tuple(by_key.values()))
        object.__setattr__(self, "_places", {key: place for place, key in enumerate(by_key)})

    def __eq__(self, other: object) -> bool:
        # As tuples, (1,) and (True,) are equal.
        return isinstance(other, Choice) and self.to_text() == other.to_text()

    def __hash__(self) -> int:
        return hash(self.to_text())

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> list[Problem]:
        values = arguments.get("values")
        if not isinstance(values, list | tuple):
            shown = brief(values) if "values" in arguments else "missing"
            return [Problem(f"{path}.values", f"choice values is {shown}; use a list of values.")]
        if not values:
            return [Problem(f"{path}.values", "choice has no values; give at least one.")]
        if len(values) > MAX_OPTIONS:
            text = f"choice has {len(values)} values; it takes at most {MAX_OPTIONS}."
            return [Problem(f"{path}.values", text)]
        faults = ((place, value, _fault(value)) for place, value in enumerate(values))
        return [
            Problem(f"{path}.values[{place}]", f"The choice {brief(value)} {fault}.")
            for place, value, fault in faults
            if fault
        ]

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(tuple(plain(value) for value in arguments["values"]))

    def from_unit(self, u: float) -> Any:
        option = self.options[min(int(u * len(self.options)), len(self.options) - 1)]
        # Lists and mappings are handed out to be kept, and the expression is shared.
        return deepcopy(option) if isinstance(option, list | dict) else option

    def to_unit(self, value: Any) -> float:
        """Return the middle of the first cell of `value`.

        Raises:
            ValueError: it is not an option; there is no nearest one.
        """
        place = self.index_of(value)
        if place is None:
            raise ValueError(f"{brief(value)} is not one of the options of {brief(self.to_text())}")
        wanted = _key(self._distinct[place])
        index = next(i for i, option in enumerate(self.options) if _key(option) == wanted)
        return (index + 0.5) / len(self.options)

    def contains(self, value: Any) -> bool:
        return self.index_of(value) is not None

    def cardinality(self) -> int:
        return len(self._distinct)

    def values(self) -> list[Any]:
        return deepcopy(list(self._distinct))

    def value_at(self, index: int) -> Any:
        return deepcopy(self._distinct[index])

    def index_of(self, value: Any) -> int | None:
        key = _key(value)
        place = None if key is None else self._places.get(key)
        if place is not None or not is_number(value):
            return place
        # Storage may give back 16 for 16.0; where both are options, the exact one was found above.
        equal = (
            i for i, option in enumerate(self._distinct) if is_number(option) and option == value
        )
        return next(equal, None)

    def key(self, value: Any) -> str:
        place = self.index_of(value)
        return super(Choice, self).key(value) if place is None else f"option {place}"

    def arguments(self) -> dict[str, Any]:
        return {"values": deepcopy(list(self.options))}

    def to_wire(self) -> list[Any]:
        return [self.name, [deepcopy(list(self.options))]]

    def to_text(self) -> str:
        # A list as the only argument is unpacked when it is read back.
        if any(isinstance(option, list) for option in self.options):
            return f"choice({literal(self.options)})"
        return f"choice({', '.join(literal(option) for option in self.options)})"

    def warnings(self) -> list[str]:
        extra = len(self.options) - self.cardinality()
        if not extra:
            return []
        verb = "repeats" if extra == 1 else "repeat"
        return [
            f"{extra} of {len(self.options)} values {verb} another one: "
            "random sampling draws it more often, a grid tries it once."
        ]

    def describe(self) -> str:
        count = self.cardinality()
        listed = ", ".join(literal(value) for value in self._distinct[:_FEW])
        if count > _FEW or len(listed) > _MAX_SENTENCE:
            return f"one of {count} values"
        return f"one of {listed}" if count > 1 else f"always {listed}"


@dataclass(frozen=True, slots=True)
class RandInt(Expression):
    """An integer in [0, upper).

    >>> RandInt(10).describe()
    'whole numbers 0 … 9'
    """

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
        if isinstance(upper, int) and not isinstance(upper, bool) and 0 < upper <= _MAX_UPPER:
            return []
        shown = brief(upper) if "upper" in arguments else "missing"
        text = f"randint upper is {shown}; use a whole number from 1 to 2^53."
        return [Problem(f"{path}.upper", text)]

    @classmethod
    def build(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(plain(arguments["upper"]))

    def from_unit(self, u: float) -> int:
        return min(int(u * self.upper), self.upper - 1)

    def to_unit(self, value: Any) -> float:
        return min(max((float(value) + 0.5) / self.upper, 0.0), 1.0)

    def contains(self, value: Any) -> bool:
        return self.index_of(value) is not None

    def cardinality(self) -> int:
        return self.upper

    def values(self) -> list[Any]:
        return list(range(self.upper)) if self.upper <= MAX_LISTED else []

    def value_at(self, index: int) -> int:
        return index

    def index_of(self, value: Any) -> int | None:
        if not is_number(value) or not 0 <= value < self.upper:
            return None
        return int(value) if int(value) == value else None

    def arguments(self) -> dict[str, Any]:
        return {"upper": self.upper}

    def bounds(self) -> tuple[float, float]:
        return 0.0, float(self.upper - 1)

    def describe(self) -> str:
        return f"whole numbers 0 … {self.upper - 1}" if self.upper > 1 else "always 0"


def _key(value: Any) -> Hashable:
    """Return what only the same option has: 1, 1.0 and True differ; None: cannot be an option."""
    # Histories of a thousand runs are looked up again and again: plain values take the short way.
    kind = type(value)
    if kind in (str, int, bool):
        return kind, value
    if kind is float:
        return kind, repr(value)
    return None if option_fault(value) else identity(plain(value))


def _fault(value: Any) -> str:
    """Return why `value` cannot be an option; "" when it can."""
    if fault := option_fault(value):
        return fault
    if isinstance(value, Mapping):
        nested = next((key for key, item in value.items() if _is_expression(item)), None)
        if nested is not None:
            return f"holds an expression, {nested!r}; a space inside a value is not supported"
    return ""


def _is_expression(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") in EXPRESSIONS
