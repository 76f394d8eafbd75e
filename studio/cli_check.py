"""`submit --check-first`: try one configuration on a real worker before the sweep is launched.

Writes to stderr, so that what stands on stdout is the sweep alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

import click

from studio.cli_output import EXIT_FAILED, echo_json, format_params
from studio.sdk.client import StudioClient

_PAUSE_SECONDS: Final = 0.5
_LOG_LINES: Final = 20
_MARKS: Final = {"ok": ("✓", "green"), "bad": ("✗", "red"), "warn": ("!", "yellow")}


def try_first(
    client: StudioClient,
    specification: dict[str, Any],
    *,
    seconds: float,
    workspace: str | None = None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Run the check to its end and return it; Ctrl-C cancels it and ends the program.

    `say` gets the state of the check while it goes on.
    """
    check = client.post("check-runs", specification, seconds=seconds, workspace=workspace)
    address = f"check-runs/{check['id']}"
    try:
        while not check["is_over"]:
            say(check["headline"])
            time.sleep(_PAUSE_SECONDS)
            check = client.get(address)
    except KeyboardInterrupt:
        client.post(f"{address}/cancel")
        click.echo("\nThe check was canceled; nothing was submitted.", err=True)
        sys.exit(130)
    done: dict[str, Any] = check
    return done


def report_check(check: dict[str, Any], *, as_json: bool) -> None:
    """Show what a check found; ends the program unless it passed."""
    _echo(check)
    if check["outcome"] == "passed":
        return
    if as_json:
        echo_json({"check": check})
    sys.exit(EXIT_FAILED)


def _echo(check: dict[str, Any]) -> None:
    is_passed = check["outcome"] == "passed"
    if check["hyperparameters"]:
        click.echo(f"Tried {format_params(check['hyperparameters'])}", err=True)
    width = max(len(line["label"]) for line in check["lines"])
    for line in check["lines"]:
        mark, colour = _MARKS.get(line["mark"], ("·", "white"))
        text = f"{line['label']:<{width}}  {line['text']}"
        click.echo(f"{click.style(mark, fg=colour)} {text}", err=True)
    if not is_passed and check["log"]:
        click.echo("End of its log:", err=True)
        for line in check["log"].splitlines()[-_LOG_LINES:]:
            click.echo(f"  {line}", err=True)
    click.echo("The check passed." if is_passed else check["headline"], err=True)
    if not is_passed:
        click.echo("Nothing was submitted.", err=True)
