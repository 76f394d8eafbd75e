"""From a specification and sampled values to the words of a command line and its environment.

Formats: text as it is, repr of floats, JSON for lists and mappings, True / False for booleans.
Commands are split into words as a shell would; no shell ever runs, so its signs are refused.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from experiments.problems import Problem
from experiments.space.literals import brief
from experiments.space.space import argument_name, variable_name

PLACEHOLDER: Final = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
RESUME_FROM: Final = "--resume-from"
PYTHONS: Final = ("python", "python3")
_HIDDEN: Final = re.compile(r"\0(\d+)\0")
_SEARCH: Final = "search_space."
# A word, a string in single or double quotes, an escaped character, or any other one.
_TOKEN: Final = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|.""", re.DOTALL)
_SHELL_SIGN: Final = re.compile(r"&&|\|\||[;|&<>()`\n]|\$[A-Za-z_({]|(?<!\S)#")
_EXPANSION: Final = re.compile(r"`|\$[A-Za-z_({]")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PLAIN_WORD: Final = re.compile(r"(?:[\w@%+=:,./-]|\$\{\{[^{}]*\}\})+")


def format_value(value: Any) -> str:
    """Write one value the way a script receives it.

    >>> [format_value(value) for value in (16, 0.1, 1e-05, True, "a b", [1, {"k": None}])]
    ['16', '0.1', '1e-05', 'True', 'a b', '[1, {"k": null}]']
    """
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


def resume_words(folder: str) -> list[str]:
    """Return what follows all other arguments of a run that goes on from an earlier one."""
    return [RESUME_FROM, folder]


def without_resume_from(words: Sequence[str]) -> list[str]:
    """Return the arguments without those of `resume_words`.

    >>> without_resume_from(["--lr", "0.1", "--resume-from", "/data"])
    ['--lr', '0.1']
    """
    return list(words[:-2] if list(words[-2:-1]) == [RESUME_FROM] else words)


def command_words(command: str, params: Mapping[str, Any], python: str) -> list[str]:
    """Return the words of a command with its placeholders filled; each value stays one word."""
    words = [
        PLACEHOLDER.sub(lambda match: format_value(params[match[1][len(_SEARCH) :]]), word)
        for word in split_command(command)
    ]
    return [python, *words[1:]] if words[0] in PYTHONS else words


def split_command(command: str) -> list[str]:
    """Split a command as a shell would; white space inside a placeholder does not split.

    Raises:
        ValueError: a quote is not closed.
    """
    # Out of sight of the splitting: what stands inside may have spaces or quotes.
    joined = _one_line(command).replace("\0", "")
    inner = PLACEHOLDER.findall(joined)
    places = iter(range(len(inner)))
    hidden = PLACEHOLDER.sub(lambda match: f"\0{next(places)}\0", joined)
    return [
        _HIDDEN.sub(lambda match: f"${{{{{inner[int(match[1])]}}}}}", word)
        for word in shlex.split(hidden)
    ]


def used_names(command: str) -> list[str]:
    """Return the hyperparameters that a command uses."""
    found = PLACEHOLDER.findall(command)
    return [inner.removeprefix(_SEARCH) for inner in found if inner.startswith(_SEARCH)]


def fill_words(command: str, fill: Callable[[str], str | None]) -> str:
    """Return the command with some placeholders replaced; a value stays one word, however odd.

    `fill` gets what stands inside a placeholder; None leaves it.

    Raises:
        ValueError: a quote is not closed.
    """

    def replace(match: re.Match[str]) -> str:
        value = fill(match[1])
        return match[0] if value is None else value

    words = [PLACEHOLDER.sub(replace, word) for word in split_command(command)]
    return " ".join(word if _PLAIN_WORD.fullmatch(word) else shlex.quote(word) for word in words)


def check_command(command: str, names: Sequence[str] | None) -> list[Problem]:
    """Return what is wrong with a command; `names` None: the search space is wrong already."""
    try:
        words = split_command(command)
    except ValueError as error:
        return [_problem(f"command is {brief(command)}; {str(error).lower()}.")]
    if not words or not words[0]:
        return [_problem("command is empty; write what is to be run.")]
    return [*_check_shell(command, words), *_check_placeholders(command, names)]


def environment_of(params: Mapping[str, Any]) -> dict[str, str]:
    """Return AZUREML_SWEEP_<name> for each value."""
    return {variable_name(name): format_value(value) for name, value in params.items()}


def _check_shell(command: str, words: Sequence[str]) -> list[Problem]:
    signs = list(dict.fromkeys(_shell_signs(command)))
    problems = []
    if signs:
        shown = ", ".join("a line break" if sign == "\n" else sign for sign in signs)
        text = f"command has {shown}, but no shell runs it; put such steps into a script."
        problems.append(_problem(text))
    if _ASSIGNMENT.match(words[0]):
        text = f"command begins with {brief(words[0])}; set variables in environment instead."
        problems.append(_problem(text))
    return problems


def _check_placeholders(command: str, names: Sequence[str] | None) -> list[Problem]:
    found = PLACEHOLDER.findall(command)
    if not found:
        text = (
            f"command is {brief(command)} and uses no hyperparameter, so every run would be the "
            "same; write ${{search_space.<name>}} where a value belongs."
        )
        return [_problem(text)]
    problems = []
    for inner in dict.fromkeys(found):
        name = inner.removeprefix(_SEARCH)
        if not inner.startswith(_SEARCH):
            text = f"command has ${{{{{inner}}}}}; only ${{{{search_space.<name>}}}} is known here."
            problems.append(_problem(text))
        elif names is not None and name not in names:
            text = f"command uses {brief(name)}, which search_space lacks; it has "
            problems.append(_problem(f"{text}{', '.join(names)}."))
    return problems


def _shell_signs(command: str) -> list[str]:
    """Return the signs that only a shell gives a meaning, outside of quotes."""
    bare, found = [], []
    for token in _TOKEN.findall(PLACEHOLDER.sub("x", _one_line(command))):
        bare.append(token if len(token) == 1 else ".")
        if token.startswith('"'):
            found += _EXPANSION.findall(token)
    return _SHELL_SIGN.findall("".join(bare)) + found


def _one_line(command: str) -> str:
    return re.sub(r"\\\r?\n", " ", command).strip()


def _problem(text: str) -> Problem:
    return Problem("command", text)
