"""The table of a sweep's runs: sorted, filtered and cut into pages by the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db.models import Q, QuerySet

from experiments import clock
from experiments.curves import downsample
from experiments.models import (
    Experiment,
    MetricChunk,
    MetricSeries,
    Run,
    SavedView,
    Sweep,
)
from experiments.queries.json_forms import duration_of, in_declared_order
from experiments.queries.page import Page
from experiments.queries.run_filter import filtered, in_states, order_of
from experiments.queries.series import metric_names
from experiments.readings import BEST, Reading, ReadValues, in_order
from experiments.run_columns import Column, Columns, Kind, Names, Source
from experiments.run_filter import Condition
from experiments.spec import SweepSpec

_CURVE_POINTS: Final = 40
# What the table never shows and exports never hold.
_UNUSED: Final = ("facts", "command", "last_decision", "arguments")


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of the table. `metrics` has what was asked for, by name and part."""

    public_id: str
    number: int
    state: str
    end_reason: str
    reason: str
    note: str
    origin: str
    params: dict[str, Any]
    tags: dict[str, str | None]
    properties: dict[str, str]
    reports: int
    best_value: float | None
    best_interval: int | None
    best_step: float | None
    last_value: float | None
    # What counts under the reading that was asked for; `is_best` goes by it as well.
    value: float | None
    retry_number: int | None
    worker_name: str
    host: str
    exit_code: int | None
    output_bytes: int
    created: datetime
    started: datetime | None
    ended: datetime | None
    duration: float | None
    waited: float | None
    is_best: bool
    url: str
    metrics: dict[tuple[str, str], float | None] = field(default_factory=dict)
    curve: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RunChoice:
    """Which runs of a sweep, in which order.

    `states` may hold "stopped_early", which is then told apart from Canceled. `numbers` None means
    all. Runs without a value to sort by come last either way. `read` has the values of the column
    `best` where another value of a run than its best one counts.
    """

    conditions: Sequence[Condition] = ()
    states: Collection[str] = ()
    numbers: Collection[int] | None = None
    sort: Column | None = None
    descending: bool = False
    read: ReadValues | None = None

    @property
    def is_by_reading(self) -> bool:
        """Whether the order is one that the database does not know."""
        return self.read is not None and self.sort is not None and self.sort.key == "best"


def columns_of(sweep: Sweep, *, with_options: bool = False, reading: Reading = BEST) -> Columns:
    """Return the columns of a sweep's table; two queries. Options cost reading the spec."""
    tags: dict[str, None] = {}
    properties: dict[str, None] = {}
    marked = Run.objects.filter(sweep=sweep).exclude(Q(tags={}) & Q(properties={}))
    for of_run, fixed in marked.order_by("number").values_list("tags", "properties"):
        tags.update(dict.fromkeys(of_run))
        properties.update(dict.fromkeys(fixed))
    return Columns(
        Names(
            metric=sweep.metric_name,
            goal=sweep.goal,
            params=list(sweep.spec["search_space"]),
            metrics=metric_names(sweep),
            tags=sorted(tags),
            properties=sorted(properties),
            options=_options_of(sweep) if with_options else None,
            reading=reading,
        )
    )


def saved_views_of(experiment: Experiment) -> QuerySet[SavedView]:
    """Return the named views of an experiment by name, with their owners."""
    views = SavedView.objects.filter(experiment=experiment)
    return views.select_related("owner", "experiment")


def chosen_runs(sweep: Sweep, choice: RunChoice) -> QuerySet[Run]:
    """Return the runs of a choice, in its order (by number where only the reports tell it)."""
    now = clock.now()
    rows = filtered(Run.objects.filter(sweep=sweep), choice.conditions, sweep, now)
    if choice.states:
        rows = rows.filter(in_states(frozenset(choice.states)))
    if choice.numbers is not None:
        rows = rows.filter(number__in=list(choice.numbers))
    if choice.sort is None or choice.is_by_reading:
        if choice.is_by_reading:
            return rows.order_by("number")
        return rows.order_by("-number" if choice.descending else "number")
    return rows.order_by(*order_of(choice.sort, sweep, now, descending=choice.descending))


def run_rows(
    sweep: Sweep,
    choice: RunChoice = RunChoice(),
    *,
    shown: Iterable[Column] = (),
    offset: int = 0,
    limit: int = 50,
) -> Page[RunRow]:
    """Return a page of the chosen runs, with what the columns in `shown` need beside the rows.

    Two queries, and one each for metrics and curves if they are shown.
    """
    rows = chosen_runs(sweep, choice)
    if choice.is_by_reading:
        numbers = _ordered(rows, choice)
        total = len(numbers)
        runs = _in_order(rows, numbers[offset : offset + limit])
    else:
        total = rows.order_by().count()
        runs = list(_loaded(rows)[offset : offset + limit])
    after = offset + len(runs)
    return Page(
        items=list(_filled(runs, sweep, list(shown), choice.read)),
        next_cursor=str(after) if after < total else None,
        total=total,
        offset=offset,
    )


