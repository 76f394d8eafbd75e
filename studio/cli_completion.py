"""Shell completion: the command that prints the script, and ids and names from the studio.

A studio that does not answer at once completes nothing: nobody waits for Tab.
"""

from __future__ import annotations

import os
from typing import Any, Final

import click
from click.shell_completion import CompletionItem, get_completion_class

from studio.sdk.client import StudioClient, StudioError, find_connection

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_STUDIO_COMPLETE"
_SECONDS: Final = 1.0
_MOST: Final = 50


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, ids of sweeps and runs, and compute targets."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choice says so
    click.echo(kind(context.find_root().command, {}, "studio", VARIABLE).source())


def complete_sweep(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return ids of sweeps that begin like this, newest first."""
    sweeps = _ask("sweeps", limit=_MOST)
    return [
        CompletionItem(sweep["id"], help=f"{sweep['name']}, {sweep['status']}")
        for sweep in sweeps
        if sweep["id"].startswith(incomplete)
    ]


def complete_run(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return ids of sweeps, and once one stands there whole, those of its runs."""
    sweep, _, number = incomplete.rpartition("_")
    if sweep in {"", "HD"} or not (number.isdigit() or not number):
        return complete_sweep(context, parameter, incomplete)
    runs = _ask(f"sweeps/{sweep}/runs", limit=500)
    return [
        CompletionItem(run["id"], help=run["label"])
        for run in runs
        if run["id"].startswith(incomplete)
    ]


def complete_compute(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return names of compute targets that begin like this."""
    return [
        CompletionItem(target["name"], help=f"{target['slots']} slots")
        for target in _ask("compute")
        if target["name"].startswith(incomplete)
    ]


def complete_workspace(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return short names of workspaces that begin like this."""
    return [
        CompletionItem(workspace["slug"], help=workspace["name"])
        for workspace in _ask("workspaces")
        if workspace["slug"].startswith(incomplete)
    ]


def _ask(path: str, **query: Any) -> list[dict[str, Any]]:
    from studio import env

    try:
        connection = find_connection(os.environ, env.studio_home())
        client = StudioClient(connection, timeout=_SECONDS, patience=0.0)
        items: list[dict[str, Any]] = client.get(path, **query)["items"]
    except (StudioError, KeyError, TypeError):
        return []
    return items
