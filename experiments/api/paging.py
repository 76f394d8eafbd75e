"""Opaque cursors of paged lists: what a client sends back to get the next page.

A cursor stands for a key where a list has one that only grows, so that nothing is seen twice or
missed while the list changes; for how many were seen where somebody chose the order.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Annotated, Final, Literal, Protocol, TypeVar

from django.db.models import Model, QuerySet
from ninja import Query

from experiments.problems import Problem, ProblemsError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
M = TypeVar("M", bound=Model)
MOST_FILES: Final = 10_000

Limit = Annotated[int, Query(ge=1, le=500, description="Entries on a page.")]
# Lists that had no pages once: whoever does not know of them gets all there usually is.
LongLimit = Annotated[int, Query(ge=1, le=MOST_FILES, description="Entries on a page.")]
Cursor = Annotated[
    str,
    Query(max_length=400, description="`next_cursor` of the page before; empty: the first page."),
]
Direction = Annotated[
    Literal["asc", "desc"] | None,
    Query(alias="dir", description="asc or desc; entries without a value come last either way."),
]


def encode_cursor(position: int, order: str = "") -> str:
    """Return the cursor of the page that starts after `position` in this order."""
    value = [position, order] if order else [position]
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def decode_cursor(text: str, order: str = "") -> int | None:
    """Return the position that a cursor stands for, None for the first page.

    Raises:
        ProblemsError: the text is not a cursor that this API gave out for this order.
    """
    if not text:
        return None
    try:
        value = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        value = None
    match value:
        case [int(position)] if 0 <= position < 2**63 and not order:
            return position
        case [int(position), str(given)] if 0 <= position < 2**63 and given == order:
            return position
        case [int(), str()] | [int()]:
            why = "is the cursor of another order; send sort and dir of the page before"
        case _:
            why = "is not a cursor; send the next_cursor of the page before"
    raise ProblemsError([Problem("cursor", f"'{text}' {why}.")])


def newest(rows: QuerySet[M], cursor: str, limit: int) -> tuple[list[M], str | None]:
    """Return a page of rows, newest first by key, so that new ones shift nothing; the next cursor.

    Raises:
        ProblemsError: the cursor is none.
    """
    before = decode_cursor(cursor)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: limit + 1])
    page = found[:limit]
    return page, encode_cursor(page[-1].pk) if len(found) > limit else None


class Sliceable(Protocol[T_co]):
    """A list, or a query in its order: read when a part of it is asked for."""

    def __getitem__(self, part: slice, /) -> Iterable[T_co]: ...


def cut(
    items: Sliceable[T], cursor: str, limit: int, order: str = ""
) -> tuple[list[T], str | None]:
    """Return a page of what is at hand in whole (or is a query in its order), and the next cursor.

    Raises:
        ProblemsError: the cursor is none.
    """
    start = decode_cursor(cursor, order) or 0
    # Beyond what any list has, and what a database takes as an offset.
    found = list(items[start : start + limit + 1]) if start < 2**31 else []
    more = encode_cursor(start + limit, order) if len(found) > limit else None
    return found[:limit], more
