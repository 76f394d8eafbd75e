"""The log of a sweep as people read it: one line per change of state, decision or notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, QuerySet

from experiments.models import Event, Sweep
from experiments.queries.page import Page

# Not a kind of event: the lines of changes that a person wanted.
PEOPLE: Final = "people"
_WRITERS: Final[dict[str, str]] = {
    Event.Kind.DECISION: "policy",
    Event.Kind.SAMPLER: "sampler",
}
# Of LogLine, in its order: of the runs no more than their names.
_FIELDS: Final = (
    *("cursor", "kind", "message", "payload", "created_at"),
    *("run__public_id", "run__number"),
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `run_id` and `run_number` when it is about a run, `by` when a person wanted it."""

    cursor: int
    kind: str
    message: str
    payload: dict[str, Any]
    time: datetime
    run_id: str | None
    run_number: int | None

    @property
    def by(self) -> str:
        """Return the name of the person; empty where the studio itself acted."""
        return str(self.payload.get("by", ""))

    @property
    def who(self) -> str:
        """Return who acted, in a word."""
        return self.by or who_of(self.kind)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, oldest first; `older` and `newer` lead to the pages beside it, None at the ends.

    `counts` are all lines of the sweep by kind, and those of people.
    """

    lines: list[LogLine]
    older: int | None
    newer: int | None
    counts: dict[str, int]


def who_of(kind: str) -> str:
    """Return which part of the studio writes lines of a kind."""
    return _WRITERS.get(kind, "studio")


def log_of_sweep(
    sweep: Sweep, *, kind: str | None = None, cursor: int | None = None, limit: int = 200
) -> Page[LogLine]:
    """Return the newest lines of a sweep's log (before `cursor`), newest first."""
    rows = _rows(sweep, kind)
    total = rows.count()
    lines, older = _before(rows, cursor, limit)
    return Page(items=lines, next_cursor=None if older is None else str(older), total=total)


def newest_lines(sweep: Sweep, limit: int) -> list[LogLine]:
    """Return the newest lines of a sweep's log, newest first; one query."""
    return _before(_rows(sweep, None), None, limit)[0]


def log_page(
    sweep: Sweep,
    *,
    kind: str | None = None,
    before: int | None = None,
    after: int | None = None,
    at: int | None = None,
    limit: int = 200,
) -> LogPage:
    """Return a page of the log: before or after a line, around one, or the newest."""
    rows = _rows(sweep, kind)
    newer: int | None = None
    if after is not None:
        lines, newer = _after(rows, after, limit)
        older = after + 1 if rows.filter(cursor__lte=after).exists() else None
    elif at is not None:
        earlier, older = _before(rows, at + 1, limit - limit // 2)
        later, newer = _after(rows, at, limit // 2)
        lines = [*earlier[::-1], *later]
    else:
        newest, older = _before(rows, before, limit)
        lines = newest[::-1]
        if before is not None and rows.filter(cursor__gte=before).exists():
            newer = before - 1
    return LogPage(lines, older, newer, _counts(sweep))


def _rows(sweep: Sweep, kind: str | None) -> QuerySet[Event]:
    rows = Event.objects.filter(sweep=sweep)
    if kind == PEOPLE:
        return rows.filter(payload__has_key="by")
    return rows.filter(kind=kind) if kind else rows


def _before(
    rows: QuerySet[Event], cursor: int | None, limit: int
) -> tuple[list[LogLine], int | None]:
    """Return the lines before a cursor, newest first, and the cursor of the page before them."""
    if cursor is not None:
        rows = rows.filter(cursor__lt=cursor)
    found = list(rows.order_by("-cursor").values_list(*_FIELDS)[: limit + 1])
    lines = [LogLine(*row) for row in found[:limit]]
    return lines, lines[-1].cursor if len(found) > limit else None


def _after(rows: QuerySet[Event], cursor: int, limit: int) -> tuple[list[LogLine], int | None]:
    """Return the lines after a cursor, oldest first, and the cursor of the page after them."""
    later = rows.filter(cursor__gt=cursor).order_by("cursor").values_list(*_FIELDS)
    found = list(later[: limit + 1])
    lines = [LogLine(*row) for row in found[:limit]]
    return lines, lines[-1].cursor if len(found) > limit else None


def _counts(sweep: Sweep) -> dict[str, int]:
    rows = Event.objects.filter(sweep=sweep).order_by()
    by_kind = rows.values("kind", "payload__by").annotate(n=Count("pk"))
    counts: dict[str, int] = {"": 0, PEOPLE: 0}
    for row in by_kind:
        counts[""] += row["n"]
        counts[row["kind"]] = counts.get(row["kind"], 0) + row["n"]
        counts[PEOPLE] += row["n"] if row["payload__by"] is not None else 0
    return counts
