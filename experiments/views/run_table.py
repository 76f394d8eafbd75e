"""The table of a sweep's runs: columns, filters, views, pages; what the browser goes on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.http import HttpRequest

from experiments import queries
from experiments.models import ColumnChoice, SavedView, Sweep
from experiments.queries import RunRow
from experiments.queries.page import Page
from experiments.queries.run_table import columns_of, run_rows, saved_views_of
from experiments.run_columns import Column as RunColumn
from experiments.run_columns import Columns, Kind, Source
from experiments.run_filter_terms import quote
from experiments.run_filter_values import OFFERED_STATES
from experiments.services.saved_views import may_change_view
from experiments.states import RunState
from experiments.views.run_cells import look_of, row_html
from experiments.views.run_export import has_parquet
from experiments.views.run_table_state import GROUPS, TableState, join_keys, read_state

PAGE_SIZE: Final = 50
# Sorted downwards at the first click: the largest is what one looks for.
_DOWN_FIRST: Final = frozenset(
    {"duration", "waited", "reports", "created", "started", "ended", "outputs"}
)
_CODE_SOURCES: Final = frozenset({Source.PARAMS, Source.METRICS})
_GROUP_WORDS: Final = {
    Source.RUN: "",
    Source.PARAMS: "Hyperparameters",
    Source.METRICS: "Metrics",
    Source.TAGS: "Tags",
    Source.PROPERTIES: "Properties",
}


@dataclass(frozen=True, slots=True)
class HeadCell:
    """The head of a column; `aria` is the value of aria-sort, empty when not sorted by it."""

    key: str
    label: str
    hint: str
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


@dataclass(frozen=True, slots=True)
class ColumnItem:
    """One line of the chooser."""

    key: str
    label: str
    hint: str
    group: str
    is_shown: bool
    is_fixed: bool
    css: str


@dataclass(frozen=True, slots=True)
class ViewItem:
    """One named view in the menu."""

    view: SavedView
    url: str
    is_current: bool
    is_changed: bool
    may_change: bool


def table_context(request: HttpRequest, sweep: Sweep, head: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the Runs page shows; `head` is what the header of the sweep shows."""
    switch = head["switch"]
    columns = columns_of(sweep, with_options=True, reading=switch.reading)
    views = list(saved_views_of(sweep.experiment))
    remembered = _remembered(request, sweep)
    state = read_state(request.GET, columns, views, remembered)
    page: Page[RunRow] = Page(items=[], next_cursor=None, total=0)
    if not state.errors:
        page = run_rows(
            sweep,
            state.choice(read=switch.read),
            shown=state.shown,
            offset=state.offset,
            limit=PAGE_SIZE,
        )
    looks = [look_of(column, page.items, head["digits"]) for column in state.shown]
    counts = queries.run_counts(sweep)
    items = _view_items(request, state, views)
    return {
        "rows": [row_html(row, looks) for row in page.items],
        "page_of_runs": page,
        "columns": [_head(state, look.column, look.css, sweep.goal) for look in looks],
        "pills": _pills(state, counts),
        "table": state,
        "filter_errors": state.errors,
        "joined_columns": join_keys(state.columns),
        "bare_query": state.url(columns=()),
        "previous_url": state.url(offset=max(0, state.offset - PAGE_SIZE)) if state.offset else "",
        "next_url": state.url(offset=page.next_cursor) if page.next_cursor else "",
        "clear_url": state.url(group="", text="", view="", offset=0),
        "export_url": f"{state.url(offset=0)}&format=",
        "has_parquet": has_parquet(),
        "column_items": _column_items(columns, state),
        "has_own_columns": bool(remembered) or bool(state.columns),
        "saved_views": items,
        "current_view": next((item for item in items if item.is_current), None),
        "no_view_url": TableState(has_default=state.has_default).url(),
        "filter_names": _filter_names(columns),
        "examples": _examples(columns, sweep),
        "table_data": {
            "query": state.url(),
            "sort": state.sort,
            "direction": state.direction,
            "shown": len(page.items),
            "size": PAGE_SIZE,
            "total": page.total,
            "offset": state.offset,
            "filtered": state.is_filtered,
            "columns": [column.key for column in state.shown],
            "joined": join_keys(column.key for column in state.shown),
        },
    }


def _remembered(request: HttpRequest, sweep: Sweep) -> list[str]:
    row = ColumnChoice.objects.filter(experiment=sweep.experiment_id, user=request.user.pk)
    return list(row.values_list("columns", flat=True).first() or [])


