"""Where each problem of a specification stands in the form. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from experiments.forms.real_values import real_problems
from experiments.forms.sweep_fields import LIMITS, SpaceRow, SweepFields
from experiments.problems import Problem

# Paths of the specification whose field has another name.
_FIELDS: Final = {
    "primary_metric": "metric",
    "primary_metric.name": "metric",
    "primary_metric.goal": "goal",
    "sampling": "sampling",
    "sampling.type": "sampling",
    "sampling.rule": "sampling",
    "sampling.seed": "seed",
    "check_seconds": "check_seconds",
}
_SOURCE_FIELDS: Final = {"snapshot": "snapshot", "folder": "source_directory", "upload": "upload"}
_CODE: Final = frozenset({"name", "experiment", "description", "tags", "environment"}) | {
    *("code", "snapshot", "upload", "source_directory"),
    *("entry", "script", "command", "arguments", "python"),
}
SECTIONS: Final[tuple[tuple[str, str, frozenset[str]], ...]] = (
    ("s-code", "Script", _CODE),
    ("s-space", "Search space", frozenset({"search_space"})),
    ("s-sampling", "Sampling", frozenset({"sampling", "seed"})),
    ("s-metric", "Primary metric", frozenset({"metric", "goal"})),
    ("s-policy", "Early termination", frozenset({"policy"})),
    ("s-budget", "Budget", frozenset(LIMITS)),
    ("s-compute", "Compute", frozenset({"compute"})),
    ("s-warm", "Warm start", frozenset({"resume_from", "resume_child_runs"})),
)


@dataclass(frozen=True, slots=True)
class PlacedProblem:
    """A problem with the id of its field; `field` is empty where the form has none."""

    path: str
    message: str
    field: str
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what the browser shows of it."""
        return asdict(self) | {"shown_path": self.shown_path}

    @property
    def shown_path(self) -> str:
        """Return the path where the sentence alone would not say what is meant."""
        is_said = self.message.startswith(self.path) or self.path.startswith("line ")
        return "" if is_said else self.path

    @property
    def anchor(self) -> str:
        """Return the element that a link to the problem leads to."""
        return self.field or "form"


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the form in the list at its side."""

    id: str
    label: str
    is_bad: bool


def place_problems(problems: Iterable[Problem], fields: SweepFields) -> list[PlacedProblem]:
    """Return the problems with their fields, in the order of the form."""
    placed = [
        PlacedProblem(problem.path, problem.message, field_of(problem.path, fields))
        for problem in problems
    ]
    return sorted(placed, key=lambda p: section_of(p.field))


def add_row_problems(problems: Iterable[Problem], fields: SweepFields) -> list[Problem]:
    """Add what a mapping cannot hold: parameters without a name, or with the same one."""
    counts = Counter(row.name for row in fields.rows)
    found = [
        Problem(f"search_space[{n}]", "A parameter has no name. Name it or remove its row.")
        for n, row in enumerate(fields.rows)
        if not row.name
    ]
    # Rows without a name are left out of the mapping: that it is empty was said already.
    others = [p for p in problems if not (found and p.path == "search_space")]
    real = [p for row in fields.rows for p in real_problems(row.name, row.type, row.texts)]
    # Of a value without a logarithm, only the sentence with what was typed helps.
    paths = {p.path for p in real}
    found += real
    others = [p for p in others if p.path not in paths]
    found += [
        Problem(
            f"search_space.{name}", f'"{name}" is listed {n} times. Rename or remove all but one.'
        )
        for name, n in counts.items()
        if name and n > 1
    ]
    return [*found, *others]


def field_of(path: str, fields: SweepFields) -> str:
    """Return the id of the field that a path of the specification belongs to."""
    if path in _FIELDS:
        return _FIELDS[path]
    first, _, rest = path.partition(".")
    if first.startswith("search_space"):
        return _row_field(path, fields)
    if first in ("source_directory", "snapshot"):
        return _SOURCE_FIELDS.get(fields.get("code"), "code")
    if first == "early_termination":
        kind = fields.get("policy")
        return f"policy-{kind}-{rest}" if f"policy-{kind}-{rest}" in fields.texts else "policy"
    first = first.partition("[")[0]
    return first if any(first in names for _, _, names in SECTIONS) else ""


def section_of(field: str) -> int:
    """Return the position of a field's section; what has no field comes first."""
    bare = field.partition("-")[0]
    return next((n for n, (_, _, names) in enumerate(SECTIONS) if bare in names), -1)


def list_sections(problems: Iterable[PlacedProblem]) -> list[Section]:
    """Return the sections, and which of them have a problem."""
    bad = {section_of(problem.field) for problem in problems}
    return [
        Section(id=key, label=label, is_bad=n in bad) for n, (key, label, _) in enumerate(SECTIONS)
    ]


def errors_by_field(problems: Iterable[PlacedProblem]) -> dict[str, list[str]]:
    """Return the messages below each field."""
    errors: dict[str, list[str]] = {}
    for problem in problems:
        if problem.field:
            errors.setdefault(problem.field, []).append(problem.message)
    return errors


def _row_field(path: str, fields: SweepFields) -> str:
    rest = path.removeprefix("search_space")
    if rest.startswith("["):
        return f"search_space-{rest[1:].partition(']')[0]}-name"
    name = rest.removeprefix(".")
    # Names may contain dots: the longest name that fits is meant. A name that is listed twice
    # stands for its last row, whose expression is the one that was checked.
    fitting = [
        (len(row.name), n)
        for n, row in enumerate(fields.rows)
        if row.name and (name == row.name or name.startswith(f"{row.name}."))
    ]
    if not fitting:
        return "search_space"
    _, at = max(fitting)
    return _key_field(name, fields.rows[at], at)


def _key_field(name: str, row: SpaceRow, number: int) -> str:
    key = name.removeprefix(row.name).removeprefix(".").partition("[")[0].partition(".")[0]
    # The template has a control for each of these; other keys belong to the row as a whole.
    known = {"values", "upper", "min_value", "max_value", "mu", "sigma", "q", "type"}
    return f"search_space-{number}-{key}" if key in known else f"search_space-{number}"
