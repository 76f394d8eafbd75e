"""What files of a sweep hold: a row for every run, a row for every report, the whole sweep.

Runs and reports are read piece by piece, so that a million reports need little memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from experiments.imports.document import header_json, run_json, write_document
from experiments.imports.observed import ObservedRun, ObservedSeries, ObservedSweep
from experiments.models import Run, Sweep
from experiments.queries.json_forms import in_declared_order
from experiments.queries.readings import values_read
from experiments.queries.run_table import RunChoice, RunRow, chosen_runs, columns_of, every_row
from experiments.queries.series import Series, series_of_runs
from experiments.readings import BEST, Reading
from experiments.run_columns import Column, Columns, Source
from experiments.states import badge

_MOST_ROWS: Final = 100_000
_RUNS_AT_ONCE: Final = 10
Field = tuple[str, Callable[[RunRow], Any]]
REPORT_FIELDS: Final = (
    ("run", int),
    ("metric", str),
    ("interval", int),
    ("step", float),
    ("time", float),
    ("value", float),
    ("text", str),
    ("id", str),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a file; `names` has each name once."""

    names: list[str]
    rows: list[list[Any]]


def runs_table(sweep: Sweep, choice: RunChoice, reading: Reading = BEST) -> Table:
    """Return the chosen runs with every column and exact values."""
    columns = columns_of(sweep, reading=reading)
    shown = [column for column in columns if column.source == Source.METRICS]
    rows = every_row(sweep, choice, shown, limit=_MOST_ROWS)
    fields = list(_fields(columns, sweep, reading))
    return Table(
        names=[name for name, _ in fields],
        rows=[[value(row) for _, value in fields] for row in rows],
    )


def choice_of_all(sweep: Sweep, reading: Reading = BEST, **parts: Any) -> RunChoice:
    """Return the runs of a sweep in sampling order, with the values of a reading."""
    return RunChoice(read=None if reading.is_best else values_read(sweep, reading), **parts)


def numbers_of(sweep: Sweep, choice: RunChoice) -> list[int]:
    """Return the numbers of the chosen runs, in sampling order."""
    return sorted(chosen_runs(sweep, choice).values_list("number", flat=True))


def report_blocks(sweep: Sweep, numbers: Sequence[int]) -> Iterator[list[list[Any]]]:
    """Yield the reports of these runs as columns in the order of REPORT_FIELDS, block by block.

    A block is one metric of one run.
    """
    for some in _batches(numbers):
        for number, series in series_of_runs(sweep, some):
            yield _block(number, series, f"{sweep.public_id}_{number}")


def document_text(
    sweep: Sweep, numbers: Sequence[int], *, with_metrics: bool = True
) -> Iterator[str]:
    """Yield the JSON document of a sweep with these runs; it can be imported again."""
    runs = (
        run_json(run, with_metrics=with_metrics)
        for run in observed_runs(sweep, numbers, with_metrics=with_metrics)
    )
    yield from write_document(header_json(observed_sweep(sweep)), runs)


def observed_sweep(sweep: Sweep) -> ObservedSweep:
    """Return everything of a sweep but its runs."""
    return ObservedSweep(
        kind="json",
        source=f"{sweep.name} ({sweep.public_id})",
        spec=sweep.spec,
        runs=(),
        status=sweep.state,
        end_reason=sweep.end_reason,
        reason=sweep.reason,
        seed=sweep.seed,
        created=sweep.created_at,
        started=sweep.started_at,
        ended=sweep.ended_at,
    )


def observed_runs(
    sweep: Sweep, numbers: Sequence[int], *, with_metrics: bool = True
) -> Iterator[ObservedRun]:
    """Yield these runs of a sweep with all of their reports, a few at a time."""
    kept = set(numbers)
    for some in _batches(numbers):
        rows = Run.objects.filter(sweep=sweep, number__in=some).select_related("retry_of")
        series = _all_series(sweep, some) if with_metrics else {}
        for run in rows.order_by("number"):
            yield _observed(run, sweep, series.get(run.number, []), kept)


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _RUNS_AT_ONCE):
        yield numbers[start : start + _RUNS_AT_ONCE]


