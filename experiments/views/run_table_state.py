"""What the address of the table of runs asks for, and the address that asks for something else.

A named view fills in what an address without any choice of its own leaves open; every link of the
page then says everything, so that a copied address shows the same later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import QueryDict
from django.utils.http import urlencode

from experiments.models import SavedView
from experiments.problems import ProblemsError
from experiments.queries.run_table import RunChoice
from experiments.readings import BEST, Reading, ReadValues
from experiments.run_columns import Column, Columns
from experiments.run_filter import Condition, parse_filter
from experiments.states import RUN_LIVE, RunState
from experiments.views.readings import reading_of

NO_VIEW: Final = "none"
MAX_PICKS: Final = 5000
_CHOICES: Final = frozenset({"q", "state", "sort", "dir", "columns"})
# Filters beside the field: key in the address, word, states that the queries understand.
GROUPS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("running", "Running", tuple(sorted(str(state) for state in RUN_LIVE))),
    ("queued", "Queued", (str(RunState.NOT_STARTED), str(RunState.QUEUED))),
    ("completed", "Completed", (str(RunState.COMPLETED),)),
    ("stopped", "Stopped early", ("stopped_early",)),
    ("failed", "Failed", (str(RunState.FAILED),)),
    ("canceled", "Canceled", (str(RunState.CANCELED),)),
)
_STATES: Final = {key: states for key, _, states in GROUPS}


@dataclass(frozen=True, slots=True)
class TableState:
    """What is shown. `columns` is what the address says, `shown` what comes of it."""

    sort: str = "number"
    direction: str = "asc"
    group: str = ""
    text: str = ""
    offset: int = 0
    columns: tuple[str, ...] = ()
    view: str = ""
    shown: tuple[Column, ...] = ()
    sort_column: Column | None = None
    conditions: tuple[Condition, ...] = ()
    errors: tuple[str, ...] = ()
    # An address without any choice would show the default view.
    has_default: bool = field(default=False)
    reading: Reading = BEST

    @property
    def descending(self) -> bool:
        """Whether the largest come first."""
        return self.direction == "desc"

    @property
    def is_filtered(self) -> bool:
        """Whether runs may be left out."""
        return bool(self.group or self.text)

    def choice(
        self, numbers: Sequence[int] | None = None, read: ReadValues | None = None
    ) -> RunChoice:
        """Return the runs that are asked for, or those of them with these numbers."""
        return RunChoice(
            conditions=self.conditions,
            states=_STATES.get(self.group, ()),
            numbers=numbers,
            sort=self.sort_column,
            descending=self.descending,
            read=read,
        )

    def url(self, **changes: Any) -> str:
        """Return the query of the address with some of it changed."""
        now = replace(self, **changes)
        view = now.view or (NO_VIEW if self.has_default else "")
        values = {
            "view": view,
            # A view without any choice beside it would be filled in anew.
            "sort": now.sort if now.sort != "number" or view else "",
            "dir": now.direction if now.direction != "asc" else "",
            "state": now.group,
            "q": now.text,
            "columns": join_keys(now.columns),
            "reading": "" if now.reading.is_best else now.reading.key,
            "offset": now.offset or "",
        }
        return "?" + urlencode({key: value for key, value in values.items() if value})


def read_state(
    query: QueryDict,
    columns: Columns,
    views: Iterable[SavedView] = (),
    remembered: Sequence[str] = (),
) -> TableState:
    """Read the address; what does not exist is left at its default, a wrong filter is an error."""
    by_id = {str(view.pk): view for view in views}
    default = next((view for view in by_id.values() if view.is_default), None)
    asked = query.get("view", "")
    view = by_id.get(asked)
    has_choices = bool(_CHOICES & query.keys())
    if not has_choices and "view" not in query:
        view = default
    values = _values_of(view) if view is not None and not has_choices else _values(query)
    # A person's own columns come before those of a view that nobody asked for.
    is_unasked = view is not None and not asked
    keys = values["columns"]
    chosen = columns.chosen(remembered) if is_unasked or not keys else []
    shown = chosen or columns.chosen(keys) or columns.usual()
    # The first column names the run and stays in sight.
    shown = [columns["number"], *(column for column in shown if column.key != "number")]
    sort = columns.find(values["sort"])
    conditions, errors = _conditions(values["text"], columns)
    offset = query.get("offset", "")
    return TableState(
        sort=sort.key if sort is not None and sort.is_sortable else "number",
        direction=values["direction"],
        group=values["group"] if values["group"] in _STATES else "",
        text=values["text"],
        offset=int(offset) if offset.isdecimal() and len(offset) < 9 else 0,
        columns=() if is_unasked and chosen else tuple(keys),
        view=str(view.pk) if view is not None else "",
        shown=tuple(shown),
        sort_column=sort if sort is not None and sort.is_sortable else None,
        conditions=conditions,
        errors=errors,
        has_default=default is not None,
        reading=reading_of(query)[0],
    )


def split_keys(text: str) -> list[str]:
    """Return the column keys of an address; a comma within a key is written as %2C."""
    return [key.replace("%2C", ",").replace("%25", "%") for key in text.split(",") if key]


def join_keys(keys: Iterable[str]) -> str:
    """Write column keys as one value of an address."""
    return ",".join(key.replace("%", "%25").replace(",", "%2C") for key in keys)


def read_numbers(text: str) -> list[int] | None:
    """Return run numbers like "3,8"; None when something else is among them."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MAX_PICKS or any(not p.isdecimal() or len(p) > 9 for p in parts):
        return None
    return [int(part) for part in parts]


def _values(query: Mapping[str, str]) -> dict[str, Any]:
    return {
        "sort": query.get("sort", "number"),
        "direction": "desc" if query.get("dir") == "desc" else "asc",
        "group": query.get("state", ""),
        "text": query.get("q", "").strip(),
        "columns": split_keys(query.get("columns", "")),
    }


def _values_of(view: SavedView) -> dict[str, Any]:
    return {
        "sort": view.sort,
        "direction": "desc" if view.descending else "asc",
        "group": view.state,
        "text": view.filter,
        "columns": list(view.columns),
    }


def _conditions(text: str, columns: Columns) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    try:
        return tuple(parse_filter(text, columns)), ()
    except ProblemsError as error:
        return (), tuple(problem.message for problem in error.problems)
