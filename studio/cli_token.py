"""The command `token`: API tokens of the people of this machine's studio.

Works on its database, running or not; whoever may read the data folder is its administrator anyway.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from studio.cli_django import set_up_django
from studio.cli_output import echo_json, echo_table, json_option

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from experiments.models import ComputeTarget

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Duration(click.ParamType[timedelta]):
    """A number and a unit: 12h, 30d, 8w."""

    name = "duration"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([1-9]\d{0,4})([mhdw])", value.strip().lower())
        if match is None:
            self.fail(f"'{value}' is no duration; write a number and m, h, d or w: 30d", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


@click.group()
def token() -> None:
    """Make, list and revoke API tokens."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["read", "write", "admin"]),
    default="write",
    show_default=True,
    help="read: look; write: also submit and cancel; admin: everything you may do.",
)
@click.option("--expires", type=Duration(), help="Lifetime, for example 30d. Default: no end.")
@click.option("--user", help="Whose token it is. Default: the first administrator.")
@click.option("--compute", help="Make a token for machines that attach to this compute target.")
@json_option
def create(
    name: str,
    scope: str,
    expires: timedelta | None,
    user: str | None,
    compute: str | None,
    as_json: bool,
) -> None:
    """Print a new token. It is shown this once; the studio keeps only its hash."""
    set_up_django()
    from experiments.services import access, compute_tokens

    until = datetime.now(UTC) + expires if expires else None
    if compute is not None:
        scope = f"compute {compute}"
        _, plain = compute_tokens.make_compute_token(_target(compute), name=name, expires=until)
    else:
        _, plain = access.make_api_token(_person(user), name=name, scope=scope, expires=until)
    if as_json:
        expiry = until and until.isoformat()
        echo_json({"name": name, "scope": scope, "expires": expiry, "token": plain})
    else:
        click.echo(plain)


@token.command("list")
@json_option
def list_tokens(as_json: bool) -> None:
    """List the tokens that exist; never their secret."""
    set_up_django()
    from experiments.models import ApiToken, ComputeToken

    tokens = [
        {
            "name": found.name,
            "user": found.user.get_username(),
            "scope": found.scope,
            "expires": found.expires_at and found.expires_at.isoformat(),
            "last_used": found.last_used_at and found.last_used_at.isoformat(),
        }
        for found in ApiToken.objects.select_related("user")
    ]
    tokens += [
        {
            "name": found.name,
            "user": None,
            "scope": f"compute {found.compute.name}",
            "expires": found.expires_at and found.expires_at.isoformat(),
            "last_used": found.last_used_at and found.last_used_at.isoformat(),
        }
        for found in ComputeToken.objects.select_related("compute")
    ]
    if as_json:
        echo_json(tokens)
        return
    headings = ["Name", "User", "Scope", "Expires", "Last used"]
    echo_table(headings, [[str(value or "-") for value in found.values()] for found in tokens])


@token.command()
@click.argument("name")
@click.option("--user", help="Whose token it is. Default: the first administrator.")
@click.option("--compute", help="Revoke a token of this compute target.")
@json_option
def revoke(name: str, user: str | None, compute: str | None, as_json: bool) -> None:
    """Make every token of this name useless at once."""
    set_up_django()
    from experiments.models import ApiToken, ComputeToken
    from experiments.services import access

    if compute is not None:
        owner: object = _target(compute)
        count, _ = ComputeToken.objects.filter(compute__name=compute, name=name).delete()
    else:
        owner = _person(user)
        found = ApiToken.objects.filter(user=owner, name=name).select_related("user")
        count = sum(access.revoke_api_token(one) for one in found)
    if not count:
        raise click.ClickException(f"{owner} has no token named '{name}'.")
    if as_json:
        echo_json({"name": name, "revoked": count})
        return
    click.echo(f"Revoked {count} token{'s' if count > 1 else ''} named '{name}'.")


def _target(name: str) -> ComputeTarget:
    from experiments.models import ComputeTarget

    found = ComputeTarget.objects.filter(name=name).first()
    if found is None:
        known = ", ".join(ComputeTarget.objects.values_list("name", flat=True)) or "none yet"
        raise click.ClickException(f"There is no compute target '{name}'; there is {known}.")
    return found


def _person(username: str | None) -> User:
    """Return the named person, or the first administrator."""
    from django.contrib.auth.models import User

    from experiments.services.setup import first_administrator

    if username is not None:
        found = User.objects.filter(username=username, is_active=True).first()
        if found is None:
            raise click.ClickException(f"Nobody here has the user name '{username}'.")
        return found
    administrator = first_administrator()
    if administrator is None:
        raise click.ClickException("This studio has no administrator yet; run `studio up` first.")
    return administrator
