"""Reads table.txt: sections of rows, each with what every actor is answered. Knows no route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parent / "table.txt"
# In a class: what the row says of those who may. Not tried at all: nothing to ask.
OK, NOT_TRIED = "ok", "-"


@dataclass(frozen=True, slots=True)
class Row:
    """One route and method, or one model of the administration; `cells` by actor, or by page."""

    key: tuple[str, str]
    cells: Mapping[str, str]
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, self.key))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the table: who (or what) its columns are, and its rows by route."""

    columns: tuple[str, ...]
    rows: Mapping[tuple[str, str], Row]


class TableError(AssertionError):
    """A line of the table that cannot be read."""


@cache
def section(name: str) -> Section:
    """Return a section of the table.

    Raises:
        TableError: a line cannot be read, or a route stands there twice.
    """
    columns: tuple[str, ...] = ()
    classes: dict[str, list[str]] = {}
    rows: dict[tuple[str, str], Row] = {}
    current = ""
    for number, line in enumerate(FILE.read_text().splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0].startswith("["):
            current = words[0].strip("[]")
        elif current != name:
            continue
        elif words[0] == "who":
            columns = tuple(words[1:])
        elif len(words) == 1 + len(columns) and words[0].isupper() and words[0].endswith("_"):
            classes[words[0]] = words[1:]
        else:
            row = _row(words, columns, classes, f"{FILE.name}:{number}")
            if row.key in rows:
                raise TableError(f"{FILE.name}:{number}: {row} has a row already.")
            rows[row.key] = row
    return Section(columns, rows)


def _row(
    words: list[str], columns: tuple[str, ...], classes: Mapping[str, list[str]], place: str
) -> Row:
    """Read `METHOD ROUTE STATUS CLASS_ [actor=status ...]`, or `MODEL CLASS_ [action ...]`."""
    head = 3 if words[0].isupper() else 1
    if len(words) <= head or words[head] not in classes:
        known = ", ".join(classes)
        raise TableError(f"{place}: {' '.join(words)!r} names no class; use one of {known}.")
    key = (words[0], words[1]) if head > 1 else ("", words[0])
    status = words[2] if head > 1 else ""
    cells = dict(zip(columns, classes[words[head]], strict=True))
    rest = []
    for word in words[head + 1 :]:
        column, sign, value = word.partition("=")
        if not sign:
            rest.append(word)
        elif column in cells:
            cells[column] = value
        else:
            raise TableError(f"{place}: {column!r} is no column; use one of {', '.join(columns)}.")
    filled = {column: status if cell == OK else cell for column, cell in cells.items()}
    return Row(key, filled, tuple(rest))
