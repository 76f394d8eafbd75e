"""YAML text to plain values: numbers as in YAML 1.2, no duplicate keys, no aliases.

`1e-5` is a number, `no` and `on` are words, dates stay text. JSON is read by the same loader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, NoReturn

import yaml
from yaml.constructor import ConstructorError
from yaml.reader import ReaderError

from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief

_TAG: Final = "tag:yaml.org,2002:"
_BOOL, _INT, _FLOAT, _NULL = (f"{_TAG}{kind}" for kind in ("bool", "int", "float", "null"))
# Line breaks of YAML 1.1 that are ordinary characters elsewhere.
_LINE_BREAK: Final = re.compile("[\x85\u2028\u2029]")
# Reading takes seconds for each million characters.
MAX_CHARACTERS: Final = 300_000
# Deeper, PyYAML takes seconds to run out of stack.
_MAX_DEPTH: Final = 60


class _Loader(yaml.SafeLoader):
    """SafeLoader of the core schema alone: no dates, no binary data, no tags of one's own."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    yaml_constructors: ClassVar[dict[str | None, Any]] = {}
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # stubs lack it
        # A few aliases of aliases can stand for gigabytes; nothing here needs them.
        if self.check_event(yaml.AliasEvent):
            raise ConstructorError(None, None, "aliases (*name) are not supported", mark)
        if self.depth > _MAX_DEPTH:
            raise ConstructorError(None, None, f"nested more than {_MAX_DEPTH} levels deep", mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _construct_mapping(loader: _Loader, node: yaml.Node) -> dict[Any, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise ConstructorError(None, None, "a mapping is expected here", node.start_mark)
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            text = "a key must be a word or a number"
            raise ConstructorError(None, None, text, key_node.start_mark)
        key = loader.construct_object(key_node, deep=True)
        if key in mapping:
            raise ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


def _construct_list(loader: _Loader, node: yaml.Node) -> list[Any]:
    return loader.construct_sequence(node, deep=True)  # type: ignore[arg-type]  # it checks


def _construct_scalar(loader: _Loader, node: yaml.Node) -> Any:
    text = str(loader.construct_scalar(node))  # type: ignore[arg-type]  # it checks
    pattern, _, convert = _SCHEMA[node.tag]
    # Not only what was resolved comes here, also what was tagged: !!int x.
    if not re.fullmatch(pattern, text):
        problem = f"{text!r} is no {node.tag.removeprefix(_TAG)}"
        raise ConstructorError(None, None, problem, node.start_mark)
    try:
        return convert(text)
    except ValueError as error:
        problem = f"the number has {len(text)} digits, which is too many"
        raise ConstructorError(None, None, problem, node.start_mark) from error


def _to_int(text: str) -> int:
    return int(text, 0 if text[:2] in ("0x", "0o") else 10)


def _to_float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


# The core schema of YAML 1.2: pattern, characters it begins with ("": it may be empty), meaning.
_SCHEMA: Final[dict[str, tuple[str, Sequence[str], Callable[[str], Any]]]] = {
    _BOOL: (r"true|True|TRUE|false|False|FALSE", "tTfF", lambda text: text.lower() == "true"),
    _INT: (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789", _to_int),
    _FLOAT: (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
        _to_float,
    ),
    _NULL: (r"~|null|Null|NULL|", ("~", "n", "N", ""), lambda text: None),
}
_CONSTRUCTORS: Final[dict[str | None, Any]] = {
    f"{_TAG}map": _construct_mapping,
    f"{_TAG}seq": _construct_list,
    f"{_TAG}str": _Loader.construct_scalar,
    None: _Loader.construct_undefined,
    **dict.fromkeys(_SCHEMA, _construct_scalar),
}
_Loader.yaml_constructors = _CONSTRUCTORS
for _tag, (_pattern, _first, _) in _SCHEMA.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"(?:{_pattern})\\Z"), list(_first))


def load_yaml(text: str) -> Any:
    """Return the value of one YAML (or JSON) document.

    Raises:
        yaml.YAMLError: it cannot be read; most carry the place in `problem_mark`.
    """
    if len(text) > MAX_CHARACTERS:
        raise yaml.YAMLError(f"the text has {len(text)} characters; use at most {MAX_CHARACTERS}")
    if text.lstrip()[:1] == "{":
        # Nearly all JSON is YAML, but not what is indented by tabs.
        try:
            return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
        except (ValueError, RecursionError):
            pass  # read as YAML, which says what is wrong and where
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from SafeLoader
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        mark = yaml.Mark("", error.position, line, column, text, error.position)
        problem = f"the character U+{ord(text[error.position]):04X} is not allowed"
        raise ConstructorError(None, None, problem, mark) from error


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
    except yaml.YAMLError as error:
        raise ProblemsError([Problem("", f"This is not YAML: {error}.")]) from error
    if not isinstance(value, dict):
        found = "empty" if value is None else brief(value)
        text = f"The specification is {found}; it must be a mapping of keys to values."
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
    if _LINE_BREAK.search(value):
        style = '"'  # in any other style they are read back as spaces
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
