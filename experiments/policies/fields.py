"""The settings of a policy as data: forms, reference pages and checks are made from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal

from experiments.problems import Problem

FieldKind = Literal["int", "float", "bool"]
# Past this, a report number is a typing error rather than a plan; it also fits every database.
MAX_INTERVAL: Final = 1_000_000_000
MAX_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One setting: `default` None and `required` False means that it may stay empty."""

    name: str
    kind: FieldKind
    label: str
    help: str
    default: int | float | bool | None = None
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False


EVALUATION_INTERVAL: Final = FieldSpec(
    name="evaluation_interval",
    kind="int",
    label="Evaluation interval",
    help="Judge a run at every n-th report of the primary metric.",
    default=1,
    minimum=1,
    maximum=MAX_INTERVAL,
)
DELAY_EVALUATION: Final = FieldSpec(
    name="delay_evaluation",
    kind="int",
    label="Delay evaluation",
    help="Let every run make this many reports before it is judged for the first time.",
    default=0,
    minimum=0,
    maximum=MAX_INTERVAL,
)


def check_fields(
    fields: Sequence[FieldSpec], config: Mapping[str, Any], path: str
) -> list[Problem]:
    """Return every problem of `config`: unknown keys, wrong types, values out of range."""
    known = {field.name: field for field in fields}
    problems = [
        Problem(f"{path}.{key}", _unknown_text(str(key), list(known)))
        for key in config
        if key not in known
    ]
    for field in fields:
        value = config.get(field.name)
        if value is not None:
            message = _value_text(field, value)
        else:
            message = f"{field.name} is missing; {_allowed_text(field)}." if field.required else ""
        if message:
            problems.append(Problem(f"{path}.{field.name}", message))
    return problems


def _unknown_text(key: str, known: list[str]) -> str:
    if not known:
        return f"{key!r} is not a setting here; this policy has none. Remove it."
    close = get_close_matches(key.lower(), known, n=1)
    advice = f"Did you mean {close[0]!r}?" if close else f"Use {', '.join(known)}."
    return f"{key!r} is not a setting of this policy. {advice}"


def _value_text(field: FieldSpec, value: object) -> str:
    shown = f"{field.name} is {_brief(value)}"
    if not _has_kind(field.kind, value):
        return f"{shown}; {_allowed_text(field)}."
    if not isinstance(value, int | float):
        return ""
    below = field.minimum is not None and value < field.minimum
    above = field.maximum is not None and value > field.maximum
    return f"{shown}; {_allowed_text(field)}." if below or above else ""


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _has_kind(kind: FieldKind, value: object) -> bool:
    # bool is an int in Python, but `evaluation_interval: true` is a mistake.
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int)
    if isinstance(value, int):
        return abs(value) < 1 << 1000
    return isinstance(value, float) and math.isfinite(value)


def _allowed_text(field: FieldSpec) -> str:
    if field.kind == "bool":
        return "use true or false"
    noun = "a whole number" if field.kind == "int" else "a finite number"
    if field.maximum is not None and field.maximum < MAX_INTERVAL:
        return f"use {noun} from {field.minimum:g} to {field.maximum:g}"
    if field.minimum is not None:
        return f"use {noun} of at least {field.minimum:g}"
    return f"use {noun}"
