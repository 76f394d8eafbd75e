"""Write a specification as an Azure ML v2 sweep job file (`type: sweep`).

The way back is `spec_azure`. What such a file cannot say stands in comments at its top.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from experiments.samplers import load_sampler
from experiments.space.literals import brief
from experiments.space.space import argument_name
from experiments.spec_command import PLACEHOLDER
from experiments.spec_yaml import dump_yaml

if TYPE_CHECKING:
    from experiments.spec import SweepSpec

_SCHEMA: Final = "https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json"
_UNFIT: Final = re.compile(r"\W", re.ASCII)
_NO_SEED: Final = ("grid", "bayesian")
_NO_ENVIRONMENT: Final = (
    "trial.environment is missing: name one of your workspace, such as azureml:NAME@latest."
)
# Fields without a place there, each with what is lost.
_MISSING: Final = {
    "python": "the environment of the job brings its own interpreter",
    "max_failed_runs": "a job does not pause after failures",
    "resume_from": "a job cannot continue earlier sweeps",
    "resume_child_runs": "a job cannot continue earlier runs",
}


def azure_job(spec: SweepSpec) -> str:
    """Return the text of the job file."""
    notes = [_NO_ENVIRONMENT]
    names = _azure_names(spec, notes)
    job: dict[str, Any] = {
        "$schema": _SCHEMA,
        "type": "sweep",
        "display_name": spec.name,
        "experiment_name": spec.experiment,
        "description": spec.description,
        "tags": spec.tags,
        "trial": {
            "code": _code(spec, notes),
            "command": _command(spec, names),
            "environment_variables": spec.environment,
        },
        "compute": f"azureml:{spec.compute}",
        "sampling_algorithm": _sampling(spec, notes),
        "search_space": _space(spec, names, notes),
        "objective": {"goal": spec.goal, "primary_metric": spec.metric_name},
        "early_termination": _policy(spec, notes),
        "limits": _limits(spec, notes),
    }
    for name, loss in _MISSING.items():
        value = getattr(spec, name)
        if value not in (None, []):
            notes.append(f"{name} {brief(value)} is left out: {loss}.")
    job["trial"] = _without_empty(job["trial"])
    comments = "".join(f"# {' '.join(note.split())}\n" for note in notes)
    return comments + dump_yaml(_without_empty(job))


def _without_empty(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if value not in (None, "", {}, [])}


def _azure_names(spec: SweepSpec, notes: list[str]) -> dict[str, str]:
    """Return a name that Azure takes for each hyperparameter: letters, digits and underscores."""
    taken = {name for name in spec.search_space if _fits(name)}
    names: dict[str, str] = {}
    for name in spec.search_space:
        names[name] = name
        if _fits(name):
            continue
        stem = _UNFIT.sub("_", name.lstrip("-"))
        stem = f"_{stem}" if stem[0].isdigit() else stem
        candidates = (stem, *(f"{stem}_{n}" for n in range(2, len(spec.search_space) + 2)))
        names[name] = next(candidate for candidate in candidates if candidate not in taken)
        taken.add(names[name])
        notes.append(
            f"search_space.{names[name]} is {brief(name)} in the studio; Azure ML takes letters, "
            "digits and underscores only."
        )
    return names


def _fits(name: str) -> bool:
    return not _UNFIT.search(name) and not name[0].isdigit()


def _code(spec: SweepSpec, notes: list[str]) -> str:
    if spec.snapshot is not None:
        notes.append(f"trial.code: put the files of snapshot {spec.snapshot[:12]} there.")
    return spec.source_directory or "."


def _command(spec: SweepSpec, names: Mapping[str, str]) -> str:
    if spec.command is not None:
        return PLACEHOLDER.sub(lambda match: _placeholder(match, names), spec.command)
    fixed = ["python", spec.script or "", *spec.arguments]
    words = [shlex.quote(word) for word in fixed]
    for name in spec.search_space:
        words += [shlex.quote(argument_name(name)), f"${{{{search_space.{names[name]}}}}}"]
    return " ".join(words)


def _placeholder(match: re.Match[str], names: Mapping[str, str]) -> str:
    name = match[1].removeprefix("search_space.")
    return f"${{{{search_space.{names.get(name, name)}}}}}"


def _sampling(spec: SweepSpec, notes: list[str]) -> Any:
    name, options = spec.sampler_name, spec.sampler_options
    if name == "sobol":
        name, options = "random", {"rule": "sobol", **options}
    if name == "bayesian_extended":
        name = _nearest(spec)
        notes.append(f"sampling bayesian_extended is not known there; {name} stands in its place.")
    if name in _NO_SEED:
        for key, value in options.items():
            notes.append(f"sampling.{key} {brief(value)} is left out: {name} has no options there.")
        options = {}
    return {"type": name, **options} if options else name


def _nearest(spec: SweepSpec) -> str:
    """Return the method of Azure ML that takes what the extended one was given."""
    refused = load_sampler("bayesian").check(spec.space, {}, "sampling")
    return "random" if refused or spec.early_termination else "bayesian"


def _space(spec: SweepSpec, names: Mapping[str, str], notes: list[str]) -> dict[str, Any]:
    space = spec.space.to_mapping()
    for name, mapping in space.items():
        if any(isinstance(value, Mapping) for value in mapping.get("values", ())):
            notes.append(
                f"search_space.{names[name]} has mappings among its values; Azure ML takes such a "
                "mapping for a nested search space."
            )
    return {names[name]: mapping for name, mapping in space.items()}


def _policy(spec: SweepSpec, notes: list[str]) -> dict[str, Any] | None:
    if spec.early_termination is None:
        return None
    policy = dict(spec.early_termination)
    if policy.pop("exclude_finished_jobs", False):
        notes.append("early_termination.exclude_finished_jobs is left out: there is no such key.")
    return policy


def _limits(spec: SweepSpec, notes: list[str]) -> dict[str, Any]:
    limits = {
        "max_total_trials": spec.max_total_runs,
        "max_concurrent_trials": spec.max_concurrent_runs,
        "timeout": _seconds("max_duration_minutes", spec.max_duration_minutes, notes),
        "trial_timeout": _seconds("run_timeout_minutes", spec.run_timeout_minutes, notes),
    }
    return _without_empty(limits)


def _seconds(name: str, minutes: float | None, notes: list[str]) -> int | None:
    if minutes is None:
        return None
    exact = minutes * 60
    seconds = max(1, round(exact))
    if not math.isclose(seconds, exact, rel_tol=1e-9):
        notes.append(f"{name} {minutes} is rounded to {seconds} seconds.")
    return seconds
