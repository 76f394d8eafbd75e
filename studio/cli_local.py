"""Commands that work on this machine itself: up, worker, doctor."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from studio.cli_completion import complete_compute
from studio.cli_output import EXIT_FAILED, echo_json, json_option

if TYPE_CHECKING:
    from experiments.problems import Problem
    from studio.doctor import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Default: STUDIO_PORT, else 8000.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--workers", type=click.IntRange(0, 256), default=2, show_default=True)
@click.option(
    "--web",
    type=click.IntRange(1, 64),
    help="Processes that answer requests. Default: STUDIO_WEB_PROCESSES, else 2 (1 on one core).",
)
@click.option("--no-example", is_flag=True, help="Do not submit the example at the first start.")
@click.option("--drain", is_flag=True, help="At the end, wait for the runs that go on.")
def up(
    port: int | None, host: str, workers: int, web: int | None, no_example: bool, drain: bool
) -> None:
    """Start the whole studio on this machine; Ctrl-C stops all of it.

    Runs that go on are stopped in order and repeated at the next start; with --drain they are
    waited for, until a second Ctrl-C.
    """
    from studio import up as supervisor

    sys.exit(
        supervisor.run(
            port=port,
            host=host,
            workers=workers,
            web=web,
            with_example=not no_example,
            drain=drain,
        )
    )


@click.command()
@click.option(
    "--compute",
    required=True,
    help="Name of the compute target.",
    shell_complete=complete_compute,
)
@click.option(
    "--slots",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Runs at the same time.",
)
@click.option("--gpus", default="", help="One slot for each GPU, for example 0,1.")
@click.option("--drain", is_flag=True, help="At the end, wait for the runs that go on.")
@click.option("--python", default="", help="Interpreter of scripts here, before the target's.")
@click.option(
    "--env",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="Variable of scripts here, before the target's; may be repeated.",
)
@click.option(
    "--token",
    envvar="STUDIO_COMPUTE_TOKEN",
    help="Compute token of another machine's studio (STUDIO_COMPUTE_TOKEN).",
)
def worker(
    compute: str,
    slots: int,
    gpus: str,
    drain: bool,
    python: str,
    variables: tuple[str, ...],
    token: str | None,
) -> None:
    """Attach this machine to a compute target until Ctrl-C.

    On another machine than the studio's, REDIS_URL, DATABASE_URL, STUDIO_URL and a compute token
    are needed; the compute page of the studio shows the whole command.
    """
    from studio import env, preflight

    try:
        preflight.check_settings(env.studio_home())
    except (env.EnvironmentProblem, preflight.CannotStart) as error:
        raise click.ClickException(str(error)) from error
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
    # Runs need the packages as well, wherever the console script found them.
    paths = [str(env.project_root()), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    words = ["-m", "django", "studio_worker", "--compute", compute, "--slots", str(slots)]
    words += ["--gpus", gpus] if gpus else []
    words += ["--drain"] if drain else []
    os.environ.update(_own_settings(python, variables))
    if token:
        os.environ["STUDIO_COMPUTE_TOKEN"] = token
    # The worker takes this process over, so that signals reach it and not a parent of it.
    os.execv(sys.executable, [sys.executable, *words])  # noqa: S606 -- our own interpreter, no shell


def _own_settings(python: str, variables: Sequence[str]) -> dict[str, str]:
    """Check what this machine sets for its scripts; return how the worker is told."""
    from experiments import compute_settings
    from studio import env

    pairs = {name: value for name, _, value in (text.partition("=") for text in variables)}
    if without := [text for text in variables if "=" not in text]:
        raise click.BadParameter(f"{without[0]!r} has no =; write NAME=VALUE", param_hint="--env")
    problems: list[Problem] = []
    given = compute_settings.read_python(python, problems)
    variables_given = compute_settings.read_environment(pairs, problems)
    if problems:
        raise click.ClickException("\n".join(problem.message for problem in problems))
    return {
        env.WORKER_PYTHON: given,
        env.WORKER_ENVIRONMENT: json.dumps(variables_given),
    }


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check every part of the studio on this machine and say how to mend what is wrong."""
    from studio.cli_django import set_up_django
    from studio.doctor import examine

    set_up_django()
    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            _echo_finding(finding)
    if as_json:
        echo_json([_finding_json(finding) for finding in findings])
    if not all(finding.is_ok for finding in findings):
        sys.exit(EXIT_FAILED)


def _echo_finding(finding: Finding) -> None:
    word = click.style(f"{finding.level:<7}", fg=_COLOURS[finding.level])
    click.echo(f"{word}  {finding.name}: {finding.detail}")
    for line in (finding.why, finding.cure):
        if line:
            click.echo(f"         {line}")


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.name,
        "ok": finding.is_ok,
        "level": finding.level,
        "detail": finding.detail,
        "why": finding.why,
        "cure": finding.cure,
    }
