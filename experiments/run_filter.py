"""The filter language of runs: `learning_rate<0.01 status:failed -tag:draft "out of memory"`.

Text in, conditions out; all of them must hold. Pure: whoever reads rows turns conditions into a
query. docs/runs-table.md explains the language to people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from experiments.problems import Problem, ProblemsError
from experiments.run_columns import Column, Columns, Kind
from experiments.run_filter_values import (
    NUMERIC,
    ORDERED,
    Moment,
    Value,
    WrongValueError,
    is_word,
    read_value,
)
from experiments.storable import is_storable

MAX_LENGTH: Final = 1000
MAX_CONDITIONS: Final = 50
PATH: Final = "filter"
_MOST_LISTED: Final = 16
_SIGNS: Final = ("<=", ">=", "!=", "<", ">", "=", ":")
_ORDER_SIGNS: Final = frozenset({"<", "<=", ">", ">="})
_STOPS: Final = frozenset(":<>=")

__all__ = ["Condition", "Moment", "Term", "Value", "parse_filter", "split_terms"]


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a filter before its column is known; `value` keeps its quotes."""

    text: str
    name: str
    sign: str
    value: str
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `column` None: the word stands somewhere in the run.

    `test` is < <= > >= (one value), "is" (any of the values), "has" (any of them as a part),
    "between" (two values, None: open), "none" (no value), "any" (some value) or "nan".
    `is_negated` takes every other run, also those without a value.
    """

    column: Column | None
    test: str
    values: tuple[Value, ...]
    is_negated: bool
    text: str


Terms: TypeAlias = list[Term]


def parse_filter(text: str, columns: Columns) -> list[Condition]:
    """Read a filter for these columns; an empty one has no condition.

    Raises:
        ProblemsError: everything that is wrong with it, each with the part, its value and what is
            allowed.
    """
    problems: list[Problem] = []
    conditions = []
    for term in split_terms(text):
        try:
            conditions.append(_condition(term, columns))
        except WrongValueError as error:
            problems.append(Problem(PATH, str(error)))
    if problems:
        raise ProblemsError(problems)
    return conditions


def split_terms(text: str) -> Terms:
    """Cut a filter into its terms, whatever columns there are.

    Raises:
        ProblemsError: it is too long, or a quote is not closed.
    """
    if len(text) > MAX_LENGTH:
        raise _refuse(f"The filter has {len(text)} characters; use at most {MAX_LENGTH}.")
    if not is_storable(text):
        raise _refuse("The filter has a null character or half a character; remove it.")
    terms = list(_Reader(text).terms())
    if len(terms) > MAX_CONDITIONS:
        raise _refuse(f"The filter has {len(terms)} conditions; use at most {MAX_CONDITIONS}.")
    return terms


def _refuse(message: str) -> ProblemsError:
    return ProblemsError([Problem(PATH, message)])


class _Reader:
    """Reads terms from left to right; blanks may stand around a sign."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def terms(self) -> Iterator[Term]:
        is_negated = False
        while self._skip_blanks():
            start = self._at
            if self._text.startswith(("-", "!"), start) and self._follows(start + 1):
                is_negated = not is_negated
                self._at += 1
            name = self._piece(_STOPS)
            if name in ("AND", "and") and not self._sign_ahead():
                continue
            if name == "NOT" and not self._sign_ahead():
                is_negated = not is_negated
                continue
            sign = self._sign()
            value = self._piece(frozenset()) if sign else ""
            text = self._text[start : self._at].strip()
            yield Term(text, name, sign, value, is_negated)
            is_negated = False

    def _follows(self, at: int) -> bool:
        """Tell whether a term begins here, so that the sign before it negates: a lone dash is a
        word, and two belong to the name of an argument."""
        rest = self._text[at : at + 2]
        is_name = not rest.startswith("-") or rest == "--"
        return bool(rest) and not rest[0].isspace() and rest[0] != "=" and is_name

    def _skip_blanks(self) -> bool:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at < len(self._text)

    def _sign_ahead(self) -> str:
        rest = self._text[self._at :].lstrip()
        blanks = len(self._text) - self._at - len(rest)
        sign = next((sign for sign in _SIGNS if rest.startswith(sign)), "")
        # After a blank a colon begins a word of its own, as in "epoch :3".
        return "" if sign == ":" and blanks else sign

    def _sign(self) -> str:
        sign = self._sign_ahead()
        if sign:
            self._skip_blanks()
            self._at += len(sign)
            self._skip_blanks()
        return sign

    def _piece(self, stops: frozenset[str]) -> str:
        """Read up to a blank or a stop; what stands in quotes is kept whole."""
        start = self._at
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char == '"':
                self._skip_quoted()
                continue
            if char.isspace() or char in stops or (stops and text.startswith("!=", self._at)):
                break
            self._at += 1
        return text[start : self._at]

    def _skip_quoted(self) -> None:
        start = self._at
        self._at += 1
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return
            self._at += 2 if char == "\\" else 1
        raise _refuse(f'The quote before {self._text[start + 1 :]!r} is not closed; add ".')


