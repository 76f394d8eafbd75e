"""The command `trash`: move ended sweeps to the trash, list it, bring sweeps back."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from experiments.formats import format_filesize
from studio.cli_completion import complete_sweep
from studio.cli_output import connect, echo_json, echo_table, format_age, json_option
from studio.cli_sweeps import sweep_path


@click.group()
def trash() -> None:
    """Move sweeps to the trash and bring them back.

    A sweep in the trash is in no list any more. Models registered from it stay. `studio purge`
    deletes it for good; after STUDIO_TRASH_DAYS (30) the studio does.
    """


@trash.command()
@click.argument(
    "sweeps", nargs=-1, required=True, metavar="SWEEP...", shell_complete=complete_sweep
)
@json_option
def add(sweeps: tuple[str, ...], as_json: bool) -> None:
    """Move sweeps that have ended to the trash."""
    client = connect()
    moved = []
    for sweep in sweeps:
        moved.append(client.delete(sweep_path(sweep)))
        if not as_json:
            click.echo(f"{sweep}: in the trash")
    if as_json:
        echo_json(moved)


@trash.command("list")
@json_option
def list_trash(as_json: bool) -> None:
    """List what is in the trash."""
    found = list(connect().pages("trash", limit=500))
    if as_json:
        echo_json(found)
        return
    headings = ["Sweep", "Name", "Runs", "Size", "Moved", "By", "Deleted for good"]
    echo_table(headings, [_row(entry) for entry in found])


@trash.command()
@click.argument("sweeps", nargs=-1, required=True, metavar="SWEEP...")
@json_option
def restore(sweeps: tuple[str, ...], as_json: bool) -> None:
    """Bring sweeps back from the trash."""
    client = connect()
    restored = []
    for sweep in sweeps:
        restored.append(client.post(f"trash/{quote(sweep, safe='')}/restore"))
        if not as_json:
            click.echo(f"{sweep}: restored")
    if as_json:
        echo_json([{"id": one["id"], "status": one["status"]} for one in restored])


def _row(entry: dict[str, Any]) -> list[str]:
    purge_at = entry["purge_at"]
    until = purge_at[:10] if purge_at else "by hand only"
    return [
        entry["id"],
        entry["name"],
        str(entry["runs"]),
        format_filesize(entry["size"]),
        format_age(entry["trashed"]),
        entry["trashed_by"] or "-",
        "being deleted" if entry["removal"] else until,
    ]
