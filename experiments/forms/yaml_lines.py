"""The line of a YAML text that a path of the specification stands on. Pure."""

from __future__ import annotations

import re
from typing import Final

import yaml

_LINE: Final = re.compile(r"line (\d+)")
_INDEX: Final = re.compile(r"\[(\d+)\]")


def line_of(text: str, path: str) -> int | None:
    """Return the line, from 1; that of the nearest part above where the path itself is missing."""
    if match := _LINE.match(path):
        return int(match[1])
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    line = None
    while node is not None and path:
        node, path, found = _step(node, path)
        line = found or line
    return line


def _step(node: yaml.Node, path: str) -> tuple[yaml.Node | None, str, int | None]:
    """Follow one part of `path`; return the node below, the rest and the line of the part."""
    if isinstance(node, yaml.SequenceNode) and (match := _INDEX.match(path)):
        place = int(match[1])
        if place < len(node.value):
            below = node.value[place]
            return below, path[match.end() :].removeprefix("."), below.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        # Names of parameters may contain dots: the longest key that fits is meant.
        fitting = [(str(key.value), key, below) for key, below in node.value if _fits(key, path)]
        if fitting:
            name, key, below = max(fitting, key=lambda item: len(item[0]))
            return below, path[len(name) :].removeprefix("."), key.start_mark.line + 1
    return None, path, None


def _fits(key: yaml.Node, path: str) -> bool:
    name = str(key.value)
    return path == name or path.startswith((f"{name}.", f"{name}["))
