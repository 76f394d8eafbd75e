"""Commands that read or cancel sweeps: list, show, runs, best, cancel."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import quote, urljoin

import click

from experiments.formats import format_duration
from studio.cli_completion import complete_run, complete_sweep
from studio.cli_output import (
    EXIT_FAILED,
    connect,
    echo_facts,
    echo_json,
    echo_table,
    format_age,
    format_counts,
    format_params,
    format_value,
    json_option,
)
from studio.sdk.client import StudioClient, StudioRefusedError

_RUN_KEYS = (
    "id",
    "number",
    "status",
    "reason",
    "end_reason",
    "hyperparameters",
    "arguments",
    "best",
    "reports",
    "retry_of",
    "created",
    "started",
    "ended",
)


def sweep_summary(client: StudioClient, sweep: dict[str, Any]) -> dict[str, Any]:
    """Return the object that `submit --json` and `show --json` promise."""
    return {
        "id": sweep["id"],
        "status": sweep["status"],
        "reason": sweep["reason"],
        "url": urljoin(client.connection.url + "/", sweep["url"]),
        "counts": sweep["counts"],
        "best_run": best_summary(sweep["best_run"]),
    }


def best_summary(best_run: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the winner as `best --json` promises it."""
    if best_run is None:
        return None
    return {key: best_run[key] for key in ("id", "value", "hyperparameters", "arguments")}


def register_winner(
    client: StudioClient, winner: dict[str, Any], model: str, path: str
) -> dict[str, Any]:
    """Make a version of a model of the winner's files; return its name, version and page."""
    address = f"models/{quote(model, safe='')}/versions"
    document = client.post(address, {"run": winner["id"], "path": path})
    return {key: document[key] for key in ("name", "version", "url")}


def sweep_path(sweep_id: str, *parts: str) -> str:
    """Return the address of a sweep below /api/v1/."""
    return "/".join(["sweeps", quote(sweep_id, safe=""), *parts])


@click.command("list")
@click.option("--state", help="Only sweeps in this state, for example Running.")
@click.option("--experiment", help="Only sweeps of this experiment.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
def list_sweeps(state: str | None, experiment: str | None, limit: int, as_json: bool) -> None:
    """List sweeps, newest first."""
    client = connect()
    sweeps: list[dict[str, Any]] = []
    for sweep in client.pages("sweeps", state=state, experiment=experiment, limit=min(limit, 500)):
        sweeps.append(sweep)
        if len(sweeps) == limit:
            break
    if as_json:
        echo_json(sweeps)
        return
    rows = [
        [
            sweep["id"],
            sweep["name"],
            sweep["experiment"],
            sweep["status"],
            format_counts(sweep["counts"]),
            format_value(sweep["best_run"] and sweep["best_run"]["value"]),
            format_age(sweep["created"]),
        ]
        for sweep in sweeps
    ]
    echo_table(["Sweep", "Name", "Experiment", "Status", "Runs", "Best", "Created"], rows)


def format_place(place: dict[str, Any] | None) -> str:
    """Return where the waiting runs of a sweep stand; "" when none waits."""
    if place is None:
        return ""
    seconds = place["starts_in"]
    start = "" if seconds is None else f", next start in about {format_duration(seconds)}"
    runs = "1 run" if place["waiting"] == 1 else f"{place['waiting']} runs"
    return f"{runs}, place {place['position']} of {place['of']}{start}: {place['reason']}"


@click.command()
@click.argument("sweep", shell_complete=complete_sweep)
@json_option
def show(sweep: str, as_json: bool) -> None:
    """Show one sweep: status, reason, runs by status, best run."""
    client = connect()
    document = client.get(sweep_path(sweep))
    if as_json:
        echo_json(sweep_summary(client, document))
        return
    best = document["best_run"]
    echo_facts(
        [
            ("Sweep", document["id"]),
            ("Name", document["name"]),
            ("Experiment", document["experiment"]),
            ("Status", document["status"]),
            ("Reason", document["reason"]),
            ("Waits", format_place(document.get("queue"))),
            ("Runs", format_counts(document["counts"])),
            ("Stopped early", str(document["stopped_early"] or "")),
            ("Goes on from", ", ".join(document["resume_from"])),
            ("Resumes", ", ".join(document["resume_child_runs"])),
            ("Best run", best["id"] if best else ""),
            (document["metric"], format_value(best["value"]) if best else ""),
            ("Parameters", format_params(best["hyperparameters"]) if best else ""),
            ("Page", sweep_summary(client, document)["url"]),
        ]
    )


@click.command()
@click.argument("sweep", shell_complete=complete_sweep)
@click.option(
    "--filter",
    "conditions",
    metavar="TEXT",
    help="Only runs that meet it, for example 'learning_rate<0.01 status:failed'.",
)
@json_option
def runs(sweep: str, conditions: str | None, as_json: bool) -> None:
    """List the runs of a sweep in sampling order."""
    path = sweep_path(sweep, "runs")
    found = list(connect().pages(path, filter=conditions or None, limit=500))
    if as_json:
        echo_json([{key: run[key] for key in _RUN_KEYS} for run in found])
        return
    rows = [
        [
            str(run["number"]),
            run["label"],
            format_value(run["best"] and run["best"]["value"]),
            str(run["reports"]),
            format_params(run["hyperparameters"]),
            run["reason"],
        ]
        for run in found
    ]
    echo_table(["Run", "Status", "Best", "Reports", "Hyperparameters", "Reason"], rows)


@click.command()
@click.argument("sweep", shell_complete=complete_sweep)
@click.option("--register", "model", metavar="NAME", help="Register its files as this model.")
@click.option(
    "--path",
    default="outputs",
    show_default=True,
    help="With --register: the folder or file of the run to keep.",
)
@json_option
def best(sweep: str, model: str | None, path: str, as_json: bool) -> None:
    """Show the winning hyperparameters and the exact arguments of the best run."""
    client = connect()
    document = client.get(sweep_path(sweep))
    winner = document["best_run"]
    made = register_winner(client, winner, model, path) if winner and model else None
    if as_json:
        echo_json({**(best_summary(winner) or {}), "model": made} if made else best_summary(winner))
    elif winner:
        echo_facts(
            [
                ("Run", winner["id"]),
                (document["metric"], format_value(winner["value"])),
                *((name, format_value(v)) for name, v in winner["hyperparameters"].items()),
                ("Arguments", " ".join(winner["arguments"])),
                *(
                    [("Registered", f"{made['name']} {made['version']}  {made['url']}")]
                    if made
                    else []
                ),
            ]
        )
    if not winner:
        metric = document["metric"]
        click.echo(f"No run of this sweep has reported '{metric}' yet: no best run.", err=True)
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("sweep_or_run", shell_complete=complete_run)
@json_option
def cancel(sweep_or_run: str, as_json: bool) -> None:
    """Cancel a sweep with all its runs, or one run by its id (<sweep>_<number>)."""
    client = connect()
    document = cancel_by_id(client, sweep_or_run)
    if as_json:
        echo_json({"id": document["id"], "status": document["status"]})
    else:
        click.echo(f"{document['id']}: {document['status']}")


def cancel_by_id(client: StudioClient, identifier: str) -> Any:
    """Cancel the sweep of this id, or else the run."""
    try:
        return client.post(sweep_path(identifier, "cancel"))
    except StudioRefusedError as error:
        if error.status != 404:
            raise
    return client.post(f"runs/{quote(identifier, safe='')}/cancel")
