"""What a table of runs can show, filter and sort by: the columns of one sweep and their names.

Pure: knows neither rows nor addresses nor how a value is written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from experiments.readings import BEST, Reading


class Kind(StrEnum):
    """What the values of a column are: decides operators, order and looks."""

    NUMBER = "number"
    COUNT = "count"
    SIZE = "size"
    DURATION = "duration"
    TIME = "time"
    TEXT = "text"
    WORD = "word"  # one of few words
    STATE = "state"
    VALUE = "value"  # a hyperparameter: number, text, truth value or list
    MARK = "mark"  # a tag or a property: text that may be missing
    MARKS = "marks"  # all tags, all properties
    CURVE = "curve"  # only to look at


class Source(StrEnum):
    """Where the values of a column come from; also the prefix of its full name."""

    RUN = "run"
    PARAMS = "params"
    METRICS = "metrics"
    TAGS = "tags"
    PROPERTIES = "properties"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `key` stands in addresses and filters; `name` is the field, or the name within
    `source`; `part` of a metric is last_value, minimum or maximum, of `best` its reading."""

    key: str
    label: str
    kind: Kind
    source: Source = Source.RUN
    name: str = ""
    part: str = ""
    hint: str = ""
    # Values that can be offered: the options of a choice, the words of a kind.
    options: tuple[str, ...] = ()

    @property
    def is_sortable(self) -> bool:
        """Whether rows can be put in the order of its values."""
        return self.kind not in {Kind.CURVE, Kind.MARKS}

    @property
    def is_filterable(self) -> bool:
        """Whether conditions can be put on its values."""
        return self.kind != Kind.CURVE


RUN_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "origin": ("sampler", "retry", "hand", "resumed"),
    "end_reason": (
        "finished",
        "policy",
        "user",
        "sweep_canceled",
        "run_timeout",
        "sweep_timeout",
        "nonzero_exit",
        "worker_lost",
        "preempted",
        "bad_command",
    ),
}
# Key, label, kind, field of a run, what it is.
_RUN_COLUMNS: Final[tuple[tuple[str, str, Kind, str, str], ...]] = (
    ("number", "Run", Kind.COUNT, "number", "number of the run"),
    ("state", "Status", Kind.STATE, "state", "what the run does, or how it ended"),
    ("best", "", Kind.NUMBER, "best_value", "best value of the primary metric"),
    ("curve", "Curve", Kind.CURVE, "", "the primary metric over its reports"),
    ("best_interval", "Best at", Kind.COUNT, "best_interval", "report with the best value"),
    ("last", "Last value", Kind.NUMBER, "last_value", "last value of the primary metric"),
    ("reports", "Reports", Kind.COUNT, "reports", "reports of the primary metric"),
    ("duration", "Duration", Kind.DURATION, "duration", "from start to end, or until now"),
    ("waited", "Waited", Kind.DURATION, "waited", "from creation to start, or until now"),
    ("created", "Created", Kind.TIME, "created_at", "when it was created"),
    ("started", "Started", Kind.TIME, "started_at", "when its process started"),
    ("ended", "Ended", Kind.TIME, "ended_at", "when it ended"),
    ("tags", "Tags", Kind.MARKS, "tags", "all its tags"),
    ("properties", "Properties", Kind.MARKS, "properties", "all its properties"),
    ("worker", "Worker", Kind.TEXT, "worker_name", "worker that runs it"),
    ("host", "Host", Kind.TEXT, "host", "machine that runs it"),
    ("outputs", "Outputs", Kind.SIZE, "output_bytes", "size of what it left behind, in bytes"),
    ("exit_code", "Exit code", Kind.COUNT, "exit_code", "exit code of the script"),
    ("retry_of", "Repeats", Kind.COUNT, "retry_of__number", "number of the run it repeats"),
    ("origin", "Chosen by", Kind.WORD, "origin", "who chose its values"),
    ("end_reason", "End", Kind.WORD, "end_reason", "why it ended, as one word"),
    ("note", "Why these values", Kind.TEXT, "note", "what the sampler said"),
    ("id", "Id", Kind.TEXT, "public_id", "id of the run"),
    ("reason", "Why it ended", Kind.TEXT, "reason", "the sentence about its end"),
)
_ALIASES: Final = {
    "run": "number",
    "status": "state",
    "metric": "best",
    "interval": "best_interval",
    "tag": "tags",
    "property": "properties",
    "retries": "retry_of",
}
_PREFIXES: Final = {
    "params": Source.PARAMS,
    "param": Source.PARAMS,
    "metrics": Source.METRICS,
    "metric": Source.METRICS,
    "tags": Source.TAGS,
    "tag": Source.TAGS,
    "properties": Source.PROPERTIES,
    "property": Source.PROPERTIES,
}
# Suffix of a metric's key, field of its series, how the label goes on.
_METRIC_PARTS: Final = (
    ("", "last_value", " (last)"),
    (".min", "minimum", " (min)"),
    (".max", "maximum", " (max)"),
)
_FIRST: Final = ("number", "state", "best", "curve")
_LAST: Final = ("reports", "duration", "reason")


@dataclass(frozen=True, slots=True)
class Names:
    """What the columns of a sweep are made of; `options` are those of choices, by parameter.

    `reading` says which value of a run the column of the primary metric has.
    """

    metric: str
    goal: str
    params: Sequence[str]
    metrics: Sequence[str] = ()
    tags: Sequence[str] = ()
    properties: Sequence[str] = ()
    options: Mapping[str, tuple[str, ...]] | None = None
    reading: Reading = BEST


