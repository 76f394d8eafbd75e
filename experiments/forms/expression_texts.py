"""Reads an expression in any of its notations without judging it, so that the form can show it.

Pure. `loguniform(-6, -1)`, `{type: loguniform, min_value: -6, max_value: -1}` and
`["loguniform", [-6, -1]]` are the same; a wrong one gives as many fields as can be made out.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.forms.codecs import expand_range

_SYNONYMS = {"low": "min_value", "high": "max_value", "options": "values"}
Fields = Mapping[str, tuple[str, ...]]


def read_expression(value: object, fields: Fields) -> tuple[str, dict[str, Any]]:
    """Return the type and the arguments by field name; `fields` names those of each type."""
    if isinstance(value, Mapping):
        kind = str(value.get("type", "uniform"))
        return kind, _named({str(k): v for k, v in value.items() if k != "type"})
    if isinstance(value, str):
        return _read_call(value, fields)
    if isinstance(value, Sequence) and value and isinstance(value[0], str):
        given = value[1] if len(value) > 1 else []
        positional = given if isinstance(given, list) else [given]
        return value[0], _by_name(value[0], positional, {}, fields)
    return "choice", {"values": [value]}


def _read_call(text: str, fields: Fields) -> tuple[str, dict[str, Any]]:
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "choice", {"values": [text]}
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return "choice", {"values": [text]}
    positional = [_literal(argument) for argument in node.args]
    named = _named({k.arg: _literal(k.value) for k in node.keywords if k.arg})
    return node.func.id, _by_name(node.func.id, positional, named, fields)


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        expanded = expand_range([_literal(argument) for argument in node.args])
        if expanded is not None:
            return expanded
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return ast.unparse(node)


def _named(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {_SYNONYMS.get(key, key): value for key, value in arguments.items()}


def _by_name(
    kind: str, positional: list[Any], named: dict[str, Any], fields: Fields
) -> dict[str, Any]:
    if kind == "choice":
        is_one_list = len(positional) == 1 and isinstance(positional[0], list)
        values = positional[0] if is_one_list else positional
        return {"values": values, **named}
    return dict(zip(fields.get(kind, ()), positional, strict=False)) | named
