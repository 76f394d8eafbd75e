"""The command `quota`: what workspaces may use and what they use; limits set by administrators."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

import click

from experiments.formats import format_filesize
from studio.cli_completion import complete_workspace
from studio.cli_output import connect, echo_json, echo_table, json_option

_UNITS: Final = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_LIMITS: Final = ("max_running_runs", "max_runs_per_day", "max_storage_bytes")


class Limit(click.ParamType[int]):
    """A whole number, with a unit where it is of bytes; or none: -1 from here on."""

    name = "limit"

    def __init__(self, *, is_size: bool = False) -> None:
        self._units = _UNITS if is_size else {"": 1}

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        text = str(value).strip().lower()
        if text == "none":
            return -1
        match = re.fullmatch(r"(\d{1,18}) ?([kmgt]b)?", text)
        if match is None or (match[2] or "") not in self._units:
            example = "50GB" if len(self._units) > 1 else "4"
            self.fail(f"'{value}' is no limit; write {example}, or none for no limit", param, ctx)
        return int(match[1]) * self._units[match[2] or ""]


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def quota(context: click.Context, as_json: bool) -> None:
    """List what your workspaces may use, and what they use; or set limits."""
    if context.invoked_subcommand is not None:
        return
    client = connect()
    names = [workspace["slug"] for workspace in client.pages("workspaces")]
    _report([client.get(_path(name)) for name in names], as_json=as_json)


@quota.command("show")
@click.argument("workspace", shell_complete=complete_workspace)
@json_option
def show(workspace: str, as_json: bool) -> None:
    """Show what one workspace may use, and what it uses."""
    found = connect().get(_path(workspace))
    if as_json:
        echo_json(found)
    else:
        _report([found], as_json=False)


@quota.command("set")
@click.argument("workspace", shell_complete=complete_workspace)
@click.option("--running", "max_running_runs", type=Limit(), help="Runs at once; none: no limit.")
@click.option("--daily", "max_runs_per_day", type=Limit(), help="Starts a day (UTC).")
@click.option("--storage", "max_storage_bytes", type=Limit(is_size=True), help="50GB, 800MB.")
@click.option("--priority", type=click.IntRange(1, 100), help="Share of busy slots; usual: 10.")
@json_option
def change(workspace: str, as_json: bool, **given: Any) -> None:
    """Set limits of a workspace, as an administrator; what is not named stays.

    Runs that wait start at once where they may now; running runs go on.
    """
    changes = {n: None if v == -1 else v for n, v in given.items() if v is not None}
    if not changes:
        raise click.UsageError("Say what to set, for example --running 4 or --storage none.")
    client = connect()
    before = client.get(_path(workspace))
    limits = {name: before[name]["limit"] for name in _LIMITS}
    found = client.put(_path(workspace), limits | {"priority": before["priority"]} | changes)
    if as_json:
        echo_json(found)
    else:
        _report([found], as_json=False)


def _path(workspace: str) -> str:
    return f"workspaces/{quote(workspace, safe='')}/quota"


def _report(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        echo_json(found)
        return
    rows = [
        [
            one["workspace"],
            _words(one["max_running_runs"]),
            _words(one["max_runs_per_day"]),
            _words(one["max_storage_bytes"], is_size=True),
            str(one["priority"]),
        ]
        for one in found
    ]
    echo_table(["Workspace", "Running", "Today", "Storage", "Priority"], rows)


def _words(part: dict[str, Any], *, is_size: bool = False) -> str:
    used, limit = (
        "no limit" if number is None else format_filesize(number) if is_size else str(number)
        for number in (part["used"], part["limit"])
    )
    return f"{used} of {limit}"
