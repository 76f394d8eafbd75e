"""Texts of form fields and the values they stand for, both ways without loss.

Pure. What cannot be read stays text, so that the specification can say what is wrong with it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

# More values than anybody reads; the specification may say more in YAML.
MAX_RANGE: Final = 10_000
_INTEGER: Final = re.compile(r"[-+]?\d+")
_FLOAT: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_RANGE: Final = re.compile(r"range\s*\(([^()]*)\)")
_PLAIN: Final = re.compile(r"[A-Za-z_][\w./ -]*(?<! )")
_LITERALS: Final[dict[str, Any]] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
}  # fmt: skip
_OPEN: Final = {"[": "]", "{": "}", "(": ")"}
_QUOTES: Final = "\"'"


def parse_number(text: str) -> int | float | str | None:
    """Return the number a field holds; None for an empty field, the text when it is no number."""
    text = text.strip()
    if not text:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def format_number(value: object) -> str:
    """Write a value into a number field exactly: no digit is lost."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | str) else json.dumps(value)


def parse_values(text: str) -> Any:
    """Return the list of a choice from `16, 32`, `adam, "a b"`, `[1, 2]` or `range(1, 5)`."""
    parts = split_values(text)
    if len(parts) == 1 and (match := _RANGE.fullmatch(parts[0])):
        expanded = expand_range([parse_number(bound) for bound in match[1].split(",")])
        if expanded is not None:
            return expanded
    return [_parse_value(part) for part in parts]


def expand_range(bounds: Sequence[object]) -> list[int] | None:
    """Return the numbers of `range(*bounds)`; None when it is none, or too long for a form."""
    whole = [bound for bound in bounds if type(bound) is int]
    if not 1 <= len(whole) == len(bounds) <= 3 or whole[2:] == [0]:
        return None
    numbers = range(*whole)
    return list(numbers) if len(numbers) <= MAX_RANGE else None


def format_values(values: object) -> str:
    """Write the list of a choice; words stand bare where they cannot be taken for anything else."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        return format_number(values)
    return ", ".join(_format_value(value) for value in values)


def split_values(text: str) -> list[str]:
    """Split at the commas that are not inside quotes or brackets; empty parts are left out."""
    parts: list[str] = []
    closing: list[str] = []
    current = quote = ""
    escaped = False
    for char in text:
        if quote:
            quote = "" if char == quote and not escaped else quote
            escaped = char == "\\" and not escaped
        elif char in _QUOTES and (closing or not current.strip()):
            quote = char
        elif char in _OPEN:
            closing.append(_OPEN[char])
        elif closing and char == closing[-1]:
            closing.pop()
        elif char in ",\n" and not closing:
            parts.append(current.strip())
            current = ""
            continue
        current += char
    parts.append(current.strip())
    return [part for part in parts if part]


def parse_words(text: str) -> list[str]:
    """Split arguments as a shell would; an open quote leaves the text as one word."""
    try:
        return shlex.split(text)
    except ValueError:
        return [text]


def format_words(words: object) -> str:
    """Write arguments so that `parse_words` gives them back."""
    if not isinstance(words, Sequence) or isinstance(words, str):
        return format_number(words)
    return shlex.join(format_number(word) for word in words)


def parse_pairs(text: str) -> dict[str, str]:
    """Return what lines of `KEY=value` say; a line without `=` has an empty value."""
    pairs = {}
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.strip():
            key, value = _split_pair(line.strip())
            pairs[key] = _unquote(value.strip())
    return pairs


def format_pairs(pairs: object) -> str:
    """Write one `KEY=value` per line; keys and values that a line cannot hold are quoted."""
    if not isinstance(pairs, Mapping):
        return format_number(pairs)
    return "\n".join(f"{_quote_key(key)}={_quote(value)}" for key, value in pairs.items())


def _parse_value(text: str) -> Any:
    if text in _LITERALS:
        return _LITERALS[text]
    if text[0] in '[{"':
        try:
            return json.loads(text)
        except ValueError:
            return text
    if text[0] == "'" and text[-1] == "'" and len(text) > 1:
        return text[1:-1]
    return parse_number(text)


def _format_value(value: object) -> str:
    is_plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _LITERALS
    return str(value) if is_plain else json.dumps(value, ensure_ascii=False)


def _quote(value: object) -> str:
    text = format_number(value)
    needs_quotes = text != text.strip() or set("\r\n") & set(text) or text[:1] == '"'
    return json.dumps(text) if needs_quotes else text


def _quote_key(key: object) -> str:
    text = _quote(key)
    return json.dumps(text) if "=" in text and text[:1] != '"' else text


def _split_pair(line: str) -> tuple[str, str]:
    if line[:1] == '"':
        try:
            key, end = json.JSONDecoder().raw_decode(line)
        except ValueError:
            end = len(line)
        if line[end:].lstrip()[:1] == "=":
            return str(key), line[end:].lstrip()[1:]
    name, _, value = line.partition("=")
    return name.strip(), value


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] == '"' == text[-1]:
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text
