"""Tables as files: CSV for spreadsheets, Parquet for programs. Numbers are exact in both. Pure.

Numbers that have no digits are written as NaN, Infinity and -Infinity in CSV.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import IO, Any, Final

# Rows of a block: memory stays small, and Parquet is read well.
_BLOCK_ROWS: Final = 20_000
# What a formula begins with, also in the wide letters that some spreadsheets take for the same.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def has_parquet() -> bool:
    """Tell whether Parquet can be written here."""
    return find_spec("pyarrow") is not None


def csv_blocks(names: Sequence[str], blocks: Iterable[Iterable[Sequence[Any]]]) -> Iterator[bytes]:
    """Yield a CSV file; `blocks` are lists of rows."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_cell(name) for name in names])
    for rows in blocks:
        writer.writerows([_cell(value) for value in row] for row in rows)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def write_parquet(names: Sequence[str], rows: Sequence[Sequence[Any]], file: IO[bytes]) -> None:
    """Write a small table; the type of each column is that of its values."""
    # A big package that most studios never need: loaded when somebody asks for it.
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    columns = [[row[i] for row in rows] for i in range(len(names))]
    arrays = [arrow.array(*_typed(arrow, values)) for values in columns]
    table = arrow.Table.from_arrays(arrays, names=list(names))
    parquet.write_table(table, file, compression="zstd")


def stream_parquet(
    fields: Sequence[tuple[str, type]], blocks: Iterable[Sequence[list[Any]]], file: IO[bytes]
) -> None:
    """Write a large table of known types; `blocks` are lists of columns."""
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    types = {int: arrow.int64(), float: arrow.float64(), str: arrow.string()}
    schema = arrow.schema([(name, types[kind]) for name, kind in fields])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for columns in _merged(blocks, len(fields)):
            arrays = [
                arrow.array(values, kind)
                for values, kind in zip(columns, schema.types, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _merged(blocks: Iterable[Sequence[list[Any]]], width: int) -> Iterator[list[list[Any]]]:
    columns: list[list[Any]] = [[] for _ in range(width)]
    for block in blocks:
        for column, values in zip(columns, block, strict=True):
            column += values
        if len(columns[0]) >= _BLOCK_ROWS:
            yield columns
            columns = [[] for _ in range(width)]
    if columns[0]:
        yield columns


def _cell(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    # A text that a spreadsheet would run as a formula is kept a text.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


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
