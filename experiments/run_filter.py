"""The filter language of runs: `learning_rate<0.01 status:failed -tag:draft "out of memory"`.

Text in, conditions out; all of them must hold. Pure: whoever reads rows turns conditions into a
query. docs/reference/runs-table.md explains the language to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from experiments.problems import Problem, ProblemsError
from experiments.run_columns import Column, Columns, Kind
from experiments.run_filter_terms import PATH, Term, split_list, split_terms, unquote
from experiments.run_filter_values import (
    NUMERIC,
    ORDERED,
    Value,
    WrongValueError,
    is_word,
    read_value,
)

_MOST_LISTED: Final = 16
_ORDER_SIGNS: Final = frozenset({"<", "<=", ">", ">="})


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
    parts = list(split_list(term.value))
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
