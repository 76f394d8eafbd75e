"""What is wrong with a specification beyond its single parts: fields, texts, how they fit together.

Every check returns problems; messages say what, the value, what is allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any, Final

from pydantic import ValidationError

from experiments.problems import Problem, ProblemsError
from experiments.samplers import SAMPLERS, load_sampler
from experiments.space.literals import brief, printable, text_fault
from experiments.spec_command import check_command

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_WORDS: Final = ("name", "compute", "script", "python", "source_directory")
_MAX_DEPTH: Final = 50
# Far beyond any specification that a person has written; larger ones would cost minutes.
_MAX_SIZE: Final = 300_000
# The YAML of what is stored must be short enough to be read back.
_MAX_STORED: Final = 140_000
_MAX_UNKNOWN: Final = 20

# Words of other tools, and of Azure ML, for what a field of ours holds.
_MEANT: Final = {
    "args": "arguments",
    "code": "source_directory",
    "env": "environment",
    "environment_variables": "environment",
    "limits": "max_total_runs",
    "metric": "primary_metric",
    "objective": "primary_metric",
    "parameters": "search_space",
    "policy": "early_termination",
    "target": "compute",
    "timeout": "max_duration_minutes",
    "trial": "script",
    "trial_timeout": "run_timeout_minutes",
}
_ALLOWED: Final = {
    "name": "use 1 to 255 characters",
    "experiment": "use 1 to 255 characters",
    "source_directory": "use the path of a folder",
    "snapshot": "use the id of an uploaded snapshot",
    "script": "use the path of a Python file in source_directory",
    "command": "use text such as python train.py --lr ${{search_space.lr}}",
    "python": "use the path of an interpreter, or null for the compute target's",
    "compute": "use the name of a compute target",
    "max_total_runs": "use a whole number from 1 to 1000",
    "max_concurrent_runs": "use a whole number from 1 to 100, or leave it out",
    "max_duration_minutes": "use a number from 1 to 43200",
    "run_timeout_minutes": "use a number above 0 up to 43200, or null for no limit",
    "max_failed_runs": "use a whole number from 1 to 1000, or null for no limit",
    "description": "use text of up to 10000 characters",
}


def check_keys(fields: Mapping[str, Any], known: Sequence[str]) -> list[Problem]:
    """Return a problem for each unknown key, with the one that was probably meant."""
    unknown = [key for key in fields if key not in known]
    problems = []
    for key in unknown[:_MAX_UNKNOWN]:
        close = [_MEANT[key]] if key in _MEANT else get_close_matches(key.lower(), known, n=1)
        advice = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(known)}."
        if key == "type":
            advice = f"{brief(fields[key])} is no kind of it; only Azure ML files have type: sweep."
        problems.append(Problem(key, f"A sweep has no {brief(key)}. {advice}"))
    if len(unknown) > _MAX_UNKNOWN:
        text = f"A sweep has none of {len(unknown) - _MAX_UNKNOWN} further keys either."
        problems.append(Problem("", text))
    return problems


def check_extent(raw: Any) -> None:
    """Refuse what is larger or nested deeper than any specification, before it costs time.

    Raises:
        ProblemsError: nothing else can be checked.
    """
    size, level = 0, [raw]
    for _ in range(_MAX_DEPTH + 1):
        size += sum(len(item) if isinstance(item, str) else 1 for item in level)
        if size > _MAX_SIZE:
            text = f"The specification holds more than {_MAX_SIZE} characters and values."
            raise ProblemsError([Problem("", text)])
        level = [part for item in level for part in _parts_of(item)]
        if not level:
            return
    text = f"The specification is nested more than {_MAX_DEPTH} levels deep."
    raise ProblemsError([Problem("", text)])


def _parts_of(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    return value if isinstance(value, list | tuple) else ()


def check_stored(dump: Mapping[str, Any]) -> list[Problem]:
    """Check that a specification, its ranges written out, can be stored and read back."""
    size = len(json.dumps(dump))
    if size <= _MAX_STORED:
        return []
    text = f"The specification takes {size} characters as JSON; at most {_MAX_STORED} are kept."
    return [Problem("", text)]


def check_texts(value: Any, path: str = "") -> list[Problem]:
    """Return a problem for each text, wherever it stands, that no program can be given."""
    if isinstance(value, str):
        fault = text_fault(value)
        return [Problem(path, f"{brief(value)} {fault}; remove it.")] if fault else []
    if isinstance(value, Mapping):
        places = [(f"{path}.{key}" if path else str(key), key, value[key]) for key in value]
        return [
            problem
            for place, key, item in places
            for problem in (*check_texts(key, place), *check_texts(item, place))
        ]
    if isinstance(value, list | tuple):
        items = enumerate(value)
        return [p for i, item in items for p in check_texts(item, f"{path}[{i}]")]
    return []


def join_problems(faults: Sequence[Problem], others: Iterable[Problem]) -> list[Problem]:
    """Return the faults of texts, then the others that are not about the same texts.

    What cannot be printed is escaped: messages are shown on terminals and sent as JSON.
    """
    paths = {fault.path for fault in faults}
    fresh = [problem for problem in others if problem.path not in paths]
    return [
        Problem(printable(problem.path), printable(problem.message))
        for problem in [*faults, *fresh]
    ]


def check_start(known: Mapping[str, Any], names: list[str] | None) -> list[Problem]:
    """Check what is run; `names` of the hyperparameters, None where the space is wrong."""
    script, command = known.get("script"), known.get("command")
    if script is None and command is None:
        return [Problem("script", "script and command are both missing; give one of them.")]
    if script is not None and command is not None:
        return [Problem("command", "script and command are both given; remove one of them.")]
    if isinstance(command, str):
        problems = check_command(command, names)
        if known.get("arguments"):
            text = "arguments goes with script; write them into command instead."
            problems.append(Problem("arguments", text))
        return problems
    if isinstance(script, str) and script.strip():
        path = PurePosixPath(script)
        if script.startswith("-"):
            text = f"script is {brief(script)}, an option of the interpreter; name a Python file."
            return [Problem("script", text)]
        if path.is_absolute() or ".." in path.parts:
            text = f"script is {brief(script)}, outside source_directory; name it from there on."
            return [Problem("script", text)]
    return []


def check_words(known: Mapping[str, Any]) -> list[Problem]:
    """Check the fields that are one line of text with rules of their own."""
    problems = []
    for field in _WORDS:
        value = known.get(field)
        if isinstance(value, str) and not value.strip():
            problems.append(Problem(field, f"{field} is empty; {_ALLOWED[field]}."))
        elif isinstance(value, str) and any(ord(c) < 32 or ord(c) == 127 for c in value):
            text = f"{field} is {brief(value)}, with a control character; {_ALLOWED[field]}."
            problems.append(Problem(field, text))
    experiment, snapshot = known.get("experiment"), known.get("snapshot")
    if isinstance(experiment, str) and not _NAME.fullmatch(experiment):
        text = (
            f"experiment is {brief(experiment)}; start with a letter or digit and use only "
            "letters, digits, hyphens and underscores."
        )
        problems.append(Problem("experiment", text))
    if isinstance(snapshot, str) and not _DIGEST.fullmatch(snapshot):
        text = f"snapshot is {brief(snapshot)}; {_ALLOWED['snapshot']}, 64 hex digits."
        problems.append(Problem("snapshot", text))
    return problems


def check_policy_fits(sampling: Any, policy: Any) -> list[Problem]:
    """Refuse an early-termination policy where the sampler needs the last value of every run."""
    kind = load_sampler(sampling if isinstance(sampling, str) else sampling["type"])
    if policy is None or kind.allows_policy:
        return []
    wider = f"{kind.name}_extended"
    way_out = f", or use {wider}" if wider in SAMPLERS else ""
    text = f"{kind.label} sampling needs every run to end by itself; set early_termination to null"
    return [Problem("early_termination", f"{text}{way_out}.")]


def field_problems(
    error: ValidationError, values: Mapping[str, Any], reported: Iterable[Problem]
) -> list[Problem]:
    """Return one problem for each wrong field that nobody has reported yet."""
    seen = {first_name(problem.path) for problem in reported}
    problems = []
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0])
        if name in seen:
            continue
        seen.add(name)
        shown = "missing" if detail["type"] == "missing" else brief(values.get(name))
        allowed = _ALLOWED.get(name, str(detail["msg"]))
        problems.append(Problem(name, f"{name} is {shown}; {allowed}."))
    return problems


def in_order(problems: Iterable[Problem], fields: Sequence[str]) -> list[Problem]:
    """Return the problems in the order of the fields, none of them twice."""

    def place(problem: Problem) -> int:
        name = first_name(problem.path)
        return fields.index(name) if name in fields else len(fields)

    return sorted(dict.fromkeys(problems), key=place)


def first_name(path: str) -> str:
    """Return the field of the specification that a path begins with."""
    return re.split(r"[.\[]", path)[0]
