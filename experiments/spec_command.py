"""From a specification and sampled values to the words of a command line and its environment.

Formats: text as it is, repr of floats, JSON for lists and mappings, True / False for booleans.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from experiments.problems import Problem
from experiments.space.space import argument_name, variable_name

_PLACEHOLDER: Final = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
_SEARCH: Final = "search_space."
_PYTHONS: Final = ("python", "python3")


def format_value(value: Any) -> str:
    """Write one value the way a script receives it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def script_words(
    script: str, arguments: Sequence[str], params: Mapping[str, Any], python: str
) -> list[str]:
    """Return interpreter, script, fixed arguments, then `--name value` for each value."""
    return [python, script, *pair_words(arguments, params)]


def pair_words(arguments: Sequence[str], params: Mapping[str, Any]) -> list[str]:
    """Return the fixed arguments, then `--name value` for each value in its order."""
    pairs = ((argument_name(name), format_value(value)) for name, value in params.items())
    return [*arguments, *(word for pair in pairs for word in pair)]


def command_words(command: str, params: Mapping[str, Any], python: str) -> list[str]:
    """Return the words of a command with its placeholders filled; each value stays one word."""
    words = [
        _PLACEHOLDER.sub(lambda match: format_value(params[match[1][len(_SEARCH) :]]), word)
        for word in split_command(command)
    ]
    return [python, *words[1:]] if words[0] in _PYTHONS else words


def split_command(command: str) -> list[str]:
    """Split a command as a shell would; white space inside a placeholder does not split.

    Raises:
        ValueError: a quote is not closed.
    """
    return shlex.split(_PLACEHOLDER.sub(lambda match: "${{" + match[1] + "}}", command))


def check_command(command: str, names: Sequence[str] | None) -> list[Problem]:
    """Return what is wrong with a command; `names` None: the search space is wrong already."""
    try:
        words = split_command(command)
    except ValueError as error:
        return [Problem("command", f"command is {command!r}; {str(error).lower()}.")]
    if not words:
        return [Problem("command", "command is empty; write what is to be run.")]
    found = _PLACEHOLDER.findall(command)
    if not found:
        text = (
            f"command is {command!r} and uses no hyperparameter, so every run would be the same; "
            "write ${{search_space.<name>}} where a value belongs."
        )
        return [Problem("command", text)]
    problems = []
    for inner in found:
        name = inner.removeprefix(_SEARCH)
        if not inner.startswith(_SEARCH):
            text = f"command has ${{{{{inner}}}}}; only ${{{{search_space.<name>}}}} is known here."
            problems.append(Problem("command", text))
        elif names is not None and name not in names:
            text = f"command uses {name!r}, which search_space lacks; it has {', '.join(names)}."
            problems.append(Problem("command", text))
    return problems


def environment_of(params: Mapping[str, Any]) -> dict[str, str]:
    """Return AZUREML_SWEEP_<name> for each value."""
    return {variable_name(name): format_value(value) for name, value in params.items()}
