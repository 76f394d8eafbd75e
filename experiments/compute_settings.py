"""What an administrator sets for a compute target: labels, interpreter, variables, secrets.

Pure. All problems at once, each with its path. A value of a secret stands in no message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any, Final

from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief
from experiments.spec_reading import read_pairs, variable_problem

_LABEL_KEY: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?")
_MAX_LABELS: Final = 20
_MAX_LABEL_VALUE: Final = 63
_MAX_PATH: Final = 500
_MAX_VARIABLES: Final = 200
# What replacing these does to every script of the target.
_RISKY: Final = {
    "PATH": "programs that scripts call by name are looked for there alone",
    "HOME": "caches and settings of scripts are looked for there",
    "PYTHONHOME": "Python looks for its own library there, whatever its version",
    "PYTHONPATH": "modules found there come before those of the interpreter",
    "VIRTUAL_ENV": "it only names an environment; the interpreter is what chooses one",
    "LD_PRELOAD": "every program of a run loads it",
    "LD_LIBRARY_PATH": "every program of a run looks for its libraries there first",
    "CUDA_VISIBLE_DEVICES": "it replaces the GPU that a slot was given with --gpus",
}
FIELDS: Final = ("labels", "python", "environment", "secrets", "enabled", "draining")

Problems = list[Problem]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be changed; None: stays. In `secrets`, None as the value removes the name."""

    labels: dict[str, str] | None = None
    python: str | None = None
    environment: dict[str, str] | None = None
    secrets: dict[str, str | None] | None = None
    enabled: bool | None = None
    draining: bool | None = None


def read_changes(raw: Mapping[str, Any]) -> Changes:
    """Check what is to be changed.

    Raises:
        ProblemsError: everything that is wrong with it.
    """
    problems: Problems = []
    for name in raw:
        if name not in FIELDS:
            close = get_close_matches(str(name), FIELDS, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            text = f"{brief(name)} is no setting; use {', '.join(FIELDS)}.{hint}"
            problems.append(Problem(str(name), text))
    changes = Changes(
        labels=read_labels(raw["labels"], problems) if "labels" in raw else None,
        python=read_python(raw["python"], problems) if "python" in raw else None,
        environment=read_environment(raw["environment"], problems)
        if "environment" in raw
        else None,
        secrets=_read_secrets(raw["secrets"], problems) if "secrets" in raw else None,
        enabled=_read_flag(raw, "enabled", problems),
        draining=_read_flag(raw, "draining", problems),
    )
    if problems:
        raise ProblemsError(problems)
    return changes


def read_labels(raw: Any, problems: Problems) -> dict[str, str]:
    """Read labels: a mapping, or words with commas or line ends between them ("gpu=a100, spot")."""
    labels: dict[str, str] = {}
    for key, value in _label_pairs(raw, problems):
        path = f"labels.{key}"
        if not _LABEL_KEY.fullmatch(key):
            text = (
                f"{brief(key)} is no label; use letters, digits and . _ / - between them, "
                "at most 63 characters, as in gpu=a100 or spot."
            )
            problems.append(Problem(path, text))
        elif len(value) > _MAX_LABEL_VALUE or not value.isprintable() or "," in value:
            text = f"{key} is {brief(value)}; use at most 63 characters on one line, no comma."
            problems.append(Problem(path, text))
        elif key in labels:
            problems.append(Problem(path, f"{key} is given twice; keep one of them."))
        else:
            labels[key] = value
    if len(labels) > _MAX_LABELS:
        text = f"There are {len(labels)} labels; use at most {_MAX_LABELS}."
        problems.append(Problem("labels", text))
    return dict(sorted(labels.items()))


def _label_pairs(raw: Any, problems: Problems) -> list[tuple[str, str]]:
    if isinstance(raw, Mapping):
        return [(str(key), "" if value is None else str(value)) for key, value in raw.items()]
    words = re.split(r"[,\n]", raw) if isinstance(raw, str) else raw
    if raw is None:
        return []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        text = f"labels is {brief(raw)}; use words such as gpu=a100 and spot."
        problems.append(Problem("labels", text))
        return []
    split = [word.strip().partition("=") for word in words if word.strip()]
    return [(key.strip(), value.strip()) for key, _, value in split]


def label_text(key: str, value: str) -> str:
    """Return a label as people write it: `gpu=a100`, or the word alone."""
    return f"{key}={value}" if value else key


def has_label(labels: Mapping[str, str], wanted: str) -> bool:
    """Tell whether a target has a label; a key alone is found with any value."""
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)


def read_python(raw: Any, problems: Problems) -> str:
    """Read the path of an interpreter, or its name on the PATH of the workers; "" for theirs."""
    text = "" if raw is None else raw
    if not isinstance(text, str):
        problems.append(Problem("python", f"python is {brief(raw)}; use a path or nothing."))
        return ""
    path = text.strip()
    message = ""
    if len(path) > _MAX_PATH or not path.isprintable():
        message = f"use one line of at most {_MAX_PATH} characters"
    elif "/" in path and not PurePosixPath(path).is_absolute():
        message = "use an absolute path, such as /opt/venv/bin/python, or a name such as python3.12"
    elif "/" not in path and len(path.split()) > 1:
        message = "use the interpreter alone; options belong to the command of a sweep"
    elif path.endswith("/"):
        message = "that is a folder; name the program in it, such as bin/python"
    if message:
        problems.append(Problem("python", f"python is {brief(path)}; {message}."))
    return path


def read_environment(raw: Any, problems: Problems) -> dict[str, str]:
    """Read the variables of every run, as in the specification of a sweep, but never null."""
    if raw is None:
        text = "environment is null; use names with their values, {} for none."
        problems.append(Problem("environment", text))
        return {}
    found: dict[str, str] = read_pairs(raw, "environment", problems)
    for name, value in found.items():
        if "\0" in value:
            text = f"{name} has a NUL character; use text."
            problems.append(Problem(f"environment.{name}", text))
    if len(found) > _MAX_VARIABLES:
        text = f"There are {len(found)} variables; use at most {_MAX_VARIABLES}."
        problems.append(Problem("environment", text))
    return found


def _read_secrets(raw: Any, problems: Problems) -> dict[str, str | None]:
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        text = "secrets is no mapping; use names with their values, null to remove one."
        problems.append(Problem("secrets", text))
        return {}
    secrets: dict[str, str | None] = {}
    for name, value in raw.items():
        path = f"secrets.{name}"
        if value is not None and not isinstance(value, str):
            problems.append(Problem(path, f"The value of {name} is no text; use text or null."))
            continue
        message = variable_problem(str(name), value or "")
        if not message and value == "":
            message = f"{name} is empty; use null to remove it."
        elif not message and "\0" in (value or ""):
            message = f"{name} has a NUL character; use text."
        if message:
            problems.append(Problem(path, message))
        secrets[str(name)] = value
    return secrets


def _read_flag(raw: Mapping[str, Any], name: str, problems: Problems) -> bool | None:
    value = raw.get(name)
    if name not in raw or isinstance(value, bool):
        return value
    problems.append(Problem(name, f"{name} is {brief(value)}; use true or false."))
    return None


def environment_warnings(names: Iterable[str]) -> list[str]:
    """Say what variables do that every program depends on."""
    return [f"{name} is set for every run: {_RISKY[name]}." for name in names if name in _RISKY]
