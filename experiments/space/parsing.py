"""Read a parameter expression from any of its three forms: text, mapping (v2), nested list (v1).

Text is parsed as Python literals, never evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from experiments.problems import Problem, ProblemsError
from experiments.space import EXPRESSIONS, load_expression
from experiments.space.base import Expression
from experiments.space.discrete import MAX_OPTIONS
from experiments.space.literals import brief

_SYNONYMS: Final = {"low": "min_value", "high": "max_value", "options": "values"}
_EXAMPLE: Final = "write for example uniform(0.1, 0.9), choice(16, 32) or {type: uniform, ...}"


def parse_expression(raw: Any, path: str) -> Expression:
    """Return the expression that `raw` describes.

    >>> for raw in ("uniform(0.1, 1)", {"type": "uniform", "low": 0.1, "high": 1}):
    ...     print(parse_expression(raw, "search_space.lr").to_wire())
    ['uniform', [0.1, 1]]
    ['uniform', [0.1, 1]]

    Raises:
        ProblemsError: with every problem, each below `path`.
    """
    if isinstance(raw, Expression):
        return raw
    name, arguments = _read(raw, path)
    kind = load_expression(name)
    problems = _unknown_arguments(kind, arguments, path)
    problems += kind.check(arguments, path)
    if problems:
        raise ProblemsError(problems)
    return kind.build(arguments)


def _read(raw: Any, path: str) -> tuple[str, dict[str, Any]]:
    if isinstance(raw, str):
        return _read_text(raw, path)
    if isinstance(raw, Mapping):
        return _read_mapping(raw, path)
    if isinstance(raw, list | tuple):
        return _read_wire(raw, path)
    raise _wrong(path, f"{brief(raw)} is no parameter expression; {_EXAMPLE}.")


def _read_text(raw: str, path: str) -> tuple[str, dict[str, Any]]:
    try:
        node = ast.parse(raw.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _wrong(path, f"{brief(raw)} is no parameter expression; {_EXAMPLE}.") from None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise _wrong(path, f"{brief(raw)} is no parameter expression; {_EXAMPLE}.")
    name = _known_name(node.func.id, path)
    try:
        positional = [_literal_of(argument) for argument in node.args]
        named = {k.arg or "**": _literal_of(k.value) for k in node.keywords}
    except (ValueError, TypeError, RecursionError, MemoryError):
        text = (
            f"{brief(raw)} has an argument that is no plain value; "
            "use numbers, text in quotes or lists."
        )
        raise _wrong(path, text) from None
    return name, _named(name, positional, named, path)


def _literal_of(node: ast.expr) -> Any:
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "range"
        and not node.keywords
    ):
        return range(*(ast.literal_eval(argument) for argument in node.args))
    return ast.literal_eval(node)


def _read_mapping(raw: Mapping[Any, Any], path: str) -> tuple[str, dict[str, Any]]:
    if "type" not in raw:
        text = f"The expression has no type; use one of {', '.join(EXPRESSIONS)}."
        raise _wrong(f"{path}.type", text)
    name = _known_name(raw["type"], f"{path}.type")
    named = {str(key): value for key, value in raw.items() if key != "type"}
    return name, _named(name, [], named, path)


def _read_wire(raw: list[Any] | tuple[Any, ...], path: str) -> tuple[str, dict[str, Any]]:
    if len(raw) != 2 or not isinstance(raw[1], list | tuple):
        text = (
            f'{brief(raw)} is no parameter expression; a list looks like ["uniform", [0.1, 0.9]].'
        )
        raise _wrong(path, text)
    name = _known_name(raw[0], path)
    positional = list(raw[1])
    if name == "choice" and not (len(positional) == 1 and isinstance(positional[0], list | tuple)):
        text = (
            f'{brief(raw)} is no choice; its values stand in a second list: ["choice", [[16, 32]]].'
        )
        raise _wrong(path, text)
    return name, _named(name, positional, {}, path)


def _known_name(name: Any, path: str) -> str:
    # The classes of the v2 SDK are written Uniform(...), LogUniform(...).
    if isinstance(name, str) and name.lower() in EXPRESSIONS:
        return name.lower()
    close = get_close_matches(str(name).lower(), EXPRESSIONS, n=1)
    advice = f"Did you mean {close[0]}?" if close else f"Use one of {', '.join(EXPRESSIONS)}."
    shown = name if isinstance(name, str) and name.isidentifier() else brief(name)
    raise _wrong(path, f"{shown} is no parameter expression. {advice}")


def _named(name: str, positional: list[Any], named: dict[str, Any], path: str) -> dict[str, Any]:
    arguments = _without_synonyms(name, named, path)
    if name == "choice":
        if not positional and not arguments:
            raise _wrong(path, "choice has no values; give at least one.")
        if isinstance(arguments.get("values"), range):
            arguments["values"] = _expand(arguments["values"], path)
        positional = [_options(positional, path)] if positional else []
    wanted = [field.name for field in load_expression(name).fields]
    if len(positional) > len(wanted):
        text = (
            f"{name} has {len(positional)} arguments; it takes {len(wanted)}: {', '.join(wanted)}."
        )
        raise _wrong(path, text)
    for key, value in zip(wanted, positional, strict=False):
        if key in arguments:
            raise _twice(name, key, path)
        arguments[key] = value
    return arguments


def _without_synonyms(name: str, named: Mapping[str, Any], path: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for written, value in named.items():
        key = _SYNONYMS.get(written, written)
        if key in arguments:
            raise _twice(name, key, path)
        arguments[key] = value
    return arguments


def _twice(name: str, key: str, path: str) -> ProblemsError:
    return _wrong(f"{path}.{key}", f"{name} {key} is given twice; remove one.")


def _options(positional: list[Any], path: str) -> list[Any]:
    # A list or range must be the only argument and is unpacked; a tuple is one option.
    if len(positional) == 1 and isinstance(positional[0], range):
        return _expand(positional[0], path)
    if len(positional) == 1 and isinstance(positional[0], list):
        return positional[0]
    if len(positional) == 1 and isinstance(positional[0], tuple):
        return [list(positional[0])]
    for value in positional:
        if isinstance(value, list | range):
            text = (
                f"choice has a list beside other values ({brief(value)}); "
                "a list must be the only argument."
            )
            raise _wrong(path, text)
    return [list(value) if isinstance(value, tuple) else value for value in positional]


def _expand(values: range, path: str) -> list[int]:
    # len() of a range fails where it is longer than an index.
    if values[MAX_OPTIONS:]:
        text = f"{brief(values)} has more than the {MAX_OPTIONS} values that a choice can list"
        raise _wrong(path, f"{text}; use randint or quniform.")
    return list(values)


def _unknown_arguments(
    kind: type[Expression], arguments: Mapping[str, Any], path: str
) -> list[Problem]:
    known = [field.name for field in kind.fields]
    problems = []
    for key in arguments:
        if key not in known:
            close = get_close_matches(key.lower(), known, n=1)
            advice = f"Did you mean {close[0]}?" if close else f"It takes {', '.join(known)}."
            text = f"{kind.name} has no argument {brief(key)}. {advice}"
            problems.append(Problem(f"{path}.{key}", text))
    return problems


def _wrong(path: str, message: str) -> ProblemsError:
    return ProblemsError([Problem(path, message)])
