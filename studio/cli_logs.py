"""The command `logs`: what a script printed, or what happened to a sweep."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import quote

import click

from studio.cli_completion import complete_run
from studio.cli_output import connect, echo_json, json_option
from studio.cli_sweeps import sweep_path
from studio.sdk.client import StudioClient, StudioRefusedError

_PAUSE_SECONDS = 1.0
_TERMINAL = frozenset({"Completed", "Failed", "Canceled"})


@click.command()
@click.argument("run_or_sweep", shell_complete=complete_run)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run or sweep has ended.")
@json_option
def logs(run_or_sweep: str, follow: bool, as_json: bool) -> None:
    """Print the log of a run (its stdout and stderr), or the events of a whole sweep."""
    client = connect()
    try:
        pieces = _run_pieces(client, run_or_sweep, follow=follow)
        first = next(pieces)
    except StudioRefusedError as error:
        if error.status != 404:
            raise
        _echo_events(client, run_or_sweep, follow=follow, as_json=as_json)
        return
    _echo_run(run_or_sweep, first, pieces, follow=follow, as_json=as_json)


def _run_pieces(client: StudioClient, run_id: str, *, follow: bool) -> Iterator[dict[str, Any]]:
    offset = 0
    while True:
        piece = client.get(f"runs/{quote(run_id, safe='')}/logs", offset=offset)
        offset = piece["next_offset"]
        yield piece
        if piece["next_offset"] >= piece["size"]:
            if piece["done"] or not follow:
                return
            time.sleep(_PAUSE_SECONDS)


def _echo_run(
    run_id: str,
    first: dict[str, Any],
    rest: Iterator[dict[str, Any]],
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Write text as it comes; as JSON one object in all, or one per piece while following."""
    texts: list[str] = []
    for piece in chain([first], rest):
        if not as_json:
            click.echo(piece["text"], nl=False)
        elif not follow:
            texts.append(piece["text"])
        elif piece["text"]:
            echo_json({"id": run_id, "text": piece["text"]})
    if as_json and not follow:
        echo_json({"id": run_id, "text": "".join(texts)})


def _echo_events(client: StudioClient, sweep_id: str, *, follow: bool, as_json: bool) -> None:
    cursor = 0
    while True:
        # Asked before the events: what happens in between is then part of the next round.
        is_over = client.get(sweep_path(sweep_id))["status"] in _TERMINAL
        is_complete = False
        while not is_complete:
            page = client.get(sweep_path(sweep_id, "events"), after=cursor)
            is_complete = page["cursor"] == cursor
            cursor = page["cursor"]
            for event in page["events"]:
                if event["type"] == "log":
                    _echo_event(event, as_json=as_json)
        if is_over or not follow:
            return
        time.sleep(_PAUSE_SECONDS)


def _echo_event(event: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json({key: event[key] for key in ("time", "kind", "run", "message")})
    else:
        click.echo(f"{event['time'][:19]}  {event['message']}")
