"""The runs of a sweep as a link to share shows them: fewer columns, and no filter to guess by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F
from django.db.models.expressions import OrderBy

from experiments import clock
from experiments.models import Run, Sweep
from experiments.queries.json_forms import in_declared_order
from experiments.queries.json_values import JsonNumber, JsonText
from experiments.queries.page import Page

PAGE_SIZE: Final = 50
# Columns beside the hyperparameters by which runs can be ordered.
SORTS: Final = ("number", "best", "duration")


@dataclass(frozen=True, slots=True)
class SharedRun:
    """One line; `values` are the hyperparameters in their declared order."""

    run: Run
    values: list[object]
    seconds: float | None
    is_best: bool


def shared_runs(
    sweep: Sweep, *, sort: str = "number", is_down: bool = False, offset: int = 0
) -> Page[SharedRun]:
    """Return a page of runs, ordered by a column or a hyperparameter; two queries."""
    rows = Run.objects.filter(sweep=sweep)
    total = rows.count()
    found = list(rows.order_by(*_order(sweep, sort, is_down))[offset : offset + PAGE_SIZE])
    following = offset + PAGE_SIZE
    return Page(
        items=[_row(run, sweep) for run in found],
        next_cursor=str(following) if following < total else None,
        total=total,
        offset=offset,
    )


def offset_of(sweep: Sweep, number: int) -> int:
    """Return where the page with a run begins, in the order of numbers."""
    before = Run.objects.filter(sweep=sweep, number__lt=number).count()
    return before // PAGE_SIZE * PAGE_SIZE


def _order(sweep: Sweep, sort: str, is_down: bool) -> list[OrderBy]:
    def by(expression: Any) -> OrderBy:
        return OrderBy(expression, descending=is_down, nulls_last=True)

    if sort in sweep.spec["search_space"]:
        keys = [by(JsonNumber(F("params"), sort)), by(JsonText(F("params"), sort))]
    elif sort == "best":
        keys = [by(F("best_value"))]
    elif sort == "duration":
        keys = [by(F("ended_at") - F("started_at"))]
    else:
        return [by(F("number"))]
    return [*keys, OrderBy(F("number"))]


def _row(run: Run, sweep: Sweep) -> SharedRun:
    until = run.ended_at or clock.now()
    params = in_declared_order(run.params, sweep.spec)
    return SharedRun(
        run=run,
        values=[params.get(name) for name in sweep.spec["search_space"]],
        seconds=(until - run.started_at).total_seconds() if run.started_at else None,
        is_best=run.pk == sweep.best_run_id,
    )
