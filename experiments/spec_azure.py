"""Read an Azure ML v2 sweep job file (`type: sweep`) as a specification of this studio.

What has no meaning here is named in a warning. Azure's data and environments are not here: the
script is given a data path as it is written. A cluster is a compute target of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from experiments.problems import Problem
from experiments.space.literals import brief
from experiments.spec_command import fill_words, format_value

_MEANINGLESS: Final = (
    "$schema", "identity", "queue_settings", "resources", "outputs", "services", "properties",
    "job_tier", "priority", "experiment_id", "id", "creation_context", "settings",
)  # fmt: skip
_MEANINGLESS_TRIAL: Final = (
    "environment", "distribution", "resources", "queue_settings", "inputs", "outputs", "type",
    "$schema", "name", "version", "display_name", "description", "tags", "is_deterministic",
    "docker_args", "shm_size",
)  # fmt: skip
_KEYS: Final = (
    "type", "name", "display_name", "experiment_name", "description", "tags", "search_space",
    "sampling_algorithm", "objective", "early_termination", "trial", "inputs", "limits", "compute",
    *_MEANINGLESS,
)  # fmt: skip
_TRIAL_KEYS: Final = ("command", "code", "environment_variables", *_MEANINGLESS_TRIAL)
_OBJECTIVE_KEYS: Final = ("goal", "primary_metric")
_LIMIT_KEYS: Final = ("max_total_trials", "max_concurrent_trials", "timeout", "trial_timeout")
_DEFAULT_TOTAL: Final = 1000
_DEFAULT_TARGET: Final = "local"
_MAX_MINUTES: Final = 43200

# Where a field of ours stands in their file.
_PATHS: Final = {
    "name": "display_name",
    "experiment": "experiment_name",
    "source_directory": "trial.code",
    "script": "trial.command",
    "command": "trial.command",
    "environment": "trial.environment_variables",
    "sampling": "sampling_algorithm",
    "primary_metric.name": "objective.primary_metric",
    "primary_metric.goal": "objective.goal",
    "primary_metric": "objective",
    "max_total_runs": "limits.max_total_trials",
    "max_concurrent_runs": "limits.max_concurrent_trials",
    "max_duration_minutes": "limits.timeout",
    "run_timeout_minutes": "limits.trial_timeout",
}


def is_azure(raw: Mapping[Any, Any]) -> bool:
    """Tell whether a mapping is an Azure ML v2 sweep job."""
    return raw.get("type") == "sweep"


def import_azure(
    raw: Mapping[Any, Any], compute_targets: Sequence[str], problems: list[Problem]
) -> tuple[dict[str, Any], list[str]]:
    """Return the specification and warnings; adds what cannot be read to `problems`."""
    warnings: list[str] = []
    _check_keys(raw, _KEYS, "", problems)
    trial = _part(raw, "trial", _TRIAL_KEYS, problems)
    objective = _part(raw, "objective", _OBJECTIVE_KEYS, problems)
    limits = _part(raw, "limits", _LIMIT_KEYS, problems) if raw.get("limits") else {}
    spec = {
        "name": raw.get("display_name") or raw.get("name"),
        "experiment": raw.get("experiment_name"),
        "description": raw.get("description"),
        "tags": raw.get("tags"),
        "search_space": raw.get("search_space"),
        "sampling": raw.get("sampling_algorithm"),
        "primary_metric": {"name": objective.get("primary_metric"), "goal": objective.get("goal")},
        "early_termination": _policy(raw.get("early_termination")),
        "source_directory": _code(trial, problems),
        "command": _command(trial, raw, problems, warnings),
        "environment": trial.get("environment_variables"),
        "compute": _compute(raw.get("compute"), compute_targets, warnings),
        **_limits(limits, problems, warnings),
    }
    warnings += _meaningless(raw, _MEANINGLESS, "")
    warnings += _meaningless(trial, _MEANINGLESS_TRIAL, "trial.")
    return spec, warnings


def azure_problems(
    raw: Mapping[Any, Any], found: Sequence[Problem], later: Sequence[Problem]
) -> list[Problem]:
    """Return the problems of the import and those found later, in the words of the user's file."""
    seen = {problem.path for problem in found}
    paths = _PATHS if raw.get("display_name") else {**_PATHS, "name": "name"}
    renamed = [_their_problem(problem, paths) for problem in later]
    # What could not be read is missing later: that is no second mistake.
    fresh = [p for p in renamed if not any(_is_within(p.path, path) for path in seen)]
    return [*found, *fresh]


def _their_problem(problem: Problem, paths: Mapping[str, str]) -> Problem:
    ours = next((ours for ours in paths if _is_within(problem.path, ours)), None)
    if ours is None:
        return problem
    own_word, their_word = (path.rpartition(".")[2] for path in (ours, paths[ours]))
    message = problem.message
    if message.startswith(f"{own_word} "):
        message = their_word + message.removeprefix(own_word)
    return Problem(paths[ours] + problem.path.removeprefix(ours), message)


