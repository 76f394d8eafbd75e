"""The table of a sweep's runs: sorted, filtered and cut into pages by the database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.fields.json import KeyTransform

from experiments.models import Run, Sweep
from experiments.queries.json_forms import duration_of, in_declared_order
from experiments.queries.page import Page
from experiments.states import EndReason, RunState

STOPPED_EARLY: Final = "stopped_early"
_SORTS: Final[dict[str, Any]] = {
    "number": F("number"),
    "state": F("state"),
    "best": F("best_value"),
    "last": F("last_value"),
    "reports": F("reports"),
    "duration": F("ended_at") - F("started_at"),
    "created": F("created_at"),
}


_PARAM: Final = "params."


def param_sort(name: str) -> str:
    """Return the sort key of a hyperparameter: its name, told apart from the keys above."""
    return f"{_PARAM}{name}" if name in _SORTS or name.startswith(_PARAM) else name


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of the table."""

    public_id: str
    number: int
    state: str
    end_reason: str
    reason: str
    note: str
    params: dict[str, Any]
    arguments: list[str]
    reports: int
    best_value: float | None
    best_interval: int | None
    best_step: float | None
    last_value: float | None
    retry_number: int | None
    worker_name: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    duration: float | None
    is_best: bool
    url: str


def run_rows(
    sweep: Sweep,
    *,
    sort: str = "number",
    descending: bool = False,
    states: Collection[str] | None = None,
    text: str = "",
    offset: int = 0,
    limit: int = 50,
) -> Page[RunRow]:
    """Return a page of the runs of a sweep.

    `sort` is number, state, best, last, reports, duration, created or a hyperparameter's
    `param_sort`; runs without the value come last either way. `states` may hold
    "stopped_early", which is then told apart from Canceled. `text` is searched in numbers, ids,
    reasons and notes.
    """
    rows = _filtered(Run.objects.filter(sweep=sweep), states=states, text=text)
    total = rows.count()
    ordered = rows.select_related("retry_of").order_by(*_order(sort, descending=descending))
    found = list(ordered[offset : offset + limit])
    after = offset + len(found)
    return Page(
        items=[run_row(run, sweep) for run in found],
        next_cursor=str(after) if after < total else None,
        total=total,
        offset=offset,
    )


def run_row(run: Run, sweep: Sweep) -> RunRow:
    """Return the line of one run of `sweep`."""
    return RunRow(
        public_id=run.public_id,
        number=run.number,
        state=run.state,
        end_reason=run.end_reason,
        reason=run.reason,
        note=run.note,
        params=in_declared_order(run.params, sweep.spec),
        arguments=run.arguments,
        reports=run.reports,
        best_value=run.best_value,
        best_interval=run.best_interval,
        best_step=run.best_step,
        last_value=run.last_value,
        retry_number=run.retry_of.number if run.retry_of else None,
        worker_name=run.worker_name,
        created=run.created_at,
        started=run.started_at,
        ended=run.ended_at,
        duration=duration_of(run.started_at, run.ended_at),
        is_best=run.pk == sweep.best_run_id,
        url=run.get_absolute_url(),
    )


def _order(sort: str, *, descending: bool) -> list[OrderBy]:
    key = _SORTS.get(sort) or KeyTransform(sort.removeprefix(_PARAM), "params")
    first = OrderBy(key, descending=descending, nulls_last=True)
    return [first, OrderBy(F("number"), descending=descending and sort == "number")]


def _filtered(rows: QuerySet[Run], *, states: Collection[str] | None, text: str) -> QuerySet[Run]:
    if states:
        rows = rows.filter(_in_states(frozenset(states)))
    for word in text.split():
        match = Q(public_id__icontains=word) | Q(reason__icontains=word) | Q(note__icontains=word)
        if word.isdigit():
            match = Q(number=int(word))
        rows = rows.filter(match)
    return rows


def _in_states(states: frozenset[str]) -> Q:
    early = Q(state=RunState.CANCELED, end_reason=EndReason.POLICY)
    chosen = Q(state__in=sorted(states - {STOPPED_EARLY, RunState.CANCELED}))
    if STOPPED_EARLY in states:
        chosen |= early
    if RunState.CANCELED in states:
        chosen |= Q(state=RunState.CANCELED) & ~early
    return chosen
