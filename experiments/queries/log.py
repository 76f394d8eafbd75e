"""The log of a sweep as people read it: one line per change of state, decision or notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from experiments.models import Event, Sweep
from experiments.queries.page import Page


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `run_id` and `run_number` when it is about a run."""

    cursor: int
    kind: str
    message: str
    payload: dict[str, Any]
    time: datetime
    run_id: str | None
    run_number: int | None


def log_of_sweep(
    sweep: Sweep, *, kind: str | None = None, cursor: int | None = None, limit: int = 200
) -> Page[LogLine]:
    """Return the newest lines of a sweep's log (before `cursor`), newest first."""
    rows = Event.objects.filter(sweep=sweep)
    if kind:
        rows = rows.filter(kind=kind)
    total = rows.count()
    if cursor is not None:
        rows = rows.filter(cursor__lt=cursor)
    found = list(rows.select_related("run").order_by("-cursor")[: limit + 1])
    lines = [_line(event) for event in found[:limit]]
    return Page(
        items=lines,
        next_cursor=str(lines[-1].cursor) if len(found) > limit else None,
        total=total,
    )


def _line(event: Event) -> LogLine:
    return LogLine(
        cursor=event.cursor,
        kind=event.kind,
        message=event.message,
        payload=event.payload,
        time=event.created_at,
        run_id=event.run.public_id if event.run else None,
        run_number=event.run.number if event.run else None,
    )