def _head(state: TableState, column: RunColumn, css: str, goal: str) -> HeadCell:
    is_current = state.sort == column.key
    is_down_first = column.key in _DOWN_FIRST or (column.key == "best" and goal == "maximize")
    first, second = ("desc", "asc") if is_down_first else ("asc", "desc")
    direction = second if is_current and state.direction == first else first
    aria = {"asc": "ascending", "desc": "descending"}[state.direction] if is_current else ""
    url = state.url(sort=column.key, direction=direction, offset=0) if column.is_sortable else ""
    is_code = column.source in _CODE_SOURCES or column.key == "best"
    return HeadCell(
        column.key, column.label, column.hint, url, aria, f"{css} key" if is_code else css
    )


def _pills(state: TableState, counts: Mapping[str, int]) -> list[Pill]:
    early = counts.get("stopped_early", 0)
    whole = {**counts, RunState.CANCELED: counts.get(RunState.CANCELED, 0) - early}
    every = sum(n for key, n in counts.items() if key != "stopped_early")
    pills = [("", "All", every)]
    pills += [(key, label, sum(whole.get(s, 0) for s in states)) for key, label, states in GROUPS]
    return [
        Pill(key, label, count, state.url(group=key, offset=0), state.group == key)
        for key, label, count in pills
        if count or key in ("", "completed", state.group)
    ]


def _column_items(columns: Columns, state: TableState) -> list[ColumnItem]:
    """Return the shown columns in their order, then the others."""
    shown = dict.fromkeys(column.key for column in state.shown)
    rest = [column for column in columns if column.key not in shown]
    return [
        ColumnItem(
            key=column.key,
            label=column.label,
            hint=column.hint,
            group=_GROUP_WORDS[column.source],
            is_shown=column.key in shown,
            is_fixed=column.key == "number",
            css="key" if column.source in _CODE_SOURCES else "",
        )
        for column in [*state.shown, *rest]
    ]


def _view_items(
    request: HttpRequest, state: TableState, views: Sequence[SavedView]
) -> list[ViewItem]:
    user = request.user
    return [
        ViewItem(
            view=view,
            url=f"?view={view.pk}",
            is_current=state.view == str(view.pk),
            is_changed=_is_changed(view, state),
            may_change=isinstance(user, User) and may_change_view(view, user),
        )
        for view in views
    ]


def _is_changed(view: SavedView, state: TableState) -> bool:
    now = (state.text, state.group, state.sort, state.descending)
    was = (view.filter, view.state, view.sort or "number", view.descending)
    shown = [column.key for column in state.shown]
    return now != was or (bool(view.columns) and list(view.columns) != shown)


def _filter_names(columns: Columns) -> list[dict[str, Any]]:
    """Return what can be completed: names as they are typed, and their values."""
    own = {Source.PARAMS: 0, Source.METRICS: 2, Source.TAGS: 3, Source.PROPERTIES: 4, Source.RUN: 1}
    found = sorted((c for c in columns if c.is_filterable), key=lambda c: own[c.source])
    return [
        {
            "name": quote(columns.metric if column.key == "best" else column.key),
            "kind": str(column.kind),
            "hint": column.hint,
            "values": [quote(value) for value in _values_offered(column, columns)],
        }
        for column in found
    ]


def _values_offered(column: RunColumn, columns: Columns) -> Sequence[str]:
    if column.kind == Kind.STATE:
        return OFFERED_STATES
    if column.kind == Kind.MARKS:
        source = Source(column.key)
        return [c.name for c in columns if c.source == source]
    return column.options[:50]


def _examples(columns: Columns, sweep: Sweep) -> list[tuple[str, str]]:
    """Return filters that fit this sweep, with what they find."""
    param = next((c for c in columns if c.source == Source.PARAMS), None)
    name = quote(param.key) if param else "learning_rate"
    metric = quote(sweep.metric_name)
    value = f"{name}={quote(param.options[0])}" if param and param.options else f"{name}<0.01"
    return [
        ("status:failed", "failed runs; several states: status:failed,canceled"),
        (value, "hyperparameter: < <= > >= = != and ranges like 0.001..0.01"),
        (f"{metric}>0.9", "best value of the primary metric; also last>0.9"),
        (f"{metric}:none", "runs without a value; any, and nan for what was not a number"),
        ("number:10..20", "a range; either end may be left out, 10.."),
        ("tag:baseline", "runs with this tag; with its text: tag:team=vision"),
        ("duration>10min", "durations like 90s, 1.5h, 2d"),
        ("created:today", "also 2026-11-20, yesterday, -2h for the last two hours"),
        ("-status:completed", "a dash takes all others"),
        ('reason:"out of memory"', "text that contains this; = for the whole text"),
        ("memory", "a word in id, reason, note or worker; digits: this run"),
    ]
