"""The command `compute`: list compute targets, add one, change settings, test interpreters."""

from __future__ import annotations

import sys
import time
from typing import Any, Final
from urllib.parse import quote

import click

from studio.cli_completion import complete_compute
from studio.cli_output import EXIT_FAILED, connect, echo_json, echo_table, json_option

# Workers look every few seconds, and an interpreter has some to answer.
_ANSWER_SECONDS: Final = 20.0


@click.group(invoke_without_command=True)
@click.option("--label", multiple=True, help="Only targets with it: gpu=a100, spot; repeatable.")
@json_option
@click.pass_context
def compute(context: click.Context, label: tuple[str, ...], as_json: bool) -> None:
    """List compute targets: slots, busy, queued runs; or change them."""
    if context.invoked_subcommand is not None:
        return
    targets = connect().get("compute", label=list(label))["items"]
    if as_json:
        echo_json(targets)
        return
    rows = [
        [
            target["name"],
            target["kind"],
            "draining" if target["draining"] else "yes" if target["enabled"] else "no",
            str(target["slots"]),
            str(target["busy"]),
            str(target["queued"]),
            " ".join(f"{k}={v}" if v else k for k, v in target["labels"].items()) or "-",
        ]
        for target in targets
    ]
    echo_table(["Compute", "Kind", "Enabled", "Slots", "Busy", "Queued", "Labels"], rows)


def _settings(command: Any) -> Any:
    """Add the options that `add` and `set` share."""
    for option in (
        click.option("--python", help="Interpreter of scripts: a path or a name; '' for workers'."),
        click.option("--env", "variables", multiple=True, metavar="NAME=VALUE"),
        click.option("--unset", multiple=True, metavar="NAME", help="Remove a variable or secret."),
        click.option(
            "--secret",
            "secrets",
            multiple=True,
            metavar="NAME",
            help="Secret variable; its value is asked for, or a line of the standard input.",
        ),
        click.option("--labels", metavar="TEXT", help="All labels: 'gpu=a100, spot'."),
        json_option,
    ):
        command = option(command)
    return command


@compute.command("add")
@click.argument("name")
@_settings
def add(name: str, as_json: bool, **given: Any) -> None:
    """Add a compute target; machines attach with `studio worker --compute NAME`."""
    changes = _changes(given, {"environment": {}})
    _report(connect().post("compute", {"name": name, **changes}), as_json=as_json)


@compute.command("set")
@click.argument("name", shell_complete=complete_compute)
@click.option("--drain/--no-drain", default=None, help="Whether waiting runs wait.")
@click.option("--enable/--disable", default=None, help="Whether it takes new sweeps.")
@_settings
def change(name: str, drain: bool | None, enable: bool | None, as_json: bool, **given: Any) -> None:
    """Change settings of a compute target; what is not named stays.

    Runs that start from now on have them.
    """
    client = connect()
    path = f"compute/{quote(name, safe='')}"
    changes = _changes(given, client.get(path))
    changes |= {} if drain is None else {"draining": drain}
    changes |= {} if enable is None else {"enabled": enable}
    if not changes:
        raise click.UsageError("Say what to change, for example --python /opt/venv/bin/python.")
    _report(client.patch(path, changes), as_json=as_json)


@compute.command("test")
@click.argument("name", shell_complete=complete_compute)
@json_option
def test(name: str, as_json: bool) -> None:
    """Let every attached worker start the interpreter of its scripts; exit 1 if one cannot."""
    client = connect()
    path = f"compute/{quote(name, safe='')}"
    workers = client.post(f"{path}/test")["workers"]
    deadline = time.monotonic() + _ANSWER_SECONDS
    while any(w["is_asked"] and w["alive"] for w in workers) and time.monotonic() < deadline:
        time.sleep(0.5)
        workers = client.get(path)["workers"]
    if as_json:
        echo_json(workers)
    else:
        echo_table(
            ["Worker", "Interpreter", "Answer"],
            [[w["name"], w["python"] or "-", _answer(w)] for w in workers],
        )
    if not workers and not as_json:
        click.echo(f"No worker is attached to {name}.", err=True)
    if not workers or any(w["python_problem"] or w["is_asked"] for w in workers):
        sys.exit(EXIT_FAILED)


def _answer(worker: dict[str, Any]) -> str:
    if worker["is_asked"]:
        return "no answer"
    return str(worker["python_problem"] or worker["python_version"])


def _changes(given: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if given["python"] is not None:
        changes["python"] = given["python"]
    if given["labels"] is not None:
        changes["labels"] = given["labels"]
    pairs = [text.partition("=") for text in given["variables"]]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise click.BadParameter(f"{wrong[0]!r} has no =; write NAME=VALUE", param_hint="--env")
    if pairs or given["unset"]:
        environment = {**before["environment"], **{name: value for name, _, value in pairs}}
        gone = set(given["unset"])
        changes["environment"] = {n: v for n, v in environment.items() if n not in gone}
    secrets: dict[str, str | None] = dict.fromkeys(
        name for name in given["unset"] if name in before.get("secrets", [])
    )
    secrets |= {name: _ask_secret(name) for name in given["secrets"]}
    return changes | ({"secrets": secrets} if secrets else {})


def _ask_secret(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _report(target: dict[str, Any], *, as_json: bool) -> None:
    for warning in target.pop("warnings"):
        click.echo(warning, err=True)
    if as_json:
        echo_json(target)
        return
    names = sorted([*target["environment"], *target["secrets"]])
    click.echo(
        f"{target['name']}: python {target['python'] or 'of its workers'}, "
        f"variables {', '.join(names) or 'none'}"
    )
