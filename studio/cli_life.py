"""Commands that change a live sweep: pause, resume, retry."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from studio.cli_completion import complete_run, complete_sweep
from studio.cli_output import connect, echo_json, json_option
from studio.cli_sweeps import sweep_path
from studio.sdk.client import StudioClient, StudioRefusedError


@click.command()
@click.argument("sweep", shell_complete=complete_sweep)
@json_option
def pause(sweep: str, as_json: bool) -> None:
    """Pause a sweep: runs that have started go on, no new ones start."""
    _echo_status(connect().post(sweep_path(sweep, "pause")), as_json=as_json)


@click.command()
@click.argument("sweep", shell_complete=complete_sweep)
@json_option
def resume(sweep: str, as_json: bool) -> None:
    """Let a paused sweep go on."""
    _echo_status(connect().post(sweep_path(sweep, "resume")), as_json=as_json)


@click.command()
@click.argument("sweep_or_run", shell_complete=complete_run)
@json_option
def retry(sweep_or_run: str, as_json: bool) -> None:
    """Repeat all failed runs of a sweep, or one run by its id (<sweep>_<number>).

    New runs with the same hyperparameters; they do not count towards max_total_runs. A sweep that
    has ended goes on until they have ended.
    """
    made = retry_by_id(connect(), sweep_or_run)
    if as_json:
        keys = ("id", "status", "retry_of")
        echo_json([{key: run[key] for key in keys} for run in made])
        return
    for run in made:
        click.echo(f"{run['id']}: repeats {run['retry_of']}")
    if not made:
        click.echo("No failed run of this sweep is left to repeat.", err=True)


def retry_by_id(client: StudioClient, identifier: str) -> list[dict[str, Any]]:
    """Repeat the failed runs of the sweep of this id, or else the run; return the new runs."""
    try:
        made: list[dict[str, Any]] = client.post(sweep_path(identifier, "retry-failed"))["items"]
    except StudioRefusedError as error:
        if error.status != 404:
            raise
        return [client.post(f"runs/{quote(identifier, safe='')}/retry")]
    return made


def _echo_status(document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json({"id": document["id"], "status": document["status"]})
    else:
        click.echo(f"{document['id']}: {document['status']}")
