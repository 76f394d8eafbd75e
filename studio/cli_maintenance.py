"""The command `maintenance`: let no new runs start for a while, and say how far it is.

Works on this machine's studio, running or not; every process obeys within seconds.
"""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from studio.cli_django import set_up_django
from studio.cli_output import echo_json, json_option
from studio.cli_token import Duration

if TYPE_CHECKING:
    from experiments.queries.site_settings import Site


class Moment(click.ParamType[datetime]):
    """A duration from now (2h, 1d), or a date and a time in the zone of this machine."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        text = value.strip()
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except ValueError:
            pass
        try:
            return datetime.now(UTC) + Duration().convert(text, param, ctx)
        except click.BadParameter:
            what = f"'{value}' is no time; write 2h, 1d or 2026-05-01T18:00"
            self.fail(what, param, ctx)


@click.group()
def maintenance() -> None:
    """Let no new runs start for a while; runs that work finish, sweeps wait."""


@maintenance.command()
@click.option("--message", help="What people read about it on every page.")
@click.option("--until", type=Moment(), help="When it is expected to end: 2h, 2026-05-01T18:00.")
@click.option("--at", "begins", type=Moment(), help="Announce it now, begin by itself then.")
@json_option
def on(message: str | None, until: datetime | None, begins: datetime | None, as_json: bool) -> None:
    """Turn maintenance mode on, now or at a time. It ends when somebody turns it off."""
    now = datetime.now(UTC)
    if begins is not None and begins <= now:
        raise click.UsageError("--at is not in the future; leave it out to begin now.")
    if until is not None and until <= (begins or now):
        raise click.UsageError("--until is not after the beginning.")
    if message is not None and len(message) > 300:
        raise click.UsageError(f"--message has {len(message)} characters; use at most 300.")
    set_up_django()
    from experiments.client_address import coming_from
    from experiments.services.site import (
        plan_maintenance,
        switch_maintenance,
    )

    with coming_from(_here()):
        if begins is None:
            found = switch_maintenance(True, by=None, message=message, until=until)
        else:
            found = plan_maintenance(begins, by=None, message=message, until=until)
    _say(found, as_json=as_json)


@maintenance.command()
@json_option
def off(as_json: bool) -> None:
    """Turn maintenance mode off, or take back what was planned; waiting runs start."""
    set_up_django()
    from experiments.client_address import coming_from
    from experiments.services.site import switch_maintenance

    with coming_from(_here()):
        found = switch_maintenance(False, by=None, message="")
    _say(found, as_json=as_json)


@maintenance.command()
@json_option
def status(as_json: bool) -> None:
    """Say whether maintenance mode is on, and how many runs still work."""
    set_up_django()
    from experiments.services.site import site

    _say(site(), as_json=as_json)


def _here() -> str:
    """Return what the audit log says instead of an address."""
    try:
        return f"command line of {getpass.getuser()}"
    except (OSError, KeyError):  # an account without a name
        return "command line"


def _say(found: Site, *, as_json: bool) -> None:
    from experiments.queries.operating import work_in_hand

    working, waiting = work_in_hand()
    state = "on" if found.maintenance else "planned" if found.is_planned else "off"
    begins = found.maintenance_from if found.is_planned else None
    if as_json:
        document: dict[str, Any] = {
            "maintenance": state,
            "message": found.maintenance_message,
            "begins": begins and begins.isoformat(),
            "until": found.maintenance_until and found.maintenance_until.isoformat(),
            "runs_working": working,
            "runs_waiting": waiting,
        }
        echo_json(document)
        return
    said = f" {found.maintenance_message}" if found.maintenance_message and state != "off" else ""
    click.echo(f"Maintenance is {state}.{said}")
    if begins is not None:
        click.echo(f"It begins {_local(begins)}.")
    if state != "off" and found.maintenance_until is not None:
        click.echo(f"It is expected to end {_local(found.maintenance_until)}.")
    click.echo(f"{_runs(working, 'work')}, {_runs(waiting, 'wait')}.")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"


def _runs(count: int, verb: str) -> str:
    return f"{count} run {verb}s" if count == 1 else f"{count} runs {verb}"
