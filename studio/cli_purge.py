"""The command `purge`: remove sweeps, outputs and leftovers for good, and say what that freed."""

from __future__ import annotations

import sys
import time
from typing import Any
from urllib.parse import quote

import click

from experiments.formats import format_filesize
from studio.cli_completion import complete_run
from studio.cli_django import set_up_django
from studio.cli_output import (
    EXIT_FAILED,
    connect,
    echo_json,
    echo_table,
    json_option,
)
from studio.cli_sweeps import sweep_path
from studio.sdk.client import StudioClient, StudioRefusedError

_LOOK_SECONDS = 1.0
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def purge() -> None:
    """Remove sweeps, outputs and leftovers for good. This cannot be undone."""


@purge.command()
@click.argument("sweeps", nargs=-1, required=True, metavar="SWEEP...")
@yes_option
@json_option
def sweep(sweeps: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete sweeps that are in the trash for good, with runs, metrics, logs and outputs."""
    client = connect()
    entries = [client.get(_trash_path(one)) for one in sweeps]
    size = sum(entry["size"] for entry in entries)
    runs = sum(entry["runs"] for entry in entries)
    what = f"{_counted(len(entries), 'sweep')} with {_counted(runs, 'run')}"
    _ask(f"Delete {what} (about {format_filesize(size)}) for good?", yes)
    _report(client, [client.delete(_trash_path(entry["id"])) for entry in entries], as_json)


@purge.command()
@click.option("--workspace", default="", help="Short name; needed where you have several.")
@yes_option
@json_option
def trash(workspace: str, yes: bool, as_json: bool) -> None:
    """Empty the trash: delete everything in it for good."""
    client = connect()
    entries = list(client.pages("trash", workspace=workspace or None, limit=500))
    slugs = sorted({entry["workspace"] for entry in entries})
    if len(slugs) > 1:
        known = ", ".join(slugs)
        raise click.UsageError(f"Several workspaces have a trash ({known}); name a --workspace.")
    if not entries:
        _report(client, [], as_json)
        return
    size = format_filesize(sum(entry["size"] for entry in entries))
    _ask(f"Delete {_counted(len(entries), 'sweep')} (about {size}) for good?", yes)
    answer = client.delete("trash", workspace=slugs[0])
    for reason in answer["refused"]:
        click.echo(reason, err=True)
    _report(client, answer["items"], as_json)
    if answer["refused"]:
        sys.exit(EXIT_FAILED)


@purge.command()
@click.argument("sweep_or_run", shell_complete=complete_run)
@click.option(
    "--keep-best",
    type=click.IntRange(0, 1000),
    help="Of a sweep: how many of its best runs keep their outputs.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@yes_option
@json_option
def outputs(
    sweep_or_run: str, keep_best: int | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Remove the outputs of one run, or of all runs of a sweep but the best.

    Metrics, logs and configuration stay, and so do models registered from them.
    """
    client = connect()
    if keep_best is None:
        _outputs_of_run(client, sweep_or_run, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    address = sweep_path(sweep_or_run, "outputs")
    plan = client.get(address, keep_best=keep_best)
    removed, kept = len(plan["removed"]), len(plan["kept"])
    for one in plan["held"]:
        click.echo(f"run {one['number']} keeps its outputs: {one['reader']} resumes it", err=True)
    if dry_run:
        if as_json:
            echo_json(plan)
        else:
            freed = format_filesize(plan["freed_bytes"])
            click.echo(f"{_counted(removed, 'run')} would lose outputs, about {freed}; {kept} keep")
        return
    size = format_filesize(plan["freed_bytes"])
    _ask(f"Remove the outputs of {_counted(removed, 'run')} (about {size}) for good?", yes)
    removal = client.delete(address, keep_best=keep_best)
    _report(client, [removal] if removal else [], as_json)


@purge.command()
@click.option("--remove", is_flag=True, help="Remove what is found; else it is only listed.")
@json_option
def leftovers(remove: bool, as_json: bool) -> None:
    """List files in this studio's storage that belong to nothing, and unused snapshots.

    Works on the machine of the studio. What is younger than a day is left alone: it may be on its
    way.
    """
    set_up_django()
    from django.utils import timezone

    from experiments.services import leftovers as service

    before = timezone.now() - service.SNAPSHOT_GRACE
    found = service.find_leftovers()
    rows: list[dict[str, Any]] = [
        {"path": one.path, "place": one.place, "size": one.size_bytes, "why": one.why}
        for one in found
    ]
    rows += [
        {"path": one.digest, "place": "snapshot", "size": one.size_bytes, "why": "used by nothing"}
        for one in service.unused_snapshots(before)
    ]
    freed = 0
    if remove:
        freed = service.remove_leftovers(found) + service.remove_unused_snapshots(before)[1]
    if as_json:
        echo_json({"items": rows, "freed_bytes": freed})
        return
    cells = [[row["path"], row["place"], format_filesize(row["size"]), row["why"]] for row in rows]
    echo_table(["What", "Where", "Size", "Why"], [[str(cell) for cell in row] for row in cells])
    if remove:
        click.echo(f"{_counted(len(rows), 'leftover')} removed, {format_filesize(freed)} freed")
    else:
        click.echo(f"{_counted(len(rows), 'leftover')}; --remove removes them", err=True)


def _outputs_of_run(
    client: StudioClient, run: str, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    address = f"runs/{quote(run, safe='')}"
    try:
        files = client.get(f"{address}/files")["items"]
    except StudioRefusedError as error:
        if error.status != 404:
            raise
        raise click.UsageError(
            f"There is no run '{run}'; of a whole sweep remove outputs with --keep-best K."
        ) from error
    sizes = [one["size"] for one in files if not one["path"].startswith("logs/")]
    size = format_filesize(sum(sizes))
    if dry_run:
        if as_json:
            echo_json({"files": len(sizes), "freed_bytes": sum(sizes)})
        else:
            click.echo(f"{_counted(len(sizes), 'file')} would be removed, {size}")
        return
    _ask(f"Remove {_counted(len(sizes), 'file')} ({size}) for good?", yes)
    _report(client, [client.delete(f"{address}/outputs")], as_json)


def _ask(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody is here to answer: add --yes.")
    click.confirm(question, abort=True, err=True)


def _report(client: StudioClient, removals: list[dict[str, Any]], as_json: bool) -> None:
    """Wait for the end of removals, with progress on a terminal, and say what they freed."""
    done = [_finished(client, removal) for removal in removals]
    if as_json:
        echo_json(done)
        return
    for removal in done:
        what = f"outputs of {_counted(removal['runs'], 'run')}"
        name = removal["name"] if removal["kind"] == "sweep" else what
        click.echo(
            f"{removal['sweep']}: {name} removed, {format_filesize(removal['freed_bytes'])} freed"
        )
    if not done:
        click.echo("There was nothing to remove.", err=True)


def _finished(client: StudioClient, removal: dict[str, Any]) -> dict[str, Any]:
    shows = sys.stderr.isatty()
    while removal["finished"] is None:
        if removal["problem"]:
            raise click.ClickException(
                f"{removal['name']} cannot be removed now ({removal['problem']}); the studio tries "
                "again every minute."
            )
        if shows:
            freed = format_filesize(removal["freed_bytes"])
            click.echo(f"\r{removal['name']}: {freed} freed so far ", nl=False, err=True)
        time.sleep(_LOOK_SECONDS)
        removal = client.get(f"removals/{removal['id']}")
    return removal


def _trash_path(sweep_id: str) -> str:
    return f"trash/{quote(sweep_id, safe='')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
