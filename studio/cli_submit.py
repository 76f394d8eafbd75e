"""The command `submit`: check a specification, send its source directory, wait for the end."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from studio.cli_check import report_check, try_first
from studio.cli_output import (
    EXIT_FAILED,
    EXIT_WRONG,
    connect,
    echo_json,
    echo_problems,
    format_counts,
    format_params,
    format_value,
    json_option,
    progress,
)
from studio.cli_sweeps import sweep_path, sweep_summary
from studio.sdk.client import StudioClient, StudioError, StudioRefusedError, StudioUnreachableError

if TYPE_CHECKING:
    from experiments.problems import ProblemsError
    from experiments.spec import SweepSpec
    from experiments.spec_limits import SpecLimits

_PAUSE_SECONDS = 1.0
# A studio that is restarted goes on with its sweeps, so waiting survives it.
_OUTAGE_SECONDS = 120.0
_ENDS = frozenset({"Completed", "Failed", "Canceled"})

_FILE_PATHS = frozenset({"snapshot", "source_directory", "script", "command"})

Problems = list[tuple[str, str]]


@click.command()
@click.argument("specification", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--wait", is_flag=True, help="Wait for the end; exit 1 unless it is Completed.")
@click.option(
    "--check-first",
    "is_checked",
    is_flag=True,
    help="Try one configuration on a real worker first; submit only if that passes.",
)
@click.option(
    "--check-seconds",
    type=click.FloatRange(1, 600),
    default=60,
    show_default=True,
    help="Time limit of that check.",
)
@click.option(
    "--workspace", metavar="SLUG", help="Short name of where it goes. Default: where you work."
)
@json_option
def submit(
    specification: Path,
    wait: bool,
    is_checked: bool,
    check_seconds: float,
    workspace: str | None,
    as_json: bool,
) -> None:
    """Submit a sweep from a specification file (YAML or JSON).

    Exit code: 0 submitted or Completed, 1 Failed or Canceled or the check did not pass, 2 the
    specification is wrong, 3 the studio cannot be reached.
    """
    try:
        seconds = check_seconds if is_checked else None
        client, sweep = _submit(specification, seconds, workspace, as_json)
    except StudioRefusedError as error:
        if error.status not in {400, 422}:
            raise
        _refuse([(e["path"], e["message"]) for e in error.errors], as_json=as_json)
    except _WrongError as error:
        _refuse(error.problems, as_json=as_json)
    for warning in sweep["warnings"]:
        click.echo(f"Warning: {warning}", err=True)
    if not as_json:
        click.echo(f"{sweep['id']}\n{sweep_summary(client, sweep)['url']}")
    if wait:
        sweep = _wait(client, sweep)
    if as_json:
        echo_json(sweep_summary(client, sweep))
    elif wait:
        _echo_end(sweep)
    if wait and sweep["status"] != "Completed":
        sys.exit(EXIT_FAILED)


class _WrongError(Exception):
    """The specification or its source directory is wrong."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__("\n".join(message for _, message in problems))


def _refuse(problems: Problems, *, as_json: bool) -> NoReturn:
    if as_json:
        echo_json({"errors": [{"path": path, "message": text} for path, text in problems]})
    else:
        echo_problems(problems)
    sys.exit(EXIT_WRONG)


def _submit(
    specification: Path, check_seconds: float | None, workspace: str | None, as_json: bool
) -> tuple[StudioClient, dict[str, Any]]:
    # Slow to import (numpy, pydantic), and needed by this command alone.
    from experiments.problems import ProblemsError
    from experiments.snapshot_rules import list_files, write_zip
    from experiments.spec import SweepSpec
    from experiments.spec_files import check_script

    raw = _read(specification)
    try:
        spec = SweepSpec.parse(raw, compute_targets=_compute_targets(raw), limits=_limits(raw))
        files = list_files(_source_directory(specification, spec))
        missing = check_script(spec, [file.name for file in files])
        if missing:
            raise ProblemsError([missing])
    except ProblemsError as error:
        raise _WrongError(_every_problem(specification, raw, error)) from error
    client = connect()
    with tempfile.TemporaryFile() as archive, progress("Sending the source directory"):
        # Asked before it is sent: a refused specification leaves no snapshot behind.
        digest = write_zip(files, archive)
        # What the file is silent about is for the studio to say.
        said = {k: v for k, v in spec.dump().items() if k in spec.model_fields_set}
        refused = _problems_of_the_studio(client, {**said, "snapshot": digest}, workspace)
        if refused:
            raise _WrongError(refused)
        snapshot = client.upload("snapshots", archive, "application/zip", workspace=workspace)
    ready = {**said, "snapshot": snapshot["id"]}
    if check_seconds is not None:
        with progress("Checking first") as say:
            tried = try_first(client, ready, seconds=check_seconds, workspace=workspace, say=say)
        report_check(tried, as_json=as_json)
    sweep = client.post("sweeps", ready, workspace=workspace)
    # The warnings of an imported file are not to be seen in what was sent.
    sweep["warnings"] = list(dict.fromkeys([*spec.warnings(), *sweep["warnings"]]))
    return client, sweep