def _condition(term: Term, columns: Columns) -> Condition:
    name = unquote(term.name)
    if not term.sign:
        return _word(term, name)
    if not name:
        raise WrongValueError(f"'{term.text}' names no column before '{term.sign}'; {_EXAMPLE}")
    column = columns.find(name)
    if column is None or not column.is_filterable:
        raise WrongValueError(_unknown(term, name, columns))
    if not term.value:
        raise WrongValueError(f"'{term.text}' has no value after '{term.sign}'; {_EXAMPLE}")
    sign, is_negated = term.sign, term.is_negated
    if sign == "!=":
        sign, is_negated = "=", not is_negated
    if sign in _ORDER_SIGNS:
        return _ordered(term, column, sign, is_negated)
    return _equal(term, column, sign, is_negated)


_EXAMPLE: Final = "write it like learning_rate<0.01 or status:failed."


def _word(term: Term, word: str) -> Condition:
    if term.name in ("OR", "or", "|", "||"):
        raise WrongValueError(
            f"'{term.name}' is not known: all conditions must hold. Put several values of one "
            'column behind commas, as in status:failed,canceled; the word itself in quotes, "or".'
        )
    if not word:
        raise WrongValueError(f"'{term.text}' looks for nothing; write a word or remove it.")
    return Condition(None, "has", (word,), term.is_negated, term.text)


def _unknown(term: Term, name: str, columns: Columns) -> str:
    near = columns.near(name)
    keys = columns.telling()
    more = f" and {len(keys) - _MOST_LISTED} more" if len(keys) > _MOST_LISTED else ""
    there_are = f"There are {', '.join(keys[:_MOST_LISTED])}{more}."
    meant = f"Did you mean {', '.join(near)}?" if near else there_are
    return (
        f"'{term.text}': there is no column '{name}'. {meant} "
        "To look for the text itself, put it in quotes."
    )


def _ordered(term: Term, column: Column, sign: str, is_negated: bool) -> Condition:
    if column.kind not in ORDERED:
        raise WrongValueError(
            f"'{term.text}': {column.key} is text, so '{sign}' does not fit; "
            f"use {column.key}:part or {column.key}=whole."
        )
    value = read_value(term.text, column, unquote(term.value), number_only=True)
    return Condition(column, sign, (value,), is_negated, term.text)


def _equal(term: Term, column: Column, sign: str, is_negated: bool) -> Condition:
    lone = term.value.lower()
    if lone in ("none", "any"):
        return Condition(column, lone, (), is_negated, term.text)
    if lone == "nan" and column.kind == Kind.NUMBER:
        return Condition(column, "nan", (), is_negated, term.text)
    if column.kind in ORDERED and ".." in term.value and '"' not in term.value:
        values = _bounds(term, column)
        return Condition(column, "between", values, is_negated, term.text)
    parts = list(_split_list(term.value))
    if not all(parts):
        raise WrongValueError(f"'{term.text}' has an empty value; write {column.key}:a,b.")
    values = tuple(read_value(term.text, column, unquote(part)) for part in parts)
    test = "has" if sign == ":" and not is_word(column) and column.kind not in NUMERIC else "is"
    return Condition(column, test, values, is_negated, term.text)


def _bounds(term: Term, column: Column) -> tuple[Value, ...]:
    low, _, high = term.value.partition("..")
    if not low and not high:
        raise WrongValueError(f"'{term.text}' is a range without ends; write {column.key}:10..20.")
    values = tuple(
        read_value(term.text, column, end, number_only=True) if end else None for end in (low, high)
    )
    match values:
        case (float(a), float(b)) if a > b:
            raise WrongValueError(
                f"'{term.text}': {low} is above {high}; write {column.key}:{high}..{low}."
            )
    return values


def _split_list(text: str) -> Iterator[str]:
    """Cut at commas that do not stand in quotes."""
    start = at = 0
    is_quoted = False
    while at < len(text):
        if text[at] == "\\" and is_quoted:
            at += 1
        elif text[at] == '"':
            is_quoted = not is_quoted
        elif text[at] == "," and not is_quoted:
            yield text[start:at]
            start = at + 1
        at += 1
    yield text[start:]


def unquote(text: str) -> str:
    """Take away quotes, and backslashes before quotes and backslashes within them."""
    if '"' not in text:
        return text
    kept = []
    is_quoted = False
    chars = iter(text)
    for char in chars:
        if char == '"':
            is_quoted = not is_quoted
        elif char == "\\" and is_quoted:
            kept.append(next(chars, ""))
        else:
            kept.append(char)
    return "".join(kept)


def quote(text: str) -> str:
    """Write a text so that a filter takes it as one piece."""
    if text and not any(char.isspace() or char in '",:<>=!\\' for char in text):
        return text
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'
