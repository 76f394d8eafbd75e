"""Runs as a file: CSV for spreadsheets, Parquet for programs; every column, exact values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from experiments.models import Sweep
from experiments.queries import RunRow
from experiments.queries.readings import values_read
from experiments.queries.run_table import columns_of, every_row
from experiments.readings import Reading
from experiments.run_columns import Column, Columns, Source
from experiments.states import badge
from experiments.views.readings import reading_of
from experiments.views.run_table_state import read_numbers, read_state

EXPORTS: Final = ("csv", "parquet")
_MOST_ROWS: Final = 100_000
_NO_PARQUET: Final = (
    "Parquet needs the package pyarrow, which is not installed where the studio runs: "
    "pip install 'sweep-studio[parquet]'. CSV has the same rows."
)
_PARQUET_TYPE: Final = "application/vnd.apache.parquet"


def has_parquet() -> bool:
    """Tell whether Parquet can be written here."""
    return find_spec("pyarrow") is not None


def export_response(request: HttpRequest, sweep: Sweep, format_name: str) -> HttpResponse:
    """Return every run that the filters let through as a file, or those in `runs=3,8`."""
    reading, wrong = reading_of(request.GET)
    if wrong:
        return _plain(wrong, 400)
    columns = columns_of(sweep, reading=reading)
    state = read_state(request.GET, columns)
    asked = request.GET.get("runs")
    numbers = None if asked is None else read_numbers(asked)
    if asked is not None and numbers is None:
        return _plain(f"runs is {asked[:60]!r}; use numbers of runs with commas, as in 3,8.", 400)
    if state.errors:
        return _plain("\n".join(state.errors), 400)
    if format_name == "parquet" and not has_parquet():
        return _plain(_NO_PARQUET, 501)
    shown = [column for column in columns if column.source == Source.METRICS]
    read = None if reading.is_best else values_read(sweep, reading)
    rows = every_row(sweep, state.choice(numbers, read), shown, limit=_MOST_ROWS)
    fields = list(_fields(columns, sweep, reading))
    write = _parquet if format_name == "parquet" else _csv
    return write(f"{sweep.public_id}-runs", fields, rows)


Field = tuple[str, Callable[[RunRow], Any]]


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


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


def _csv(stem: str, fields: Sequence[Field], rows: Iterable[RunRow]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{stem}.csv") or ""
    writer = csv.writer(response)
    writer.writerow([_safe(name) for name, _ in fields])
    for row in rows:
        writer.writerow([_safe(value(row)) for _, value in fields])
    return response


def _safe(value: Any) -> Any:
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    # A text that a spreadsheet would run as a formula is kept a text.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def _parquet(stem: str, fields: Sequence[Field], rows: Sequence[RunRow]) -> HttpResponse:
    # A big package that most studios never need: loaded when somebody asks for it.
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    arrays = [arrow.array(*_typed(arrow, [value(row) for row in rows])) for _, value in fields]
    table = arrow.Table.from_arrays(arrays, names=[name for name, _ in fields])
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    response = HttpResponse(file.getvalue(), content_type=_PARQUET_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, f"{stem}.parquet") or ""
    return response


def _typed(arrow: Any, values: list[Any]) -> tuple[list[Any], Any]:
    """Return values of one type and that type: mixed ones become text, lists and objects JSON."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} and kinds and all(v is None or abs(v) < 2**63 for v in values):
        return values, arrow.int64()
    if kinds <= {int, float} and kinds:
        return [None if v is None else float(v) for v in values], arrow.float64()
    if kinds == {bool}:
        return values, arrow.bool_()
    if kinds and all(hasattr(kind, "isoformat") for kind in kinds):
        return values, arrow.timestamp("us", tz="UTC")
    return [v if v is None or isinstance(v, str) else _json(v) for v in values], arrow.string()


def _json(value: Any) -> str:
    return (
        value.isoformat() if hasattr(value, "isoformat") else json.dumps(value, ensure_ascii=False)
    )