def _is_within(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _part(
    raw: Mapping[Any, Any], key: str, known: Sequence[str], problems: list[Problem]
) -> Mapping[Any, Any]:
    value = raw.get(key)
    if isinstance(value, Mapping):
        _check_keys(value, known, f"{key}.", problems)
        return value
    shown = "missing" if value is None else brief(value)
    problems.append(Problem(key, f"{key} is {shown}; a sweep job has a mapping there."))
    return {}


def _check_keys(
    raw: Mapping[Any, Any], known: Sequence[str], prefix: str, problems: list[Problem]
) -> None:
    for key in raw:
        if key not in known:
            close = get_close_matches(str(key), known, n=1)
            advice = f" Did you mean {close[0]}?" if close else ""
            text = f"An Azure ML sweep job has no {brief(key)} here.{advice}"
            problems.append(Problem(f"{prefix}{key}", text))


def _meaningless(raw: Mapping[Any, Any], keys: Sequence[str], prefix: str) -> list[str]:
    shown = [key for key in keys if raw.get(key) and key != "$schema"]
    return [f"{prefix}{key} has no meaning here and is ignored." for key in shown]


def _policy(raw: Any) -> Any:
    if not isinstance(raw, Mapping):
        return raw
    policy = dict(raw)
    if policy.get("evaluation_interval") == 0:
        policy["evaluation_interval"] = 1
    # The v2 classes write both slacks, 0 for the one that was not given.
    if policy.get("slack_factor") and policy.get("slack_amount") == 0:
        del policy["slack_amount"]
    elif policy.get("slack_factor") == 0 and policy.get("slack_amount") is not None:
        del policy["slack_factor"]
    return policy


def _limits(
    limits: Mapping[Any, Any], problems: list[Problem], warnings: list[str]
) -> dict[str, Any]:
    total = limits.get("max_total_trials")
    if total is None:
        total = _DEFAULT_TOTAL
        warnings.append(f"limits.max_total_trials is not given; the sweep may make {total} runs.")
    return {
        "max_total_runs": total,
        "max_concurrent_runs": limits.get("max_concurrent_trials"),
        # Azure takes a shorter timeout of the whole sweep for a minute.
        "max_duration_minutes": _minutes(limits, "timeout", 1, problems, warnings),
        "run_timeout_minutes": _minutes(limits, "trial_timeout", 0, problems, warnings),
    }


def _minutes(
    limits: Mapping[Any, Any],
    key: str,
    least: int,
    problems: list[Problem],
    warnings: list[str],
) -> float | None:
    seconds = limits.get(key)
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 1:
        text = f"{key} is {brief(seconds)}; use a whole number of seconds above 0."
        problems.append(Problem(f"limits.{key}", text))
        return None
    if seconds > _MAX_MINUTES * 60:
        warnings.append(f"limits.{key} is cut to {_MAX_MINUTES} minutes, the longest here.")
        return _MAX_MINUTES
    minutes = max(seconds / 60, least)
    return int(minutes) if minutes == int(minutes) else minutes


def _compute(raw: Any, known: Sequence[str], warnings: list[str]) -> str:
    name = raw.removeprefix("azureml:") if isinstance(raw, str) else raw
    if isinstance(name, str) and name in known:
        return name
    default = known[0] if known else _DEFAULT_TARGET
    if name not in (None, default):
        warnings.append(f"compute {brief(raw)} is not of this studio; the runs use {default}.")
    return default


def _code(trial: Mapping[Any, Any], problems: list[Problem]) -> Any:
    code = trial.get("code")
    if isinstance(code, str) and ("://" in code or code.startswith(("azureml:", "git+"))):
        text = f"code is {brief(code)}; only a folder can be read: fetch it and name the folder."
        problems.append(Problem("trial.code", text))
        return None
    return code


def _command(
    trial: Mapping[Any, Any],
    raw: Mapping[Any, Any],
    problems: list[Problem],
    warnings: list[str],
) -> str | None:
    command = trial.get("command")
    if not isinstance(command, str):
        if "trial" not in {problem.path for problem in problems}:
            shown = "missing" if command is None else brief(command)
            problems.append(Problem("trial.command", f"command is {shown}; use text."))
        return None
    inputs = raw.get("inputs")
    values = inputs if isinstance(inputs, Mapping) else {}

    def fill(inner: str) -> str | None:
        kind, _, name = inner.partition(".")
        if kind == "outputs" and name:
            note = f"outputs.{name}: the script is given the folder outputs/{name}, which is kept."
            warnings.append(note)
            return f"outputs/{name}"
        return _input_text(name, values.get(name), problems, warnings) if kind == "inputs" else None

    # Without inputs and outputs it stays as it was written.
    if "${{" not in command or not any(f"{kind}." in command for kind in ("inputs", "outputs")):
        return command
    try:
        return fill_words(command, fill)
    except ValueError:
        return command  # the check of the command says what is wrong with it


def _input_text(name: str, value: Any, problems: list[Problem], warnings: list[str]) -> str | None:
    if isinstance(value, Mapping):
        path = value.get("path")
        if path is not None:
            note = f"inputs.{name}: data is neither copied nor mounted here; the script is given "
            warnings.append(f"{note}{brief(path)} as it is written.")
        value = path if path is not None else value.get("default")
    if isinstance(value, str | int | float):
        return format_value(value)
    text = f"command uses the input {brief(name)}, which has no value and no path."
    problems.append(Problem("trial.command", text))
    return ""
