"""The command `import`: runs that ran elsewhere, read here, sent to the studio as one document."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

import click

from studio.cli_output import (
    EXIT_WRONG,
    connect,
    echo_facts,
    echo_json,
    echo_problems,
    format_counts,
    format_value,
    json_option,
    progress,
)
from studio.sdk.client import StudioRefusedError

if TYPE_CHECKING:
    from experiments.imports.build import Found, Given
    from experiments.imports.observed import ObservedSweep

# Storing a million reports takes a while.
_SECONDS: Final = 600.0
_FILE: Final = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.group("import")
def import_() -> None:
    """Bring in runs that ran elsewhere, as a sweep that has ended.

    Imported runs are never executed. They are there for charts, the table, comparisons and as a
    source for warm starts (resume_from). The same content is imported once.
    """


def _shared(command: Any) -> Any:
    """Add the options of every source."""
    for option in (
        json_option,
        click.option("--workspace", metavar="SLUG", help="Where it goes. Default: where you work."),
        click.option("--again", is_flag=True, help="Import also what is here already."),
        click.option("--dry-run", is_flag=True, help="Only say what would be imported."),
        click.option("--experiment", help="Experiment of the new sweep.  [default: imported]"),
        click.option("--name", help="Name of the new sweep. Default: that of the source."),
    ):
        command = option(command)
    return command


def _about_runs(command: Any) -> Any:
    """Add the options of sources that say less than a sweep is."""
    for option in (
        click.option("--limit", type=click.IntRange(1, 1000), help="Only so many runs."),
        click.option(
            "--space",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="YAML with the search space, or a specification with it. Default: guessed.",
        ),
        click.option("--ignore", multiple=True, metavar="NAME", help="Neither of the two."),
        click.option("--param", multiple=True, metavar="NAME", help="A hyperparameter."),
        click.option(
            "--goal",
            type=click.Choice(["maximize", "minimize"]),
            help="What is better. Optuna studies know it.",
        ),
        click.option(
            "--metric", multiple=True, metavar="NAME", help="A metric; the first is primary."
        ),
    ):
        command = option(command)
    return command


@import_.command("csv")
@click.argument("file", type=_FILE)
@_about_runs
@_shared
def import_csv(file: Path, **options: Any) -> None:
    """Import runs from a CSV file with a header.

    A row is a run. With a column run (or trial, number, id) a row may be one report of a run, with
    the columns step and time. Columns status, reason, created, started and ended say how a run
    went. Tables of this studio, of mlflow.search_runs and of Optuna's trials_dataframe are known.
    """
    from experiments.imports.csv_runs import read_csv

    def read(given: Given) -> Found:
        with _opened(file) as lines:
            return read_csv(lines, _name_of(file), given)

    _import_found(read, options)


@import_.command("json")
@click.argument("file", type=_FILE)
@_shared
def import_json(file: Path, **options: Any) -> None:
    """Import a sweep that `studio export --format json` has written, here or elsewhere.

    Everything but ids stays as it was: states, reasons, times, tags, reports.
    """
    from experiments.imports.document import read_document
    from experiments.problems import Problem, ProblemsError

    def read() -> ObservedSweep:
        with _opened(file) as lines:
            try:
                observed = read_document(json.load(lines))
            except (json.JSONDecodeError, RecursionError) as error:
                problem = Problem("", f"{_name_of(file)} is no JSON: {error}.")
                raise ProblemsError([problem]) from error
        return _renamed(observed, options)

    _import(read, options)


@import_.command("capsule")
@click.argument("file", type=_FILE)
@_shared
def import_capsule(file: Path, **options: Any) -> None:
    """Import a sweep from a capsule: the one file that its page offers under "Share".

    Everything but ids and code comes along, after the SHA-256 of the capsule was checked.
    """
    from experiments.imports.capsule import read_capsule
    from experiments.imports.document import read_document

    def read() -> ObservedSweep:
        is_stdin = str(file) == "-"
        page = sys.stdin.buffer.read() if is_stdin else file.read_bytes()
        observed = replace(read_document(read_capsule(page)), kind="capsule")
        return _renamed(observed, options)

    _import(read, options)


@import_.command("optuna")
@click.argument("storage")
@click.option("--study", default="", help="Name of the study, where there are several.")
@_about_runs
@_shared
def import_optuna(storage: str, study: str, **options: Any) -> None:
    """Import the trials of an Optuna study.

    Intermediate values become the history of the metric, distributions the search space, pruned
    trials runs that were stopped early. --metric names the value where the study does not.
    """
    from experiments.imports.optuna_study import read_optuna

    _import_found(lambda given: read_optuna(storage, study, given), options)


@import_.command("wandb")
@click.argument("file", type=_FILE)
@_about_runs
@_shared
def import_wandb(file: Path, **options: Any) -> None:
    """Import runs that were exported from Weights & Biases.

    A JSON list (or a JSON object a line) of runs with config, summary, history, name, state and
    created_at; a CSV with the columns name, config and summary; or the CSV of the table of runs,
    whose columns are named with --metric and --param.
    """
    from experiments.imports.wandb_export import read_wandb

    def read(given: Given) -> Found:
        with _opened(file) as lines:
            return read_wandb(lines.read(), _name_of(file), given)

    _import_found(read, options)


@import_.command("mlflow")
@click.argument("uri")
@click.option("--source-experiment", default="", help="Name in MLflow, where there are several.")
@_about_runs
@_shared
def import_mlflow(uri: str, source_experiment: str, **options: Any) -> None:
    """Import the runs of an MLflow experiment, with every logged value.

    URI is a folder of the file store (mlruns), or the address of a tracking server, which is read
    with MLflow's own client and its settings.
    """
    from experiments.imports.mlflow_runs import read_mlflow

    _import_found(lambda given: read_mlflow(uri, source_experiment, given), options)


def _renamed(observed: ObservedSweep, options: dict[str, Any]) -> ObservedSweep:
    """Return the sweep under the name and in the experiment that were asked for."""
    changed = {key: options[key] for key in ("name", "experiment") if options[key]}
    return replace(observed, spec={**observed.spec, **changed})


def _import_found(read: Callable[[Given], Found], options: dict[str, Any]) -> None:
    from experiments.imports.build import Given, build

    def observe() -> ObservedSweep:
        given = Given(
            name=options["name"] or "",
            experiment=options["experiment"] or "",
            metrics=options["metric"],
            goal=options["goal"] or "",
            params=options["param"],
            ignored=frozenset(options["ignore"]),
            space=_space(options["space"]),
            limit=options["limit"],
        )
        return build(read(given), given)

    _import(observe, options)


def _import(read: Callable[[], ObservedSweep], options: dict[str, Any]) -> None:
    """Read, send and report; a wrong source ends the program with every problem."""
    from experiments.problems import ProblemsError

    as_json = options["as_json"]
    try:
        with progress("Reading"):
            observed = read()
        answer = _send(observed, options)
    except ProblemsError as error:
        _refuse([(problem.path, problem.message) for problem in error.problems], as_json)
    except StudioRefusedError as error:
        if error.status not in {400, 422}:
            raise
        _refuse([(entry["path"], entry["message"]) for entry in error.errors], as_json)
    else:
        for note in observed.notes:
            click.echo(note, err=True)
        _report(answer, as_json)


def _refuse(problems: list[tuple[str, str]], as_json: bool) -> NoReturn:
    if as_json:
        echo_json({"errors": [{"path": path, "message": text} for path, text in problems]})
    else:
        echo_problems(problems)
    sys.exit(EXIT_WRONG)


def _send(observed: ObservedSweep, options: dict[str, Any]) -> dict[str, Any]:
    from experiments.imports.document import document_of

    client = connect()
    client.timeout = _SECONDS
    with tempfile.TemporaryFile() as file, progress(f"Importing {len(observed.runs)} runs"):
        for piece in document_of(observed):
            file.write(piece.encode())
        flags = {name: str(options[name]).lower() for name in ("dry_run", "again")}
        answer: dict[str, Any] = client.upload(
            "imports", file, "application/json", **flags, workspace=options["workspace"]
        )
    return answer


def _report(answer: dict[str, Any], as_json: bool) -> None:
    sweep, outcome = answer["sweep"], answer["outcome"]
    if as_json:
        short = {key: value for key, value in answer.items() if key != "sweep"}
        keys = ("id", "status", "reason", "url", "counts")
        echo_json({**short, "sweep": sweep and {key: sweep[key] for key in keys}})
        return
    if outcome == "imported":
        click.echo(f"{sweep['id']}\n{sweep['url']}")
    if outcome == "present":
        click.echo(
            "The same content is here already, nothing was stored (--again stores it once more):",
            err=True,
        )
        click.echo(f"{sweep['id']}\n{sweep['url']}")
    if outcome == "checked":
        _echo_summary(answer)


def _echo_summary(answer: dict[str, Any]) -> None:
    echo_facts(
        [
            ("Name", answer["name"]),
            ("Experiment", answer["experiment"]),
            ("Runs", f"{answer['runs']}: {format_counts(answer['states'])}"),
            ("Reports", str(answer["reports"])),
            ("Metrics", ", ".join(answer["metrics"])),
            ("Primary metric", f"{answer['metric']} ({answer['goal']})"),
            *((f"  {name}", format_value(text)) for name, text in answer["search_space"].items()),
        ]
    )
    here = answer["sweep"]
    click.echo(f"Here already: {here['url']}" if here else "Nothing was stored.", err=True)


def _space(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    from experiments.problems import Problem, ProblemsError
    from experiments.spec_yaml import read_mapping

    try:
        raw = read_mapping(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        problem = Problem("search_space", f"{path} is not UTF-8 text.")
        raise ProblemsError([problem]) from error
    inner = raw.get("search_space", raw)
    if not isinstance(inner, dict):
        text = f"{path} holds no mapping of hyperparameters to expressions."
        raise ProblemsError([Problem("search_space", text)])
    return inner


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """Give the lines of a file or of the standard input; other texts than UTF-8 are a problem."""
    from experiments.problems import Problem, ProblemsError

    try:
        if str(file) == "-":
            yield sys.stdin
            return
        with file.open(encoding="utf-8-sig", newline="") as lines:
            yield lines
    except UnicodeDecodeError as error:
        text = f"{_name_of(file)} is not UTF-8 text; save it as UTF-8."
        raise ProblemsError([Problem(f"byte {error.start}", text)]) from error


def _name_of(file: Path) -> str:
    return "standard input" if str(file) == "-" else file.name
