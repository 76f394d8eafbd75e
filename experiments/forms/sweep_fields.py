"""The texts of the new-sweep form, and their way to the mapping of a specification and back.

Nothing is checked here: what a person typed survives as typed, so that the specification can say
what is wrong and the form can show it again. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from experiments.forms.codecs import (
    format_number,
    format_pairs,
    format_values,
    format_words,
    parse_number,
    parse_pairs,
    parse_values,
    parse_words,
)
from experiments.forms.expression_texts import read_expression
from experiments.forms.real_values import EXPONENTS, as_real, exponent_of, is_real
from experiments.samplers import SAMPLERS, load_sampler
from experiments.samplers.base import SEED
from experiments.space import EXPRESSIONS, load_expression

ROW: Final = re.compile(r"search_space-(\d+)-(\w+)")
# Texts that stand in the specification under their own name.
_TEXTS: Final = ("name", "experiment", "description", "python", "compute", "script", "command")
LIMITS: Final = (
    "max_total_runs",
    "max_concurrent_runs",
    "max_duration_minutes",
    "run_timeout_minutes",
    "max_failed_runs",
)
_PAIRS: Final = ("environment", "tags")
# Fields that are ids, one a line.
IDS: Final = ("resume_from", "resume_child_runs")
# What a specification means that leaves these out; an emptied field is not the same.
_DEFAULTS: Final = {"name": "sweep", "experiment": "default", "compute": "local"}
# What `format_number` writes for a setting that is no number.
_WORDS: Final = {"true": True, "false": False}
_HANDLED: Final = frozenset(
    {*_TEXTS, *LIMITS, *_PAIRS, "arguments", "snapshot", "source_directory", "search_space"}
    | {"sampling", "primary_metric", "early_termination", "resume_from", "resume_child_runs"}
)
# What each expression is made of, in the order of its arguments.
EXPRESSION_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(spec.name for spec in load_expression(name).fields) for name in EXPRESSIONS
}


@dataclass(frozen=True, slots=True)
class SpaceRow:
    """One parameter of the search space as texts; `texts` may hold fields of other types too."""

    name: str = ""
    type: str = "uniform"
    texts: Mapping[str, str] = field(default_factory=dict)

    def expression(self) -> dict[str, Any]:
        """Return the expression as a specification writes it."""
        found: dict[str, Any] = {"type": self.type}
        real = EXPONENTS[self.type] if is_real(self.type, self.texts) else ()
        for key in EXPRESSION_FIELDS.get(self.type, ()):
            text = self.texts.get(key, "")
            value = parse_values(text) if key == "values" else parse_number(text)
            value = exponent_of(value) if key in real else value
            if value is not None:
                found[key] = value
        return found


@dataclass(frozen=True, slots=True)
class SweepFields:
    """Every text of the form; `rows` in the order of the search space."""

    texts: Mapping[str, str]
    rows: tuple[SpaceRow, ...] = ()

    def get(self, name: str) -> str:
        """Return one text, empty when it was not given."""
        return self.texts.get(name, "")

    def expressions(self) -> list[tuple[str, dict[str, Any]]]:
        """Return name and expression of each row, in order."""
        return [(row.name, row.expression()) for row in self.rows]

    def with_texts(self, **texts: str) -> SweepFields:
        """Return a copy with some texts changed."""
        return replace(self, texts={**self.texts, **texts})


def fields_from_post(post: Mapping[str, str]) -> SweepFields:
    """Read the fields of a posted form; rows come in the order of their numbers."""
    rows: dict[int, dict[str, str]] = {}
    texts = {}
    for key in post:
        match = ROW.fullmatch(key)
        value = str(post[key]).replace("\r\n", "\n")
        if match:
            rows.setdefault(int(match[1]), {})[match[2]] = value
        else:
            texts[key] = value
    return SweepFields(
        texts=texts,
        rows=tuple(
            SpaceRow(
                name=row.get("name", "").strip(),
                type=row.get("type", "uniform"),
                texts={k: v for k, v in row.items() if k not in ("name", "type")},
            )
            for _, row in sorted(rows.items())
        ),
    )


def fields_from_raw(raw: Mapping[str, Any]) -> SweepFields:
    """Return the fields that show a specification, in whichever notation it is written."""
    texts = {key: format_number(raw.get(key, _DEFAULTS.get(key))) for key in (*_TEXTS, *LIMITS)}
    texts |= {key: format_pairs(raw.get(key) or {}) for key in _PAIRS}
    texts |= {key: format_ids(raw.get(key)) for key in IDS}
    texts["arguments"] = format_words(raw.get("arguments") or [])
    texts["entry"] = "command" if raw.get("command") else "script"
    texts |= _source_texts(raw) | _sampling_texts(raw.get("sampling"))
    texts |= _metric_texts(raw.get("primary_metric")) | _policy_texts(raw.get("early_termination"))
    carried = {key: value for key, value in raw.items() if key not in _HANDLED and value}
    texts["carried"] = json.dumps(carried) if carried else ""
    space = raw.get("search_space")
    items = space.items() if isinstance(space, Mapping) else ()
    return SweepFields(texts=texts, rows=tuple(_row(str(name), value) for name, value in items))


def raw_from_fields(fields: SweepFields) -> dict[str, Any]:
    """Return the specification that the fields describe; empty optional fields are left out."""
    raw: dict[str, Any] = {key: fields.get(key).strip() for key in ("name", "experiment")}
    raw |= _source_raw(fields)
    entry = "command" if fields.get("entry") == "command" else "script"
    raw[entry] = fields.get(entry).strip()
    raw["arguments"] = parse_words(fields.get("arguments"))
    raw["python"] = fields.get("python").strip()
    raw["environment"] = parse_pairs(fields.get("environment"))
    raw["compute"] = fields.get("compute").strip()
    raw["search_space"] = {row.name: row.expression() for row in fields.rows if row.name}
    raw["sampling"] = _sampling_raw(fields)
    raw["primary_metric"] = {"name": fields.get("metric").strip(), "goal": fields.get("goal")}
    raw["early_termination"] = _policy_raw(fields)
    raw |= {key: parse_number(fields.get(key)) for key in LIMITS}
    raw |= {key: parse_ids(fields.get(key)) for key in IDS}
    raw["tags"] = parse_pairs(fields.get("tags"))
    raw["description"] = fields.get("description").strip()
    optional = {"arguments", "python", "environment", "tags", "description", *LIMITS, *IDS}
    kept = {k: v for k, v in raw.items() if k not in optional or v not in ("", None, [], {})}
    return kept | _carried_raw(fields)


def keep_scales(fields: SweepFields, before: SweepFields) -> SweepFields:
    """Return the fields with real values in the rows that had real values before."""
    known = {row.name: row for row in before.rows if is_real(row.type, row.texts)}
    rows = []
    for row in fields.rows:
        old = known.get(row.name)
        texts = as_real(row.type, row.texts, old.texts) if old and old.type == row.type else None
        rows.append(replace(row, texts=texts) if texts else row)
    return replace(fields, rows=tuple(rows))


def parse_ids(text: str) -> list[str]:
    """Return the ids of a text, one a line or with spaces or commas between them."""
    return text.replace(",", " ").split()


def format_ids(value: object) -> str:
    """Return ids as text, one a line."""
    items = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return "\n".join(format_number(item) for item in items)


def _row(name: str, value: object) -> SpaceRow:
    kind, arguments = read_expression(value, EXPRESSION_FIELDS)
    texts = {
        key: format_values(argument) if key == "values" else format_number(argument)
        for key, argument in arguments.items()
    }
    return SpaceRow(name=name, type=kind, texts=texts)


def _source_texts(raw: Mapping[str, Any]) -> dict[str, str]:
    folder = format_number(raw.get("source_directory"))
    return {
        "code": "snapshot" if raw.get("snapshot") else "folder" if folder else "upload",
        "snapshot": format_number(raw.get("snapshot")),
        "source_directory": folder,
    }


def _source_raw(fields: SweepFields) -> dict[str, Any]:
    source = fields.get("code")
    if source == "snapshot":
        return {"snapshot": fields.get("snapshot").strip()}
    if source == "folder":
        return {"source_directory": fields.get("source_directory").strip()}
    return {}


def _sampling_texts(sampling: object) -> dict[str, str]:
    if not isinstance(sampling, Mapping):
        return {"sampling": format_number(sampling) or "random", "seed": ""}
    kind = format_number(sampling.get("type")) or "random"
    rule = sampling.get("rule")
    return {
        "sampling": "sobol" if kind == "random" and rule == "sobol" else kind,
        "seed": format_number(sampling.get("seed")),
    }


def _sampling_raw(fields: SweepFields) -> Any:
    seed = parse_number(fields.get("seed"))
    kind = fields.get("sampling") or "random"
    # The seed of another method stays in its field, for whoever goes back to that method.
    has_seed = seed is not None and takes_seed(kind)
    return {"type": kind, "seed": seed} if has_seed else kind


def takes_seed(sampling: str) -> bool:
    """Tell whether a sampling method has a seed; of one that nobody knows the studio says so."""
    return sampling not in SAMPLERS or SEED in load_sampler(sampling).fields


def _metric_texts(metric: object) -> dict[str, str]:
    if not isinstance(metric, Mapping):
        return {"metric": format_number(metric), "goal": "maximize"}
    return {
        "metric": format_number(metric.get("name")),
        "goal": format_number(metric.get("goal")) or "maximize",
    }


def _policy_texts(policy: object) -> dict[str, str]:
    if not isinstance(policy, Mapping):
        return {"policy": format_number(policy) or "none"}
    kind = format_number(policy.get("type")) or "none"
    settings = {key: value for key, value in policy.items() if key != "type"}
    return {"policy": kind} | {
        f"policy-{kind}-{key}": format_number(value) for key, value in settings.items()
    }


def _policy_raw(fields: SweepFields) -> Any:
    kind = fields.get("policy") or "none"
    if kind == "none":
        return None
    start = f"policy-{kind}-"
    settings = {
        key.removeprefix(start): _WORDS.get(text.strip(), parse_number(text))
        for key, text in fields.texts.items()
        if key.startswith(start)
    }
    return {"type": kind} | {key: value for key, value in settings.items() if value is not None}


def _carried_raw(fields: SweepFields) -> dict[str, Any]:
    """Return the keys that the form has no field for, as they came."""
    try:
        carried = json.loads(fields.get("carried") or "{}")
    except ValueError:
        return {}
    return (
        {k: v for k, v in carried.items() if k not in _HANDLED} if isinstance(carried, dict) else {}
    )


def row_names(rows: Sequence[SpaceRow]) -> list[str]:
    """Return the names of the rows, in order."""
    return [row.name for row in rows]
