"""The search language of MLflow clients: `metrics.loss < 0.1 and params.lr = '0.01'`.

Text in, conditions out; all of them must hold. Pure: experiments/queries/mlflow_search.py makes
queries of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

Literal: TypeAlias = float | str

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<text>'(?:[^']|'')*'|"(?:[^"])*")
    | (?P<name>[A-Za-z_]\w*(?:\.(?:`[^`]+`|"[^"]+"|[\w.\-/ ]*[\w\-/]))?|`[^`]+`)
    | (?P<sign><=|>=|!=|<>|==|=|<|>)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
_WORDS: Final = frozenset({"AND", "OR", "LIKE", "ILIKE", "IN", "NOT", "IS", "NULL", "ASC", "DESC"})
_SPACED: Final = re.compile(r"\s(?i:and|or|like|ilike|in|not|is|asc|desc)(?=\s|$|\()")
_KINDS: Final = {
    "metric": "metrics", "metrics": "metrics",
    "param": "params", "params": "params", "parameter": "params", "parameters": "params",
    "tag": "tags", "tags": "tags",
    "attribute": "attributes", "attributes": "attributes", "attr": "attributes",
    "run": "attributes",
}  # fmt: skip
NUMERIC: Final = frozenset({"start_time", "end_time"})
TEXTUAL: Final = frozenset({"run_id", "run_name", "status", "user_id"})
_ALIASES: Final = {
    "run name": "run_name", "Run name": "run_name", "Run Name": "run_name", "run_uuid": "run_id",
    "created": "start_time", "Created": "start_time", "user": "user_id", "run id": "run_id",
    "start time": "start_time", "Start Time": "start_time",
}  # fmt: skip
_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_MOST: Final = 6000


class FilterError(ValueError):
    """What is wrong with a filter or an order, with the part it is about."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `kind` is metrics, params, tags or attributes; `test` a comparison sign, LIKE,
    ILIKE, IN, NOT IN, NULL or NOT NULL."""

    kind: str
    key: str
    test: str
    values: tuple[Literal, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order."""

    kind: str
    key: str
    descending: bool


def parse_terms(text: str) -> list[Term]:
    """Read a filter; an empty one has no term.

    Raises:
        FilterError: it cannot be read.
    """
    reader = _Reader(text)
    terms: list[Term] = []
    while reader.more:
        if terms and reader.take() != ("word", "AND"):
            raise FilterError(f"'{text}': conditions are joined by AND alone.")
        terms.append(_term(reader))
    return terms


def parse_order(text: str) -> Order:
    """Read one entry of an order, such as `metrics.loss DESC`.

    Raises:
        FilterError: it cannot be read.
    """
    stripped = text.strip()
    plain = re.sub(r"\s+(?i:asc|desc)$", "", stripped)
    reader = _Reader(plain)
    kind, key = _name_of(reader)
    if reader.more:
        raise FilterError(f"'{text}' is no order; write one such as metrics.loss DESC.")
    return Order(kind, key, descending=stripped.lower().endswith(" desc"))


class _Reader:
    """The tokens of a text, one after the other."""

    def __init__(self, text: str) -> None:
        if len(text) > _MOST:
            raise FilterError(f"The filter has {len(text)} characters; at most {_MOST}.")
        self.text = text
        self._tokens = list(_tokens(text))
        self._at = 0

    @property
    def more(self) -> bool:
        """Whether there is another token."""
        return self._at < len(self._tokens)

    def peek(self) -> tuple[str, str]:
        """Return the next token; ("end", "") behind the last one."""
        return self._tokens[self._at] if self.more else ("end", "")

    def take(self) -> tuple[str, str]:
        """Return the next token and move on."""
        token = self.peek()
        self._at += 1
        return token


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError(f"'{text}' cannot be read from '{text[at:].strip()[:40]}' on.")
        kind, value = str(match.lastgroup), match[str(match.lastgroup)]
        at = match.end()
        if kind == "name":
            # A name without quotes may hold blanks only where no word of the language follows.
            cut = _SPACED.search(value)
            if cut and "`" not in value and '"' not in value:
                at -= len(value) - cut.start()
                value = value[: cut.start()]
            if value.upper() in _WORDS:
                kind, value = "word", value.upper()
        found.append((kind, value))
    return found


