"""One-click ways out for single rows of the search space. Pure.

A row that the chosen sampling method does not take becomes a list or a range; bounds that were
meant as real values are read as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from experiments.formats import format_param
from experiments.forms.codecs import format_number, format_values, parse_number
from experiments.forms.real_values import EXPONENTS, REAL, SCALE, is_real
from experiments.forms.sweep_fields import SpaceRow, SweepFields
from experiments.problems import ProblemsError
from experiments.samplers import SAMPLERS, load_sampler
from experiments.space.base import Expression
from experiments.space.exponents import exponent_warnings
from experiments.space.literals import identity
from experiments.space.parsing import parse_expression

_MOST_LISTED: Final = 12
_INNER: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_WHOLE: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_DIGITS: Final = 3
_MARK: Final = "row"


@dataclass(frozen=True, slots=True)
class RowFix:
    """A button that changes row `row` to `type` with `texts`."""

    row: int
    place: int
    label: str
    type: str
    texts: Mapping[str, str]

    @property
    def posted(self) -> str:
        """Return what the button sends where scripts are off."""
        return f"{_MARK}-{self.row}-{self.place}"

    def as_json(self) -> dict[str, Any]:
        """Return what the browser needs."""
        return asdict(self) | {"posted": self.posted}


def row_fixes(fields: SweepFields) -> list[list[RowFix]]:
    """Return the buttons of every row, in order."""
    accepts = _accepted(fields)
    found = []
    for n, row in enumerate(fields.rows):
        changes = [*_meant_real(row), *_accepted_forms(row, accepts)]
        found.append(
            [RowFix(n, i, label, kind, texts) for i, (label, kind, texts) in enumerate(changes)]
        )
    return found


def apply_row_fix(fields: SweepFields, posted: str) -> SweepFields | None:
    """Return the fields after such a button; None when `posted` is none of them."""
    for fix in (fix for row in row_fixes(fields) for fix in row):
        if fix.posted == posted:
            rows = list(fields.rows)
            old = rows[fix.row]
            rows[fix.row] = replace(old, type=fix.type, texts={**old.texts, **fix.texts})
            return replace(fields, rows=tuple(rows))
    return None


_Change = tuple[str, str, dict[str, str]]


def _accepted(fields: SweepFields) -> frozenset[str]:
    name = fields.get("sampling")
    return load_sampler(name).accepts if name in SAMPLERS else frozenset()


def _meant_real(row: SpaceRow) -> list[_Change]:
    """Offer to read bounds as real values that look like it."""
    if EXPONENTS.get(row.type) != ("min_value", "max_value") or is_real(row.type, row.texts):
        return []
    low, high = (parse_number(row.texts.get(key, "")) for key in ("min_value", "max_value"))
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return []
    if not 0 < low < high or not exponent_warnings(low, high):
        return []
    label = f"Read as {format_param(low)} … {format_param(high)}"
    return [(label, row.type, {SCALE: REAL})]


def _accepted_forms(row: SpaceRow, accepts: frozenset[str]) -> list[_Change]:
    """Offer what the sampling method takes instead of a distribution that it does not."""
    if not accepts or row.type in accepts:
        return []
    try:
        expression = parse_expression(row.expression(), "")
    except ProblemsError:
        return []
    found: list[_Change] = []
    if "uniform" in accepts and expression.bounds() is not None:
        found.append(_as_uniform(expression))
    if "choice" in accepts and (values := _listed(expression)):
        count = len(values)
        label = f"List {count} value{'' if count == 1 else 's'}"
        found.append((label, "choice", {"values": format_values(values)}))
    return found


def _as_uniform(expression: Expression) -> _Change:
    low, high = (_brief(bound) for bound in expression.bounds() or (0.0, 1.0))
    label = f"Use uniform({format_param(low)}, {format_param(high)})"
    texts = {"min_value": format_number(low), "max_value": format_number(high)}
    return label, "uniform", texts


def _listed(expression: Expression) -> list[Any]:
    """Return all values where they are few, else some that lie evenly in the distribution."""
    count = expression.cardinality()
    if count is not None and count <= _MOST_LISTED:
        return list(expression.values())
    places = _INNER if expression.name.endswith("normal") else _WHOLE
    values = [_brief(expression.from_unit(u)) for u in places]
    return list({identity(value): value for value in values}.values())


def _brief(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    short = float(f"{value:.{_DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e6 else short