def _compute_targets(raw: dict[str, Any]) -> list[str]:
    """Return the names that the cluster of an Azure ML file may have; others need no studio."""
    from experiments.spec_azure import is_azure

    if not is_azure(raw):
        return []
    try:
        targets = list(connect().pages("compute"))
    except StudioError:
        return []  # what is wrong with the file is said first
    return [t["name"] for t in sorted(targets, key=lambda target: not target["enabled"])]


def _limits(raw: dict[str, Any]) -> SpecLimits:
    """Return what the studio assumes where a file does not say how many runs there are."""
    from experiments import spec_limits
    from experiments.spec_azure import is_azure

    if is_azure(raw) or raw.get("max_total_runs") is not None:
        return spec_limits.CONTRACT
    try:
        runs = connect().get("site")["defaults"].get("max_total_runs")
    except StudioError:
        return spec_limits.CONTRACT  # the file is refused, as before
    return spec_limits.SpecLimits({"max_total_runs": runs} if runs else {}, {})


def _read(specification: Path) -> dict[str, Any]:
    """Return the mapping in a file; what cannot be read is a problem with its line."""
    import yaml

    from experiments.spec import load_yaml

    try:
        raw = load_yaml(specification.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise _WrongError([("", f"{specification} is not UTF-8 text.")]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _WrongError([(where, f"{specification} is not YAML: {error.problem}.")]) from error
    except yaml.YAMLError as error:
        raise _WrongError([("", f"{specification} is not YAML: {error}")]) from error
    if not isinstance(raw, dict):
        text = f"{specification} holds no mapping of names to values."
        raise _WrongError([("", text)])
    return raw


def _source_directory(specification: Path, spec: SweepSpec) -> Path:
    from experiments.problems import Problem, ProblemsError

    try:
        return specification.parent / Path(spec.source_directory or ".").expanduser()
    except RuntimeError as error:  # "~name" of nobody
        text = f'"{spec.source_directory}" cannot be found: {error}'
        raise ProblemsError([Problem("source_directory", text)]) from error


def _every_problem(specification: Path, raw: dict[str, Any], error: ProblemsError) -> Problems:
    """Return the problems that were found, those of the files, and those only the studio sees."""
    from experiments.problems import ProblemsError
    from experiments.snapshot_rules import list_files
    from experiments.spec_files import FILE_FIELDS, check_script, readable_parts

    found = list(error.problems)
    wrong = {problem.path for problem in found}
    spec = readable_parts(raw, wrong)
    if spec is not None and not wrong & FILE_FIELDS:
        try:
            names = [file.name for file in list_files(_source_directory(specification, spec))]
            problem = check_script(spec, names)
            found += [problem] if problem else []
        except ProblemsError as about_files:
            found += about_files.problems
    return _with_those_of_the_studio(raw, [(problem.path, problem.message) for problem in found])


def _with_those_of_the_studio(raw: dict[str, Any], found: Problems) -> Problems:
    known = {path for path, _ in found}
    try:
        others = _problems_of_the_studio(connect(), raw)
    except StudioError:
        return found  # what is known is enough to refuse the specification
    return found + [(path, message) for path, message in others if path not in known]


def _problems_of_the_studio(
    client: StudioClient, raw: dict[str, Any], workspace: str | None = None
) -> Problems:
    """Return what the studio finds wrong, but for the files: those are on this machine."""
    answer = client.post("sweeps/check", raw, workspace=workspace)
    found = [(error["path"], error["message"]) for error in answer["errors"]]
    return [(path, message) for path, message in found if path not in _FILE_PATHS]


def _wait(client: StudioClient, sweep: dict[str, Any]) -> dict[str, Any]:
    """Return the sweep when it has ended; says how it goes on a terminal."""
    silent_since: float | None = None
    try:
        with progress("Queued") as say:
            while sweep["status"] not in _ENDS:
                time.sleep(_PAUSE_SECONDS)
                try:
                    sweep = client.get(sweep_path(sweep["id"]))
                    silent_since = None
                except StudioUnreachableError:
                    silent_since = silent_since or time.monotonic()
                    if time.monotonic() - silent_since > _OUTAGE_SECONDS:
                        raise
                say(_line(sweep))
    except KeyboardInterrupt:
        page = sweep_summary(client, sweep)["url"]
        click.echo(f"\nThe sweep goes on: {page}", err=True)
        sys.exit(130)
    return sweep


def _line(sweep: dict[str, Any]) -> str:
    best = sweep["best_run"]
    parts = [sweep["status"], format_counts(sweep["counts"])]
    if best:
        parts.append(f"best {sweep['metric']} {format_value(best['value'])} (run {best['number']})")
    return " · ".join(part for part in parts if part)


def _echo_end(sweep: dict[str, Any]) -> None:
    click.echo(_line(sweep))
    if sweep["reason"]:
        click.echo(sweep["reason"])
    if sweep["best_run"]:
        click.echo(format_params(sweep["best_run"]["hyperparameters"]))
