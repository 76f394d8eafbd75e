"""Read the fields of a JSON object: a wrong one becomes a problem and gives a blank. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from experiments.problems import Problem
from experiments.space.literals import brief
from experiments.storable import is_storable

_SPECIAL: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def number_of(raw: Any) -> float | None:
    """Return a number of JSON as a float, "NaN" and infinities as such; None: it is no number.

    >>> number_of(3), number_of("Infinity"), number_of("0.5"), number_of(True)
    (3.0, inf, None, None)
    """
    if isinstance(raw, str):
        return _SPECIAL.get(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    try:
        return float(raw)
    except OverflowError:
        return None


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of a document at `path`; what is wrong with it is added to `problems`."""

    raw: Mapping[str, Any]
    path: str
    problems: list[Problem]

    def problem(self, name: str, text: str) -> None:
        """Note what is wrong with a field."""
        self.problems.append(Problem(f"{self.path}.{name}" if self.path else name, text))

    def inner(self, name: str) -> Fields:
        """Return the object in a field; without one an empty object."""
        path = f"{self.path}.{name}" if self.path else name
        return Fields(self.mapping(name), path, self.problems)

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return the object in a field as it is."""
        raw = self.raw.get(name)
        if isinstance(raw, Mapping):
            return raw
        self.problem(name, f"{name} is {brief(raw)}; it must be an object.")
        return {}

    def listed(self, name: str) -> list[Any]:
        """Return the list in a field."""
        raw = self.raw.get(name)
        if isinstance(raw, list):
            return raw
        self.problem(name, f"{name} is {brief(raw)}; it must be a list.")
        return []

    def text(self, name: str, limit: int) -> str:
        """Return a text of at most `limit` characters; "" where there is none."""
        raw = self.raw.get(name)
        if raw is None:
            return ""
        if isinstance(raw, str) and len(raw) <= limit and is_storable(raw):
            return raw
        self.problem(name, f"{name} is {brief(raw)}; use a text of up to {limit} characters.")
        return ""

    def whole(self, name: str, *, lowest: int = 0, bits: int = 31) -> int | None:
        """Return a whole number; None where there is none."""
        raw, highest = self.raw.get(name), 2**bits - 1
        if raw is None:
            return None
        if isinstance(raw, int) and not isinstance(raw, bool) and lowest <= raw <= highest:
            return raw
        self.problem(
            name, f"{name} is {brief(raw)}; use a whole number from {lowest} to {highest}."
        )
        return None

    def time(self, name: str) -> datetime | None:
        """Return a time with its offset, in UTC; None where there is none."""
        raw = self.raw.get(name)
        if raw is None:
            return None
        try:
            moment = datetime.fromisoformat(raw) if isinstance(raw, str) else None
            if moment is not None and moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        self.problem(
            name, f"{name} is {brief(raw)}; use ISO 8601 with an offset: 2026-11-21T12:00:00Z."
        )
        return None

    def words(self, name: str) -> list[str] | None:
        """Return a list of texts; None where there is none."""
        raw = self.raw.get(name)
        if raw is None:
            return None
        if isinstance(raw, list) and all(isinstance(w, str) and is_storable(w) for w in raw):
            return list(raw)
        self.problem(name, f"{name} is {brief(raw)}; use a list of texts.")
        return None

    def texts(self, name: str, *, nullable: bool) -> dict[str, Any]:
        """Return an object of names with texts, or null where `nullable`."""
        raw = self.raw.get(name)
        if raw is None:
            return {}
        if isinstance(raw, Mapping) and all(
            is_storable(str(key))
            and ((value is None and nullable) or (isinstance(value, str) and is_storable(value)))
            for key, value in raw.items()
        ):
            return dict(raw)
        self.problem(name, f"{name} is {brief(raw)}; use an object of names with texts.")
        return {}