def _all_series(sweep: Sweep, numbers: Sequence[int]) -> dict[int, list[Series]]:
    found: dict[int, list[Series]] = {}
    for number, series in series_of_runs(sweep, numbers):
        found.setdefault(number, []).append(series)
    return found


def _observed(run: Run, sweep: Sweep, series: list[Series], kept: set[int]) -> ObservedRun:
    earlier = run.retry_of.number if run.retry_of else None
    return ObservedRun(
        number=run.number,
        params=in_declared_order(run.params, sweep.spec),
        status=run.state,
        end_reason=run.end_reason,
        reason=run.reason,
        note=run.note,
        origin=run.origin,
        arguments=run.arguments,
        tags=run.tags,
        properties=run.properties,
        retry_of=earlier if earlier in kept else None,
        worker=run.worker_name,
        host=run.host,
        exit_code=run.exit_code,
        created=run.created_at,
        started=run.started_at,
        ended=run.ended_at,
        series=[_observed_series(one) for one in series],
    )


def _observed_series(series: Series) -> ObservedSeries:
    values: list[float | str] = series.values.tolist()
    for ordinal, text in series.texts.items():
        values[ordinal] = text
    return ObservedSeries(
        name=series.name, values=values, steps=_steps(series), times=series.times.tolist()
    )


def _steps(series: Series) -> list[float | None] | None:
    if series.steps is None:
        return None
    return [None if step != step else step for step in series.steps.tolist()]


def _block(number: int, series: Series, public_id: str) -> list[list[Any]]:
    count = len(series.values)
    values: list[float | None] = series.values.tolist()
    texts: list[str | None] = [None] * count
    for ordinal, text in series.texts.items():
        values[ordinal], texts[ordinal] = None, text
    return [
        [number] * count,
        [series.name] * count,
        series.intervals.tolist(),
        _steps(series) or [None] * count,
        series.times.tolist(),
        values,
        texts,
        [public_id] * count,
    ]


def _fields(columns: Columns, sweep: Sweep, reading: Reading) -> Iterator[Field]:
    """Yield the name and the value of every field, names once each."""
    taken: set[str] = set()
    for name, value in _all_fields(columns, sweep, reading):
        unique = name
        while unique in taken:
            unique = f"{unique}_"
        taken.add(unique)
        yield unique, value


def _all_fields(columns: Columns, sweep: Sweep, reading: Reading) -> Iterator[Field]:
    yield "run", lambda row: row.number
    yield "status", lambda row: badge(row.state, row.end_reason).label
    yield sweep.metric_name, lambda row: row.best_value
    yield "at_interval", lambda row: row.best_interval
    for column in columns:
        if column.source == Source.PARAMS:
            yield column.name, _param(column)
    yield f"{sweep.metric_name}.last", lambda row: row.last_value
    for column in columns:
        if column.source == Source.METRICS:
            yield column.key.removeprefix("metrics."), _metric(column)
    # Which value of a run counted where the file was asked for, and that value.
    yield "reading", lambda row: reading.key
    yield "value", lambda row: row.value
    yield "reports", lambda row: row.reports
    yield "duration_seconds", lambda row: row.duration
    yield "waited_seconds", lambda row: row.waited
    yield "created", lambda row: row.created
    yield "started", lambda row: row.started
    yield "ended", lambda row: row.ended
    yield "tags", lambda row: row.tags or None
    yield "properties", lambda row: row.properties or None
    yield "worker", lambda row: row.worker_name
    yield "host", lambda row: row.host
    yield "exit_code", lambda row: row.exit_code
    yield "output_bytes", lambda row: row.output_bytes
    yield "retry_of", lambda row: row.retry_number
    yield "reason", lambda row: row.reason
    yield "id", lambda row: row.public_id


def _param(column: Column) -> Callable[[RunRow], Any]:
    return lambda row: row.params.get(column.name)


def _metric(column: Column) -> Callable[[RunRow], Any]:
    return lambda row: row.metrics.get((column.name, column.part))