class Columns:
    """The columns of one sweep, found by any of their names."""

    def __init__(self, names: Names) -> None:
        self.metric = names.metric
        self._all: dict[str, Column] = {}
        self._names: dict[str, str] = dict(_ALIASES)
        self._full: dict[tuple[Source, str], Column] = {}
        arrow = "↑" if names.goal == "maximize" else "↓"
        for key, label, kind, field, hint in _RUN_COLUMNS:
            value = f"{_isolated(names.metric)} {arrow} {names.reading.label}"
            shown = value if key == "best" else label
            if key == "best":
                hint = f"{names.reading.phrase} of the primary metric"
            words = RUN_WORDS.get(key, ())
            part = names.reading.kind if key == "best" else ""
            self._add(Column(key, shown, kind, name=field, part=part, hint=hint, options=words))
        for column in _named_columns(names, taken={*self._all, *_ALIASES}):
            self._add(column)
        for column in self:
            # Some scripts name their arguments with the dashes.
            self._names.setdefault(column.key.lstrip("-") or column.key, column.key)
        # A parameter of this name comes first: then the metric is `best`.
        if names.metric not in self._all:
            self._names.setdefault(names.metric, "best")

    def __iter__(self) -> Iterator[Column]:
        return iter(self._all.values())

    def __getitem__(self, key: str) -> Column:
        return self._all[key]

    def find(self, name: str) -> Column | None:
        """Return the column of a name: key, alias, full name (`params.lr`, `tags.team`), or the
        initials of one hyperparameter (`lr` of `learning_rate`)."""
        key = self._names.get(name, name)
        if key in self._all:
            return self._all[key]
        prefix, dot, rest = name.partition(".")
        source = _PREFIXES.get(prefix.lower())
        if dot and source is not None:
            return self._by_full_name(source, rest)
        folded = name.lower()
        found = [c for key, c in self._all.items() if key.lower() == folded]
        found = found or [c for c in self if c.source == Source.PARAMS and _initials(c) == folded]
        return found[0] if len(found) == 1 else None

    def near(self, name: str) -> list[str]:
        """Return keys that somebody who wrote `name` may have meant, best first."""
        keys = [c.key for c in self if c.is_filterable] + [self.metric]
        folded = {key.lower(): key for key in keys}
        close = get_close_matches(name.lower(), list(folded), n=3, cutoff=0.6)
        return [folded[key] for key in close]

    def chosen(self, keys: Iterable[str]) -> list[Column]:
        """Return the columns of these names in this order, each once; others are passed over."""
        found = [column for key in keys if (column := self.find(key)) is not None]
        return list(dict.fromkeys(found))

    def telling(self) -> list[str]:
        """Return the keys to filter by, those of this sweep before those that every run has."""
        own = [c.key for c in self if c.source != Source.RUN]
        return [*own, *(c.key for c in self if c.source == Source.RUN and c.is_filterable)]

    def usual(self) -> list[Column]:
        """Return the columns that are shown as long as nobody chose any."""
        params = [c for c in self if c.source == Source.PARAMS]
        has_tags = any(c.source == Source.TAGS for c in self)
        marks = [self["tags"]] if has_tags else []
        first, last = ([self[key] for key in keys] for keys in (_FIRST, _LAST))
        return [*first, *params, *marks, *last]

    def _add(self, column: Column) -> None:
        self._all[column.key] = column
        if column.source != Source.RUN:
            self._full.setdefault((column.source, column.name + _suffix(column)), column)

    def _by_full_name(self, source: Source, name: str) -> Column | None:
        if (source, name) in self._full:
            return self._full[source, name]
        if source == Source.METRICS and name == self.metric:
            return self._all["best"]
        if source in {Source.TAGS, Source.PROPERTIES} and name:
            # Marks that no run has yet can be asked for all the same.
            return _mark(source, name)
        return None


def _isolated(name: str) -> str:
    """Return a name that leaves the order of the words around it alone, whichever way it reads."""
    is_rtl = any(unicodedata.bidirectional(char) in ("R", "AL") for char in name)
    return f"\u2068{name}\u2069" if is_rtl else name


def _initials(column: Column) -> str:
    words = column.name.lower().replace("-", "_").split("_")
    return "".join(word[:1] for word in words) if len(words) > 1 else ""


def _suffix(column: Column) -> str:
    return next((s for s, part, _ in _METRIC_PARTS if part == column.part), "")


def _named_columns(names: Names, *, taken: set[str]) -> Iterator[Column]:
    """Yield the columns whose names people chose; a short key only where it is free."""
    used = set(taken)
    options = names.options or {}

    def key_of(source: Source, name: str) -> str:
        prefix, dot, _ = name.partition(".")
        # A name like "tags.team" would be taken for the tag.
        is_plain = name not in used and not (dot and prefix.lower() in _PREFIXES)
        key = name if is_plain else f"{source}.{name}"
        used.add(key)
        return key

    for name in names.params:
        key = key_of(Source.PARAMS, name)
        given = options.get(name, ())
        hint = "hyperparameter"
        yield Column(key, name, Kind.VALUE, Source.PARAMS, name, hint=hint, options=given)
    for name in names.metrics:
        for suffix, part, words in _METRIC_PARTS:
            if name == names.metric and not suffix:
                continue  # that is `last`, and `best` goes by the name of the metric
            key = key_of(Source.METRICS, f"{name}{suffix}")
            hint = {"": "last value", ".min": "smallest value", ".max": "largest value"}[suffix]
            yield Column(key, f"{name}{words}", Kind.NUMBER, Source.METRICS, name, part, hint)
    for source, marks in ((Source.TAGS, names.tags), (Source.PROPERTIES, names.properties)):
        for name in marks:
            yield _mark(source, name)


def _mark(source: Source, name: str) -> Column:
    hint = "tag" if source == Source.TAGS else "property"
    return Column(f"{source}.{name}", name, Kind.MARK, source, name, hint=hint)
