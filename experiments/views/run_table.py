"""The table of a sweep's runs: what the address asks for, columns, filters, pages, CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from experiments import queries
from experiments.models import Sweep
from experiments.queries import RunRow
from experiments.queries.run_table import param_sort
from experiments.states import RUN_LIVE, RunState, badge

PAGE_SIZE: Final = 50
_MOST_ROWS: Final = 100_000
# Filters of the table: key in the address, word, states that queries.run_rows understands.
_GROUPS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("running", "Running", tuple(sorted(str(state) for state in RUN_LIVE))),
    ("queued", "Queued", (str(RunState.NOT_STARTED), str(RunState.QUEUED))),
    ("completed", "Completed", (str(RunState.COMPLETED),)),
    ("stopped", "Stopped early", ("stopped_early",)),
    ("failed", "Failed", (str(RunState.FAILED),)),
    ("canceled", "Canceled", (str(RunState.CANCELED),)),
)
_STATES: Final = {key: states for key, _, states in _GROUPS}
# Sorted downwards at the first click: the largest is what one looks for.
_DOWN_FIRST: Final = frozenset({"duration", "reports", "created"})


@dataclass(frozen=True, slots=True)
class TableState:
    """What the address asks for."""

    sort: str = "number"
    direction: str = "asc"
    group: str = ""
    text: str = ""
    offset: int = 0

    @classmethod
    def read(cls, query: Mapping[str, str], params: list[str]) -> TableState:
        """Read the address; what does not exist is left at its default."""
        sort = query.get("sort", "number")
        group = query.get("state", "")
        offset = query.get("offset", "")
        known = {
            "number",
            "state",
            "best",
            "reports",
            "duration",
            "created",
            *map(param_sort, params),
        }
        return cls(
            sort=sort if sort in known else "number",
            direction="desc" if query.get("dir") == "desc" else "asc",
            group=group if group in _STATES else "",
            text=query.get("q", "").strip()[:200],
            offset=int(offset) if offset.isdecimal() and len(offset) < 9 else 0,
        )

    def url(self, **changes: Any) -> str:
        """Return the query of the address with some of it changed."""
        now = {**asdict(self), **changes}
        values = {
            "sort": now["sort"] if now["sort"] != "number" else "",
            "dir": now["direction"] if now["direction"] != "asc" else "",
            "state": now["group"],
            "q": now["text"],
            "offset": now["offset"] or "",
        }
        return "?" + urlencode({key: value for key, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table; `aria` is the value of aria-sort, empty when not sorted by it."""

    key: str
    label: str
    url: str
    aria: str
    css: str


@dataclass(frozen=True, slots=True)
class Pill:
    """One filter with its count among all runs."""

    key: str
    label: str
    count: int
    url: str
    is_current: bool


def table_context(request: HttpRequest, sweep: Sweep) -> dict[str, Any]:
    """Return what the Runs page shows."""
    params = list(sweep.spec["search_space"])
    state = TableState.read(request.GET, params)
    page = queries.run_rows(
        sweep,
        sort=state.sort,
        descending=state.direction == "desc",
        states=_STATES.get(state.group),
        text=state.text,
        offset=state.offset,
        limit=PAGE_SIZE,
    )
    counts = queries.run_counts(sweep)
    return {
        "rows": [(row, [row.params.get(name) for name in params]) for row in page.items],
        "page_of_runs": page,
        "columns": _columns(state, sweep, params),
        "pills": _pills(state, counts),
        "table": state,
        "previous_url": state.url(offset=max(0, state.offset - PAGE_SIZE)) if state.offset else "",
        "next_url": state.url(offset=page.next_cursor) if page.next_cursor else "",
        "clear_url": TableState(sort=state.sort, direction=state.direction).url(),
        "csv_url": f"{state.url(offset=0)}&format=csv",
        "table_data": {
            **asdict(state),
            "shown": len(page.items),
            "size": PAGE_SIZE,
            "runs": [_sortable(row) for row in page.items],
        },
    }


def csv_response(request: HttpRequest, sweep: Sweep) -> HttpResponse:
    """Return every row that the filters let through, with exact values."""
    params = list(sweep.spec["search_space"])
    state = TableState.read(request.GET, params)
    page = queries.run_rows(
        sweep,
        sort=state.sort,
        descending=state.direction == "desc",
        states=_STATES.get(state.group),
        text=state.text,
        limit=_MOST_ROWS,
    )
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{sweep.public_id}-runs.csv"'
    writer = csv.writer(response)
    ends = ["reports", "duration_seconds", "reason", "id"]
    writer.writerow(
        ["run", "status", _safe(sweep.metric_name), "at_interval", *map(_safe, params), *ends]
    )
    for row in page.items:
        writer.writerow([_safe(value) for value in _csv_cells(row, params)])
    return response


def _csv_cells(row: RunRow, params: list[str]) -> Iterator[Any]:
    yield from (row.number, badge(row.state, row.end_reason).label)
    yield from (row.best_value, row.best_interval)
    yield from (row.params.get(name) for name in params)
    yield from (row.reports, row.duration, row.reason, row.public_id)


def _safe(value: Any) -> Any:
    if isinstance(value, list | dict | bool):
        return json.dumps(value)
    # A text that a spreadsheet would run as a formula is kept a text.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def _sortable(row: RunRow) -> dict[str, Any]:
    """Return what the browser needs to tell whether rows would stand elsewhere now."""
    return {
        "number": row.number,
        "status": row.state,
        "best": None if row.best_value is None else {"value": row.best_value},
        "reports": row.reports,
        "duration": row.duration,
        "created": row.created.isoformat(),
        "hyperparameters": row.params,
    }


def _columns(state: TableState, sweep: Sweep, params: list[str]) -> list[Column]:
    arrow = "↑" if sweep.goal == "maximize" else "↓"
    plain = [
        ("number", "Run", "sticky1"),
        ("state", "Status", ""),
        ("best", f"{sweep.metric_name} {arrow}", "num key"),
        *((param_sort(name), name, "num key") for name in params),
        ("reports", "Reports", "num"),
        ("duration", "Duration", "num"),
    ]
    return [_column(state, sweep, key, label, css) for key, label, css in plain]


def _column(state: TableState, sweep: Sweep, key: str, label: str, css: str) -> Column:
    is_current = state.sort == key
    is_down_first = key in _DOWN_FIRST or (key == "best" and sweep.goal == "maximize")
    first, second = ("desc", "asc") if is_down_first else ("asc", "desc")
    direction = second if is_current and state.direction == first else first
    aria = {"asc": "ascending", "desc": "descending"}[state.direction] if is_current else ""
    return Column(key, label, state.url(sort=key, direction=direction, offset=0), aria, css)


def _pills(state: TableState, counts: Mapping[str, int]) -> list[Pill]:
    early = counts.get("stopped_early", 0)
    whole = {**counts, RunState.CANCELED: counts.get(RunState.CANCELED, 0) - early}
    every = sum(n for key, n in counts.items() if key != "stopped_early")
    pills = [("", "All", every)]
    pills += [(key, label, sum(whole.get(s, 0) for s in states)) for key, label, states in _GROUPS]
    return [
        Pill(key, label, count, state.url(group=key, offset=0), state.group == key)
        for key, label, count in pills
        if count or key in ("", "completed", state.group)
    ]
