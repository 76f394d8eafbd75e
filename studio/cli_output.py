"""How the command line writes: one JSON document, plain columns in a pipe, a table on a terminal.

Owns the exit codes; asks the studio nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import click

from studio.sdk.client import Connection, StudioClient, StudioRefusedError, find_connection

EXIT_FAILED: Final = 1
EXIT_WRONG: Final = 2
EXIT_UNREACHABLE: Final = 3

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

_COLOURS = {
    "Completed": "green",
    "Failed": "red",
    "Canceled": "yellow",
    "Stopped early": "magenta",
    "Canceling": "yellow",
    "Not responding": "yellow",
    "CancelRequested": "yellow",
    "NotResponding": "yellow",
    "Running": "cyan",
    "Starting": "cyan",
    "Finalizing": "cyan",
}


def connect() -> StudioClient:
    """Return a client of the studio that the environment or this machine's data folder names."""
    from studio import env

    connection: Connection = find_connection(os.environ, env.studio_home())
    # Short: who has forgotten to start the studio wants to hear so at once.
    return StudioClient(connection, patience=2.0)


def echo_json(document: Any) -> None:
    """Write one document on one line."""
    click.echo(json.dumps(document, ensure_ascii=False))


def echo_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows: a table on a terminal, tab-separated values in a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    Console().print(table)


def echo_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Write `name: value` lines, aligned; empty values are left out."""
    width = max((len(name) for name, value in facts if value), default=0)
    for name, value in facts:
        if value:
            click.echo(f"{name + ':':<{width + 1}} {value}")


def explain_refusal(error: StudioRefusedError) -> None:
    """Write every problem that the studio named, one a line, to stderr."""
    if error.status in {400, 422}:
        echo_problems([(e["path"], e["message"]) for e in error.errors])
    else:
        click.echo(error.detail, err=True)


def echo_problems(problems: Sequence[tuple[str, str]]) -> None:
    """Write one line per problem to stderr."""
    for path, message in problems:
        click.echo(f"{path}: {message}" if path else message, err=True)


def format_value(value: Any) -> str:
    """Write a metric or a hyperparameter as a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def format_params(params: dict[str, Any]) -> str:
    """Write hyperparameters on one line."""
    return " ".join(f"{name}={format_value(value)}" for name, value in params.items())


def format_counts(counts: dict[str, int]) -> str:
    """Write how many runs stand in which state; states without runs are left out."""
    return ", ".join(f"{n} {state}" for state, n in counts.items() if n)


def format_age(moment: str | None) -> str:
    """Write how long ago an ISO time was."""
    if not moment:
        return "-"
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show what goes on behind a spinner on a terminal; nothing at all in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(escape(text)) as status:
        yield lambda line: status.update(escape(line))
