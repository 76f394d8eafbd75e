"""REST: the runs of a sweep, filtered and sorted as in the table of its page; the best of them.

Operations of the router of api.sweeps.
"""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query

from experiments import clock, queries
from experiments.api.auth import READ, person_of, sweep_of
from experiments.api.paging import (
    Cursor,
    Direction,
    Limit,
    cut,
    decode_cursor,
    encode_cursor,
)
from experiments.api.read_schemas import RunPage
from experiments.api.schemas import FoundRun
from experiments.api.sweeps import router
from experiments.models import Run, Sweep
from experiments.problems import Problem, ProblemsError
from experiments.queries.readings import best_under, values_read
from experiments.queries.run_filter import filtered, order_of
from experiments.queries.run_table import columns_of
from experiments.readings import Reading, in_order, read_reading
from experiments.run_columns import Column, Columns
from experiments.run_filter import parse_filter
from experiments.run_filter_terms import MAX_LENGTH
from experiments.states import RunState

__all__ = ["router"]

ReadingName = Annotated[
    str,
    Query(max_length=60, description="Which value of a run counts: best, last, or step:20."),
]


@router.get("/{sweep_id}/runs", auth=READ, response=RunPage)
def list_runs(
    request: HttpRequest,
    sweep_id: str,
    state: Annotated[RunState | None, Query(description="Only those in this state.")] = None,
    filter: Annotated[  # noqa: A002  # its name in the address
        str,
        Query(
            max_length=MAX_LENGTH,
            description="Conditions that must all hold, as on the page of the runs: "
            "`learning_rate<0.01 status:failed -tag:draft`.",
        ),
    ] = "",
    sort: Annotated[
        str,
        Query(
            max_length=300,
            description="A column of the page of the runs: number, best, last, duration, a "
            "hyperparameter, a metric, tags.team.",
        ),
    ] = "number",
    direction: Direction = None,
    reading: ReadingName = "best",
    cursor: Cursor = "",
    limit: Limit = 100,
) -> dict[str, Any]:
    """List the runs of a sweep, in sampling order unless `sort` says otherwise.

    `value` of each is the one that `reading` asks for; it is null for a run that has none.
    """
    sweep = sweep_of(request, sweep_id)
    asked = read_reading(reading)
    # Runs of this very object: neither it nor its owner is read again for each of them.
    rows = sweep.runs.select_related("retry_of", "resumption").order_by("number")
    columns = columns_of(sweep) if filter or sort != "number" else None
    if filter and columns:
        rows = filtered(rows, parse_filter(filter, columns), sweep, clock.now())
    if state is not None:
        rows = rows.filter(state=state)
    if columns is None or (sort == "number" and direction != "desc"):
        page, more = _by_number(rows, cursor, limit)
    else:
        column = _column(columns, sort)
        is_descending = direction == "desc"
        order = f"{column.key} {direction or 'asc'} {asked.key}"
        page, more = cut(_ordered(rows, sweep, column, asked, is_descending), cursor, limit, order)
    return {"items": _with_values(sweep, asked, page), "next_cursor": more, "reading": asked.key}


@router.get("/{sweep_id}/best-run", auth=READ, response=FoundRun | None)
def get_best_run(
    request: HttpRequest,
    sweep_id: str,
    include_failed: Annotated[bool, Query(description="Whether failed runs count.")] = True,
    include_canceled: Annotated[bool, Query(description="Whether canceled runs count.")] = True,
    include_resume_from_runs: Annotated[
        bool, Query(description="Whether runs of the sweeps in resume_from count as well.")
    ] = True,
    reading: ReadingName = "best",
) -> dict[str, Any] | None:
    """Read the winner so far; null while no run has reported the primary metric.

    Under another reading than `best` it is the winner among the sweep's own runs by that value.
    """
    sweep = sweep_of(request, sweep_id)
    asked = read_reading(reading)
    if not asked.is_best:
        return best_under(
            sweep, asked, include_failed=include_failed, include_canceled=include_canceled
        )
    found = queries.find_best_run(
        person_of(request),
        sweep,
        include_failed=include_failed,
        include_canceled=include_canceled,
        include_earlier=include_resume_from_runs,
    )
    return queries.found_run_json(found)


def _by_number(rows: QuerySet[Run], cursor: str, limit: int) -> tuple[list[Run], str | None]:
    """Return a page in sampling order: by number, so that new runs shift nothing."""
    after = decode_cursor(cursor)
    if after is not None:
        rows = rows.filter(number__gt=after)
    found = list(rows[: limit + 1])
    page = found[:limit]
    return page, encode_cursor(page[-1].number) if len(found) > limit else None


def _column(columns: Columns, name: str) -> Column:
    column = columns.find(name)
    if column is not None and column.is_sortable:
        return column
    near = columns.near(name)
    meant = f"did you mean {', '.join(near)}?" if near else "use number, best or another column."
    what = "cannot be sorted by" if column is not None else "is no column of this sweep"
    raise ProblemsError([Problem("sort", f"'{name}' {what}; {meant}")])


def _ordered(
    rows: QuerySet[Run], sweep: Sweep, column: Column, reading: Reading, descending: bool
) -> Any:
    if column.key != "best" or reading.is_best:
        return rows.order_by(*order_of(column, sweep, clock.now(), descending=descending))
    # Values at a step are in the reports: only the numbers are put in order.
    values = values_read(sweep, reading).values
    numbers = in_order(list(rows.values_list("number", flat=True)), values, descending=descending)
    return _Numbered(rows, numbers)


class _Numbered:
    """Runs in the order of these numbers, read when a part of them is asked for."""

    def __init__(self, rows: QuerySet[Run], numbers: list[int]) -> None:
        self.rows = rows
        self.numbers = numbers

    def __getitem__(self, part: slice) -> list[Run]:
        chosen = self.numbers[part]
        found = {run.number: run for run in self.rows.filter(number__in=chosen)}
        return [found[number] for number in chosen if number in found]


def _with_values(sweep: Sweep, reading: Reading, page: list[Run]) -> list[dict[str, Any]]:
    read = None if reading.is_best else values_read(sweep, reading)
    return [
        {
            **queries.run_detail_json(run),
            "value": run.best_value if read is None else read.get(run.number),
        }
        for run in page
    ]
