"""YAML text to plain values: numbers as in YAML 1.2, no duplicate keys, no aliases.

`1e-5` is a number, `no` and `on` are words, dates stay text. JSON is read by the same loader.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

import yaml
from yaml.constructor import ConstructorError

from experiments.problems import Problem, ProblemsError

_BOOL: Final = "tag:yaml.org,2002:bool"
_INT: Final = "tag:yaml.org,2002:int"
_FLOAT: Final = "tag:yaml.org,2002:float"
_NULL: Final = "tag:yaml.org,2002:null"
# Reading takes seconds for each million characters.
_MAX_CHARACTERS: Final = 300_000


class _Loader(yaml.SafeLoader):
    """SafeLoader with the YAML 1.2 core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        # A few aliases of aliases can stand for gigabytes; nothing here needs them.
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # stubs lack it
            raise ConstructorError(None, None, "aliases (*name) are not supported", mark)
        return super().compose_node(parent, index)


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, list | dict | set):
            text = "a key must be a word or a number"
            raise ConstructorError(None, None, text, key_node.start_mark)
        if key in mapping:
            raise ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


def _construct_int(loader: _Loader, node: yaml.ScalarNode) -> int:
    return int(str(loader.construct_scalar(node)), 0 if node.value[:2] in ("0x", "0o") else 10)


def _construct_float(loader: _Loader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_Loader.add_constructor(_INT, _construct_int)
_Loader.add_constructor(_FLOAT, _construct_float)
for _tag, _pattern, _first in (
    (_BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (_INT, r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        _FLOAT,
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
    (_NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))


def load_yaml(text: str) -> Any:
    """Return the value of one YAML (or JSON) document.

    Raises:
        yaml.YAMLError: it cannot be read; most carry the place in `problem_mark`.
    """
    if len(text) > _MAX_CHARACTERS:
        raise yaml.YAMLError(f"the text is longer than {_MAX_CHARACTERS} characters")
    if text.lstrip()[:1] == "{":
        # Nearly all JSON is YAML, but not what is indented by tabs.
        try:
            return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
        except (ValueError, RecursionError):
            pass  # read as YAML, which says what is wrong and where
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from SafeLoader


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def read_mapping(text: str) -> dict[Any, Any]:
    """Return the mapping that a YAML text holds.

    Raises:
        ProblemsError: with the line, when it is no YAML or no mapping.
    """
    try:
        value = load_yaml(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ProblemsError([Problem(where, f"This is not YAML: {error.problem}.")]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ProblemsError([Problem("", f"This is not YAML: {error}")]) from error
    if not isinstance(value, dict):
        found = "empty" if value is None else f"a {type(value).__name__}"
        text = f"The specification is {found}; it must be a mapping of names to values."
        raise ProblemsError([Problem("", text)])
    return value


class _Dumper(yaml.SafeDumper):
    """SafeDumper that writes what `_Loader` reads: text that looks like a number is quoted."""

    yaml_implicit_resolvers = {
        first: [*yaml.SafeDumper.yaml_implicit_resolvers.get(first, []), *resolvers]
        for first, resolvers in {
            **{k: [] for k in yaml.SafeDumper.yaml_implicit_resolvers},
            **_Loader.yaml_implicit_resolvers,
        }.items()
    }

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _represent_float(dumper: _Dumper, value: float) -> yaml.ScalarNode:
    # repr() is exact, and a float stays a float: 5.0, 1e-05, .inf.
    text = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(repr(value), repr(value))
    return dumper.represent_scalar(_FLOAT, text)


def _represent_str(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value and value == value.strip(" ") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _represent_list(dumper: _Dumper, value: list[Any]) -> yaml.SequenceNode:
    is_flat = all(not isinstance(item, dict | list) for item in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=is_flat)


_Dumper.add_representer(float, _represent_float)
_Dumper.add_representer(str, _represent_str)
_Dumper.add_representer(list, _represent_list)


def dump_yaml(value: dict[str, Any]) -> str:
    """Write a mapping as YAML in the given order; `load_yaml` gives it back exactly."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
