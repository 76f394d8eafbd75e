"""The values of the filter language: numbers, durations, times, states, words. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

from experiments.run_columns import Column, Kind
from experiments.states import RUN_ACTIVE, RUN_LIVE, RUN_TERMINAL, RunState


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: absolute, or `back` from now. A whole day has its length as `span`."""

    at: datetime | None = None
    back: timedelta | None = None
    days_back: int | None = None
    span: timedelta = timedelta(0)

    def resolve(self, now: datetime) -> datetime:
        """Return the point as seen at `now`."""
        if self.at is not None:
            return self.at
        if self.back is not None:
            return now - self.back
        today = datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), UTC)
        return today - timedelta(days=self.days_back or 0)


Value: TypeAlias = float | str | timedelta | Moment | None


class WrongValueError(ValueError):
    """A part of a filter cannot be read; the sentence says which, its value and what is allowed."""


# Kinds that < and ranges fit; VALUE takes them for its numbers.
ORDERED: Final = frozenset(
    {Kind.NUMBER, Kind.COUNT, Kind.SIZE, Kind.DURATION, Kind.TIME, Kind.VALUE}
)
# Kinds whose values are never text: ":" and "=" mean the same.
NUMERIC: Final = frozenset({Kind.NUMBER, Kind.COUNT, Kind.SIZE, Kind.DURATION, Kind.TIME})
STOPPED_EARLY: Final = "stopped_early"
PREEMPTED: Final = "preempted"

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_DURATION: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|sec|s|min|m|h|d|w)?")
_UNITS: Final = {
    "ms": 0.001, "": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800,
}  # fmt: skip
_SIZES: Final = {"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12}
_SIZE: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([kmgt]?b)?", re.IGNORECASE)
_LONGEST: Final = 3.0e9  # seconds: what a timedelta and both databases can hold


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]", "", word).lower()


def _state_words() -> dict[str, tuple[str, ...]]:
    words = {_plain(state): (str(state),) for state in RunState}
    groups: dict[str, tuple[str, ...]] = {
        "running": tuple(sorted(RUN_LIVE)),
        "queued": (RunState.NOT_STARTED, RunState.QUEUED),
        "waiting": (RunState.NOT_STARTED, RunState.QUEUED),
        "canceling": (RunState.CANCEL_REQUESTED,),
        "stopped": (STOPPED_EARLY,),
        "stoppedearly": (STOPPED_EARLY,),
        "cancelled": (RunState.CANCELED,),
        "preempted": (PREEMPTED,),
        "active": tuple(sorted(RUN_ACTIVE)),
        "ended": (*sorted(RUN_TERMINAL), STOPPED_EARLY),
    }
    return words | groups


# A word for states, without blanks and dashes: the states that it stands for. Canceled leaves out
# what was stopped early, as the chips do.
STATE_WORDS: Final = _state_words()
# What is offered, in the order of a run's life.
OFFERED_STATES: Final = (
    "queued", "running", "completed", "stopped_early", "failed", "preempted", "canceled",
    "active", "ended",
)  # fmt: skip


def is_word(column: Column) -> bool:
    """Tell whether values are taken as whole words even after a colon."""
    return column.kind in {Kind.STATE, Kind.WORD, Kind.MARKS}


def read_value(text: str, column: Column, value: str, *, number_only: bool = False) -> Value:
    """Read one value of a column; `text` is the condition it stands in.

    Raises:
        WrongValueError: it is not what the column has.
    """
    match column.kind:
        case Kind.NUMBER | Kind.COUNT:
            return _number(text, column, value)
        case Kind.SIZE:
            return _size(text, column, value)
        case Kind.DURATION:
            return _duration(text, column, value)
        case Kind.TIME:
            return _moment(text, column, value)
        case Kind.VALUE if number_only:
            return _number(text, column, value)
        case Kind.STATE:
            return _state(text, value)
        case Kind.WORD:
            return _word(text, column, value)
        case _:
            return value


def number_of(value: str) -> float | None:
    """Return the number that a text is, None when it is another text."""
    plain = value.replace("−", "-")
    return float(plain) if _NUMBER.fullmatch(plain) else None


def _number(text: str, column: Column, value: str) -> float:
    number = number_of(value)
    if number is None or not math.isfinite(number):
        also = ", none, any or nan" if column.kind == Kind.NUMBER else ", none or any"
        raise WrongValueError(
            f"'{text}': '{value}' is not a number; {column.key} takes numbers like 0.01 and 1e-4, "
            f"ranges like 10..20{also}."
        )
    return number


def _size(text: str, column: Column, value: str) -> float:
    found = _SIZE.fullmatch(value)
    if found is None:
        raise WrongValueError(
            f"'{text}': '{value}' is not a size; {column.key} takes sizes like 500kB, 20MB, 1.5GB "
            "or bytes."
        )
    return float(found[1]) * _SIZES[(found[2] or "").lower()]


def _duration(text: str, column: Column, value: str) -> timedelta:
    seconds = _seconds(value)
    if seconds is None:
        raise WrongValueError(
            f"'{text}': '{value}' is not a duration; {column.key} takes durations like 90s, 10min, "
            "1.5h, 2d."
        )
    return timedelta(seconds=seconds)


def _seconds(value: str) -> float | None:
    at, total = 0, 0.0
    for found in _DURATION.finditer(value):
        if found.start() != at:
            return None
        at = found.end()
        total += float(found[1]) * _UNITS[found[2] or ""]
    return total if value and at == len(value) and total <= _LONGEST else None


def _moment(text: str, column: Column, value: str) -> Moment:
    day = timedelta(days=1)
    if value in ("today", "yesterday"):
        return Moment(days_back=0 if value == "today" else 1, span=day)
    if value.startswith("-") and (seconds := _seconds(value[1:])) is not None:
        return Moment(back=timedelta(seconds=seconds))
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return Moment(
                at=datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC), span=day
            )
        when = datetime.fromisoformat(value) if value[:4].isdecimal() and "-" in value else None
    except ValueError:
        when = None
    if when is None:
        raise WrongValueError(
            f"'{text}': '{value}' is not a time; {column.key} takes days like 2026-11-20, times "
            "like 2026-11-20T14:30 (UTC), today, yesterday, or -2h for two hours ago."
        )
    # A time is known to the second, so that one can be asked for.
    exact = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return Moment(at=exact, span=timedelta(seconds=1))


def _state(text: str, value: str) -> str:
    word = _plain(value)
    if word not in STATE_WORDS:
        raise WrongValueError(
            f"'{text}': '{value}' is not a state; use {', '.join(OFFERED_STATES)}."
        )
    return word


def _word(text: str, column: Column, value: str) -> str:
    if value.lower() not in column.options:
        raise WrongValueError(
            f"'{text}': '{value}' is not a value of {column.key}; use {', '.join(column.options)}."
        )
    return value.lower()