def every_row(
    sweep: Sweep, choice: RunChoice, shown: Iterable[Column], *, limit: int
) -> list[RunRow]:
    """Return all chosen runs at once, as exports need them."""
    runs = list(_loaded(chosen_runs(sweep, choice))[:limit])
    if choice.is_by_reading:
        by_number = {run.number: run for run in runs}
        runs = [by_number[number] for number in _sorted(list(by_number), choice)]
    return list(_filled(runs, sweep, list(shown), choice.read))


def _ordered(rows: QuerySet[Run], choice: RunChoice) -> list[int]:
    return _sorted(list(rows.values_list("number", flat=True)), choice)


def _sorted(numbers: list[int], choice: RunChoice) -> list[int]:
    values = choice.read.values if choice.read else {}
    return in_order(numbers, values, descending=choice.descending)


def _in_order(rows: QuerySet[Run], numbers: list[int]) -> list[Run]:
    found = {run.number: run for run in _loaded(rows.filter(number__in=numbers))}
    return [found[number] for number in numbers if number in found]


def _loaded(rows: QuerySet[Run]) -> QuerySet[Run]:
    return rows.select_related("retry_of").defer(
        *_UNUSED, *(f"retry_of__{name}" for name in (*_UNUSED, "params", "note", "reason"))
    )


def _filled(
    runs: list[Run], sweep: Sweep, shown: list[Column], read: ReadValues | None
) -> Iterator[RunRow]:
    keys = [run.pk for run in runs]
    metrics = _metrics_of(keys, [c for c in shown if c.source == Source.METRICS])
    has_curves = any(column.kind == Kind.CURVE for column in shown)
    curves = _curves_of(keys, sweep.metric_name) if has_curves else {}
    for run in runs:
        yield run_row(run, sweep, metrics.get(run.pk, {}), curves.get(run.pk, []), read=read)


def _metrics_of(
    keys: list[int], columns: list[Column]
) -> dict[int, dict[tuple[str, str], float | None]]:
    if not keys or not columns:
        return {}
    parts = ("last_value", "minimum", "maximum")
    rows = MetricSeries.objects.filter(run__in=keys, name__in={c.name for c in columns})
    found: dict[int, dict[tuple[str, str], float | None]] = {}
    for run_id, name, *values in rows.values_list("run_id", "name", *parts):
        of_run = found.setdefault(run_id, {})
        of_run.update({(name, part): value for part, value in zip(parts, values, strict=True)})
    return found


def _curves_of(keys: list[int], metric: str) -> dict[int, list[float]]:
    chunks = (
        MetricChunk.objects.filter(series__run__in=keys, series__name=metric)
        .order_by("series__run", "first")
        .values_list("series__run", "values")
    )
    raw: dict[int, bytes] = {}
    for run_id, piece in chunks if keys else ():
        raw[run_id] = raw.get(run_id, b"") + bytes(piece)
    return {run_id: _thinned(piece) for run_id, piece in raw.items()}


def _thinned(raw: bytes) -> list[float]:
    values = np.frombuffer(raw, dtype="<f8")
    _, cut = downsample(np.arange(values.size), values, _CURVE_POINTS)
    return [float(value) for value in cut]


def _options_of(sweep: Sweep) -> Mapping[str, tuple[str, ...]]:
    expressions = SweepSpec.from_stored(sweep.spec).space.expressions
    return {
        name: tuple(
            str(value).lower() if isinstance(value, bool) else str(value) for value in values
        )
        for name, expression in expressions.items()
        if expression.name == "choice" and (values := expression.values())
    }


def run_row(
    run: Run,
    sweep: Sweep,
    metrics: dict[tuple[str, str], float | None] | None = None,
    curve: list[float] | None = None,
    *,
    read: ReadValues | None = None,
) -> RunRow:
    """Return the line of one run of `sweep`; `read` says which value counts if not the best."""
    return RunRow(
        public_id=run.public_id,
        number=run.number,
        state=run.state,
        end_reason=run.end_reason,
        reason=run.reason,
        note=run.note,
        origin=run.origin,
        params=in_declared_order(run.params, sweep.spec),
        tags=run.tags,
        properties=run.properties,
        reports=run.reports,
        best_value=run.best_value,
        best_interval=run.best_interval,
        best_step=run.best_step,
        last_value=run.last_value,
        value=read.get(run.number) if read else run.best_value,
        retry_number=run.retry_of.number if run.retry_of else None,
        worker_name=run.worker_name,
        host=run.host,
        exit_code=run.exit_code,
        output_bytes=run.output_bytes,
        created=run.created_at,
        started=run.started_at,
        ended=run.ended_at,
        duration=duration_of(run.started_at, run.ended_at),
        waited=duration_of(run.created_at, run.started_at or run.ended_at),
        is_best=run.number == read.best if read else run.pk == sweep.best_run_id,
        url=run.get_absolute_url(),
        metrics=metrics or {},
        curve=curve or [],
    )