def _name_of(reader: _Reader) -> tuple[str, str]:
    kind, value = reader.take()
    if kind != "name":
        raise FilterError(
            f"'{reader.text}': '{value}' is no name; use metrics.x, params.x, tags.x or an "
            f"attribute ({_attributes()})."
        )
    entity, dot, rest = value.partition(".")
    if not dot:
        return "attributes", _attribute(reader.text, value.strip("`"))
    known = _KINDS.get(entity)
    if known is None:
        raise FilterError(
            f"'{reader.text}': '{entity}' is not known; use metrics, params, tags or attributes."
        )
    key = rest.strip().strip('`"')
    return known, _attribute(reader.text, key) if known == "attributes" else key


def _attribute(text: str, name: str) -> str:
    found = _ALIASES.get(name, name)
    if found not in NUMERIC | TEXTUAL:
        raise FilterError(f"'{text}': there is no attribute '{name}'; use {_attributes()}.")
    return found


def _attributes() -> str:
    return ", ".join(sorted(NUMERIC | TEXTUAL))


def _term(reader: _Reader) -> Term:
    kind, key = _name_of(reader)
    test = _test(reader)
    if test in ("NULL", "NOT NULL"):
        return _checked(reader.text, Term(kind, key, test))
    if test in ("IN", "NOT IN"):
        return _checked(reader.text, Term(kind, key, test, _listed(reader)))
    return _checked(reader.text, Term(kind, key, test, (_value(reader),)))


def _test(reader: _Reader) -> str:
    kind, value = reader.take()
    if kind == "sign":
        return {"==": "=", "<>": "!="}.get(value, value)
    match value:
        case "LIKE" | "ILIKE" | "IN":
            return value
        case "NOT" if reader.take() == ("word", "IN"):
            return "NOT IN"
        case "IS":
            following = reader.take()
            if following == ("word", "NOT"):
                return "NOT NULL" if reader.take() == ("word", "NULL") else _no_test(reader, value)
            if following == ("word", "NULL"):
                return "NULL"
    return _no_test(reader, value)


def _no_test(reader: _Reader, value: str) -> str:
    raise FilterError(
        f"'{reader.text}': '{value}' is no comparison; use =, !=, <, <=, >, >=, LIKE, ILIKE, IN, "
        "NOT IN, IS NULL or IS NOT NULL."
    )


def _value(reader: _Reader) -> Literal:
    kind, value = reader.take()
    if kind == "number":
        return float(value)
    if kind == "text":
        return value[1:-1].replace("''", "'")
    raise FilterError(f"'{reader.text}': '{value}' is no value; use a number or a text in quotes.")


def _listed(reader: _Reader) -> tuple[Literal, ...]:
    values = []
    mark = reader.take()
    while mark in (("mark", "("), ("mark", ",")):
        values.append(_value(reader))
        mark = reader.take()
    if not values or mark != ("mark", ")"):
        raise FilterError(f"'{reader.text}': write a list as ('a', 'b').")
    return tuple(values)


def _checked(text: str, term: Term) -> Term:
    """Refuse values and comparisons that do not fit what is compared."""
    is_number = term.kind == "metrics" or (term.key in NUMERIC and term.kind == "attributes")
    name = term.key if term.kind == "attributes" else f"{term.kind}.{term.key}"
    if is_number and term.test not in _ORDER | {"=", "!=", "NULL", "NOT NULL"}:
        raise FilterError(f"'{text}': {name} is a number, so {term.test} does not fit it.")
    if not is_number and term.test in _ORDER:
        raise FilterError(
            f"'{text}': {name} is a text, so '{term.test}' does not fit it; use =, != or LIKE."
        )
    for value in term.values:
        if isinstance(value, float) != is_number:
            needed = "a number" if is_number else "a text in quotes"
            raise FilterError(f"'{text}': {name} is compared with {needed}, not with {value!r}.")
    return term
