"""A sweep's runs and reports on their way to a file: one way for pages, REST and command line.

Owns formats, names and headers of the answer; what is in the files is read by
`experiments.queries.run_export`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final, Literal, get_args

from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from experiments.downloads import send_blocks
from experiments.models import Sweep
from experiments.queries.run_export import (
    REPORT_FIELDS,
    document_text,
    numbers_of,
    report_blocks,
    runs_table,
)
from experiments.queries.run_table import RunChoice
from experiments.readings import BEST, Reading
from experiments.table_files import csv_blocks, has_parquet, stream_parquet, write_parquet

What = Literal["runs", "metrics"]
FormatName = Literal["csv", "json", "parquet"]
EXPORTS: Final = get_args(FormatName)
_BLOCK: Final = 1 << 16
_IN_MEMORY: Final = 1 << 20
_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
_NO_PARQUET: Final = (
    "Parquet needs the package pyarrow, which is not installed where the studio runs: "
    "pip install 'sweep-studio[parquet]'. CSV has the same rows."
)


class CannotExportError(Exception):
    """The file cannot be made here."""


@dataclass(frozen=True, slots=True)
class Export:
    """What is asked for: which runs of a sweep, how much about them, in which format.

    `metrics` in CSV and Parquet are the reports alone, a row each; in JSON the runs with them.
    """

    sweep: Sweep
    choice: RunChoice
    format: FormatName
    what: What = "runs"
    reading: Reading = BEST


def export_response(request: HttpRequest, wanted: Export) -> HttpResponseBase:
    """Send the file; it is made while it is sent.

    Raises:
        CannotExportError: there is no such file.
    """
    if wanted.format == "parquet" and not has_parquet():
        raise CannotExportError(_NO_PARQUET)
    is_whole = wanted.format == "json" and wanted.what == "metrics"
    part = "" if is_whole else f"-{wanted.what}"
    name = f"{wanted.sweep.public_id}{part}.{wanted.format}"
    return send_blocks(request, letting_go(_blocks(wanted)), name, _TYPES[wanted.format])


def letting_go(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Close connections that are due: each block may be made by another thread of the server."""
    for block in blocks:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
        yield block


def _blocks(wanted: Export) -> Iterator[bytes]:
    sweep, choice = wanted.sweep, wanted.choice
    if wanted.format == "json":
        return _json_blocks(wanted)
    if wanted.what == "metrics":
        found = report_blocks(sweep, numbers_of(sweep, choice))
        if wanted.format == "csv":
            rows = (zip(*columns, strict=True) for columns in found)
            return _gathered(csv_blocks([name for name, _ in REPORT_FIELDS], rows))
        return _from_file(lambda file: stream_parquet(REPORT_FIELDS, found, file))
    table = runs_table(sweep, choice, wanted.reading)
    if wanted.format == "csv":
        return csv_blocks(table.names, [table.rows])
    return _from_file(lambda file: write_parquet(table.names, table.rows, file))


def _json_blocks(wanted: Export) -> Iterator[bytes]:
    numbers = numbers_of(wanted.sweep, wanted.choice)
    pieces = document_text(wanted.sweep, numbers, with_metrics=wanted.what != "runs")
    return _gathered(piece.encode() for piece in pieces)


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces: each of them costs a turn between threads."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _from_file(write: Any) -> Iterator[bytes]:
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        handle: IO[bytes] = file
        write(handle)
        file.seek(0)
        while block := file.read(_BLOCK):
            yield block
