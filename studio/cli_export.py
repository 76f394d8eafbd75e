"""The command `export`: runs and reports of a sweep as CSV, JSON or Parquet."""

from __future__ import annotations

import http.client
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlencode

import click

from experiments.formats import format_filesize
from studio.cli_completion import complete_sweep
from studio.cli_output import connect, echo_json, json_option, progress
from studio.cli_sweeps import sweep_path
from studio.sdk.client import StudioUnreachableError

# A file of a million reports takes a while until its first byte.
_SECONDS: Final = 600.0
_WHATS: Final = {"csv": "runs", "parquet": "runs", "json": "metrics"}


@click.command()
@click.argument("sweep", shell_complete=complete_sweep)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["csv", "json", "parquet"]),
    default="csv",
    show_default=True,
    help="json: one document, which `studio import json` reads back.",
)
@click.option(
    "--what",
    type=click.Choice(["runs", "metrics"]),
    help="A row for each run, or every report of every metric. Default: runs; for json metrics, "
    "which are the runs with all reports.",
)
@click.option("--filter", "conditions", metavar="TEXT", help="Only runs that meet it.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    default="-",
    show_default=True,
    help="File to write; - is the standard output.",
)
@json_option
def export(
    sweep: str,
    format_name: str,
    what: str | None,
    conditions: str | None,
    output: Path,
    as_json: bool,
) -> None:
    """Write the runs of a sweep, or every report of every metric, to a file.

    Numbers are exact; those without digits are NaN, Infinity and -Infinity. With --json and a file
    the last line says what was written.
    """
    is_stdout = str(output) == "-"
    if is_stdout and as_json:
        raise click.UsageError("--json tells about a file; name it with --output.")
    if is_stdout and format_name == "parquet" and sys.stdout.isatty():
        raise click.UsageError("Parquet is no text; name a file with --output.")
    part = what or _WHATS[format_name]
    query = {"format": format_name, **({"filter": conditions} if conditions else {})}
    address = f"{sweep_path(sweep, 'export', part)}?{urlencode(query)}"
    with tempfile.TemporaryFile() as file:
        size = _fetch(address, file)
        file.seek(0)
        if is_stdout:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        with output.open("wb") as target:
            shutil.copyfileobj(file, target)
    if as_json:
        echo_json({"file": str(output), "bytes": size, "format": format_name, "what": part})
    else:
        click.echo(f"{output}: {format_filesize(size)}", err=True)


def _fetch(address: str, file: IO[bytes]) -> int:
    """Get the whole file before any of it is written: half a file looks like a whole one."""
    client = connect()
    client.timeout = _SECONDS
    with progress("Exporting") as say:
        counted = _Counted(file, say)
        try:
            client.download(address, counted)  # type: ignore[arg-type]  # it only writes
        except (http.client.HTTPException, OSError) as error:
            text = f"The studio broke off while it made the file ({error}); nothing was written."
            raise StudioUnreachableError(text) from error
    return counted.size


class _Counted:
    """A file that says how much was written to it."""

    def __init__(self, file: IO[bytes], say: Callable[[str], None]) -> None:
        self._file = file
        self._say = say
        self.size = 0

    def write(self, data: bytes) -> int:
        """Write, and say how much there is by now."""
        self.size += len(data)
        self._say(f"Exporting · {format_filesize(self.size)}")
        return self._file.write(data)
