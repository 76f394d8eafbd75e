"""Read an Azure ML v2 sweep job file (`type: sweep`) as a specification of this studio.

What has no meaning here is named in a warning; `evaluation_interval: 0` becomes 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from experiments.problems import Problem
from experiments.spec_command import format_value

_IGNORED: Final = (
    "$schema", "identity", "queue_settings", "resources", "outputs", "services", "properties",
    "job_tier", "priority", "experiment_id", "id", "creation_context",
)  # fmt: skip
_IGNORED_TRIAL: Final = (
    "environment", "distribution", "resources", "environment_variables_from", "queue_settings",
)  # fmt: skip
_LIMITS: Final = {
    "max_total_trials": "max_total_runs",
    "max_concurrent_trials": "max_concurrent_runs",
}
_INPUT: Final = re.compile(r"\$\{\{\s*inputs\.([^{}\s]+)\s*\}\}")
_DEFAULT_TOTAL: Final = 1000
_MAX_MINUTES: Final = 43200


def is_azure(raw: Mapping[Any, Any]) -> bool:
    """Tell whether a mapping is an Azure ML v2 sweep job."""
    return raw.get("type") == "sweep"


def import_azure(
    raw: Mapping[Any, Any], problems: list[Problem]
) -> tuple[dict[str, Any], list[str]]:
    """Return the specification and warnings; adds what cannot be read to `problems`."""
    warnings: list[str] = []
    trial = _mapping(raw, "trial", problems)
    objective = _mapping(raw, "objective", problems)
    spec: dict[str, Any] = {
        "name": raw.get("display_name") or raw.get("name") or "sweep",
        "experiment": raw.get("experiment_name") or "default",
        "description": raw.get("description") or "",
        "tags": raw.get("tags") or {},
        "search_space": raw.get("search_space"),
        "sampling": _sampling(raw.get("sampling_algorithm")),
        "primary_metric": {"name": objective.get("primary_metric"), "goal": objective.get("goal")},
        "early_termination": _policy(raw.get("early_termination")),
        "source_directory": trial.get("code") or ".",
        "command": _command(trial, raw, problems),
        "environment": trial.get("environment_variables") or {},
        **_limits(raw, problems, warnings),
    }
    compute = raw.get("compute")
    if isinstance(compute, str):
        spec["compute"] = "local"
        name = compute.removeprefix("azureml:")
        if name != "local":
            warnings.append(f"compute {name!r} is an Azure cluster; the runs use local.")
    warnings += _unused(raw, _IGNORED, "")
    warnings += _unused(trial, _IGNORED_TRIAL, "trial.")
    problems += _unknown(raw)
    return spec, warnings


_KNOWN: Final = frozenset(
    {
        "type", "name", "display_name", "experiment_name", "description", "tags", "search_space",
        "sampling_algorithm", "objective", "early_termination", "trial", "inputs", "limits",
        "compute", *_IGNORED,
    }
)  # fmt: skip


def _unknown(raw: Mapping[Any, Any]) -> list[Problem]:
    return [
        Problem(str(key), f"{key!r} is no key of an Azure ML sweep job.")
        for key in raw
        if key not in _KNOWN
    ]


def _unused(raw: Mapping[Any, Any], ignored: tuple[str, ...], prefix: str) -> list[str]:
    return [f"{prefix}{key} has no meaning here and is ignored." for key in ignored if raw.get(key)]


def _mapping(raw: Mapping[Any, Any], key: str, problems: list[Problem]) -> Mapping[Any, Any]:
    value = raw.get(key)
    if isinstance(value, Mapping):
        return value
    shown = "missing" if value is None else repr(value)
    problems.append(Problem(key, f"{key} is {shown}; an Azure ML sweep job has a mapping there."))
    return {}


def _sampling(raw: Any) -> Any:
    return raw if raw is not None else "random"


def _policy(raw: Any) -> Any:
    if not isinstance(raw, Mapping):
        return raw
    policy = {key: value for key, value in raw.items() if key != "exclude_finished_jobs" or value}
    if policy.get("evaluation_interval") == 0:
        policy["evaluation_interval"] = 1
    # The v2 classes send both slacks, and 0 for the one that was not given.
    slacks = [key for key in ("slack_factor", "slack_amount") if policy.get(key) is not None]
    if len(slacks) == 2:
        empty = next((key for key in reversed(slacks) if policy[key] == 0), None)
        if empty:
            del policy[empty]
    return policy


def _limits(raw: Mapping[Any, Any], problems: list[Problem], warnings: list[str]) -> dict[str, Any]:
    limits = raw.get("limits")
    if limits is None:
        limits = {}
    if not isinstance(limits, Mapping):
        problems.append(Problem("limits", f"limits is {limits!r}; use a mapping."))
        limits = {}
    found = {ours: limits[theirs] for theirs, ours in _LIMITS.items() if theirs in limits}
    found.setdefault("max_total_runs", _DEFAULT_TOTAL)
    if "timeout" in limits:
        minutes = _minutes(limits["timeout"], "limits.timeout", problems)
        if minutes is not None and minutes > _MAX_MINUTES:
            warnings.append(f"limits.timeout is cut to {_MAX_MINUTES} minutes, the longest here.")
        if minutes is not None:
            found["max_duration_minutes"] = min(max(minutes, 1), _MAX_MINUTES)
    if "trial_timeout" in limits:
        found["run_timeout_minutes"] = _minutes(
            limits["trial_timeout"], "limits.trial_timeout", problems
        )
    known = {*_LIMITS, "timeout", "trial_timeout"}
    problems += [
        Problem(f"limits.{key}", f"{key!r} is no limit; use {', '.join(sorted(known))}.")
        for key in limits
        if key not in known
    ]
    return found


def _minutes(seconds: Any, path: str, problems: list[Problem]) -> float | None:
    if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0:
        minutes = seconds / 60
        return int(minutes) if minutes.is_integer() else minutes
    problems.append(Problem(path, f"The timeout is {seconds!r}; use a whole number of seconds."))
    return None


def _command(trial: Mapping[Any, Any], raw: Mapping[Any, Any], problems: list[Problem]) -> Any:
    command = trial.get("command")
    if not isinstance(command, str):
        shown = "missing" if command is None else repr(command)
        problems.append(Problem("trial.command", f"command is {shown}; use text."))
        return "python ${{search_space.x}}" if command is None else command
    inputs = raw.get("inputs")
    inputs = inputs if isinstance(inputs, Mapping) else {}

    def fill(match: re.Match[str]) -> str:
        value = inputs.get(match[1])
        value = value.get("path") if isinstance(value, Mapping) else value
        if value is None:
            text = f"command uses the input {match[1]!r}, which has no value or path here."
            problems.append(Problem("trial.command", text))
            return match[0]
        return format_value(value)

    return _INPUT.sub(fill, command)
