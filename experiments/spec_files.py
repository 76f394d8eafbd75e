"""What a specification says about its files, held against the files that are there.

Shared by the studio and the command line. Pure: is given the names, opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any, Final

from experiments.problems import Problem, ProblemsError
from experiments.spec import PrimaryMetric, SweepSpec
from experiments.spec_azure import is_azure
from experiments.spec_checks import first_name
from experiments.spec_command import split_command
from experiments.spec_reading import read_metric, read_sampling, read_space
from experiments.spec_warm_start import read_run_ids, read_sweep_ids
from experiments.spec_yaml import read_mapping

# Fields that say where the files are and which of them is run.
FILE_FIELDS: Final = frozenset({"snapshot", "source_directory", "script", "command"})
_MAX_SHOWN: Final = 8


def readable_parts(raw: Mapping[str, Any] | str, wrong: set[str]) -> SweepSpec | None:
    """Return what a wrong specification says about compute, files and earlier sweeps, if clear.

    `wrong` are the paths of the problems it has. So a mistake in one place hides none elsewhere.
    """
    try:
        mapping = read_mapping(raw) if isinstance(raw, str) else raw
    except ProblemsError:
        return None
    if not isinstance(mapping, Mapping) or is_azure(mapping):
        return None
    texts = {
        name: mapping[name]
        for name in ("compute", *FILE_FIELDS)
        if name not in wrong and isinstance(mapping.get(name), str)
    }
    return SweepSpec.model_construct(**texts, **_warm_start_parts(mapping, wrong))


def _warm_start_parts(mapping: Mapping[Any, Any], wrong: set[str]) -> dict[str, Any]:
    """Return the earlier sweeps and runs, and of what is held against them all that is right."""
    if "" in wrong:
        return {}  # what is wrong with it as a whole may be its size
    parts: dict[str, Any] = {
        "resume_from": read_sweep_ids(mapping.get("resume_from"), []),
        "resume_child_runs": read_run_ids(mapping.get("resume_child_runs"), []),
    }
    bad = {first_name(path) for path in wrong}
    if "primary_metric" not in bad and isinstance(mapping.get("primary_metric"), Mapping):
        metric = read_metric(mapping.get("primary_metric"), [])
        parts["primary_metric"] = PrimaryMetric.model_construct(**metric)
    if "max_total_runs" not in bad:
        parts["max_total_runs"] = mapping.get("max_total_runs")
    if not bad & {"search_space", "sampling"}:
        sampling = mapping.get("sampling") or "random"
        space, _ = read_space(mapping.get("search_space"), sampling, [])
        parts["sampling"] = read_sampling(sampling, space, [])
        parts["search_space"] = space.to_text() if space else None
    return parts


def check_script(spec: SweepSpec, names: list[str]) -> Problem | None:
    """Return a problem when the file that the interpreter is to run is not among `names`."""
    path, script = ("script", spec.script) if spec.script else ("command", _script_of(spec))
    if script is None or PurePosixPath(script).as_posix() in names:
        return None
    scripts = [name for name in names if name.endswith(".py")]
    close = get_close_matches(script, scripts, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    shown = ", ".join(scripts[:_MAX_SHOWN]) or "no Python file"
    more = f" and {len(scripts) - _MAX_SHOWN} more" if len(scripts) > _MAX_SHOWN else ""
    text = f'"{script}" is not in source_directory, which has {shown}{more}.{hint}'
    return Problem(path, text)


def _script_of(spec: SweepSpec) -> str | None:
    """Return the file that a command like "python train.py ..." runs; None where it is unclear."""
    words = split_command(spec.command or "")
    is_python = len(words) > 1 and words[0] in {"python", "python3"}
    return words[1] if is_python and words[1].endswith(".py") and "$" not in words[1] else None
