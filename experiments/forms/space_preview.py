"""Pictures of a search space: what each expression draws, in real units, and how large it is.

Pure. Heights and values come from the very code that runs are sampled with.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np

from experiments.formats import format_count, format_param
from experiments.problems import ProblemsError
from experiments.samplers import load_sampler
from experiments.space.base import Expression
from experiments.space.literals import identity
from experiments.space.parsing import parse_expression
from experiments.space.space import SearchSpace

BINS: Final = 40
_QUANTILES: Final = 2000
# Longer counts are written as powers of ten.
_MOST_DIGITS: Final = 10**7
_MOST_BARS: Final = 40
# A step that leaves no more values than these was seldom meant.
_FEW_VALUES: Final = 3


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: where it stands (0 to 1 from left to right), its height (0 to 1), its label."""

    x: float
    width: float
    height: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class RowPreview:
    """What one row of the search space means; without `bars` where it is wrong."""

    bars: list[Bar] = field(default_factory=list)
    is_continuous: bool = False
    low: str = ""
    high: str = ""
    meaning: str = ""
    count: str = ""
    count_title: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SpacePreview:
    """All rows in order, the size of the whole space, and the space where no row is wrong."""

    rows: list[RowPreview]
    summary: str
    space: SearchSpace | None

    def as_json(self) -> dict[str, Any]:
        """Return what the browser shows as plain dictionaries and lists."""
        return {"rows": [asdict(row) for row in self.rows], "summary": self.summary}


def preview_space(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> SpacePreview:
    """Return the pictures of (name, expression) rows."""
    found = [(name, _parse(value)) for name, value in rows]
    space = _space(found)
    return SpacePreview(
        rows=[_preview(e) if e else RowPreview() for _, e in found],
        summary=_summary([e for _, e in found], space),
        space=space,
    )


def space_of(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> SearchSpace | None:
    """Return the search space of (name, expression) rows; None where one of them is wrong."""
    return _space([(name, _parse(value)) for name, value in rows])


def _space(found: Sequence[tuple[str, Expression | None]]) -> SearchSpace | None:
    good = {name: e for name, e in found if name and e is not None}
    # Without a name twice, and nothing wrong: only then is it a space.
    return SearchSpace(good) if good and len(good) == len(found) else None


def _parse(value: Mapping[str, Any]) -> Expression | None:
    try:
        return parse_expression(value, "")
    except ProblemsError:
        return None


# While one types, one row changes and all others are asked for again.
@lru_cache(maxsize=512)
def _preview(expression: Expression) -> RowPreview:
    count = expression.cardinality()
    values = expression.values() if count is not None and count <= _MOST_BARS else []
    bars = _value_bars(expression, values) if values else _histogram(expression)
    low, high = (0.0, 0.0) if values else _shown_range(expression)
    return RowPreview(
        bars=bars,
        is_continuous=not values,
        low="" if values else format_param(low, 3),
        high="" if values else format_param(high, 3),
        meaning=expression.describe(),
        count="∞" if count is None else _short_count(count),
        count_title=_count_title(expression, count),
        warnings=[*expression.warnings(), *_few_values(expression, values)],
    )


def _few_values(expression: Expression, values: Sequence[Any]) -> list[str]:
    """Warn when a step leaves hardly anything of a range."""
    if "q" not in expression.arguments() or not 1 < len(values) <= _FEW_VALUES:
        return []
    shown = ", ".join(format_param(value) for value in values)
    return [f"q collapses the range to {len(values)} values: {shown}."]


def _short_count(count: int) -> str:
    """Return a count that fits its column; the title has all digits."""
    return format_count(count) if count < _MOST_DIGITS else format_param(float(count))


def _count_title(expression: Expression, count: int | None) -> str:
    if count is None:
        return "Continuous: not countable"
    values = f"{format_count(count)} different value{'' if count == 1 else 's'}"
    accepts = load_sampler("grid").accepts
    return values if expression.name in accepts else f"{values}; grid sampling needs choice"


def _value_bars(expression: Expression, values: Sequence[Any]) -> list[Bar]:
    drawn = Counter(identity(expression.from_unit(u)) for u in _quantiles())
    most = max(drawn.values())
    width = 1 / len(values)
    return [
        Bar(
            x=n * width,
            width=width,
            height=drawn.get(identity(value), 0) / most,
            label=format_param(value),
        )
        for n, value in enumerate(values)
    ]


def _histogram(expression: Expression) -> list[Bar]:
    low, high = _shown_range(expression)
    is_log = expression.scale == "log" and low > 0
    drawn = np.array([float(expression.from_unit(u)) for u in _quantiles()])
    drawn = drawn[(drawn >= low) & (drawn <= high)]
    ends = (math.log(low), math.log(high)) if is_log else (low, high)
    if not ends[1] > ends[0]:
        return [Bar(x=0.0, width=1.0, height=1.0)]
    places = np.log(drawn) if is_log else drawn
    bins = BINS if is_log else _bin_count(expression, high - low)
    heights, _ = np.histogram((places - ends[0]) / (ends[1] - ends[0]), bins, (0.0, 1.0))
    top = max(int(heights.max()), 1)
    return [Bar(x=n / bins, width=1 / bins, height=int(h) / top) for n, h in enumerate(heights)]


def _bin_count(expression: Expression, width: float) -> int:
    # Bins that hold equally many multiples: others would show teeth that are not there.
    step = float(expression.arguments().get("q", 0))
    if not step:
        return BINS
    multiples = max(1, round(width / step))
    return max(1, multiples // -(-multiples // BINS))


def _shown_range(expression: Expression) -> tuple[float, float]:
    # Normal distributions have no ends; their axis shows where nearly all draws fall.
    return expression.bounds() or (0.0, 0.0)


def _quantiles() -> list[float]:
    return [(n + 0.5) / _QUANTILES for n in range(_QUANTILES)]


def _summary(expressions: Sequence[Expression | None], space: SearchSpace | None) -> str:
    n = len(expressions)
    parameters = f"{n} parameter{'' if n == 1 else 's'}"
    if space is None:
        return parameters if n else ""
    counts = [e.cardinality() for e in space.expressions.values()]
    total = space.cardinality()
    if total is None:
        return f"{parameters}, {counts.count(None)} of them continuous"
    factors = " × ".join(format_count(c or 0) for c in counts)
    total_text = format_count(total) if total < 10**15 else format_param(float(total))
    return f"{factors} = {total_text} combinations" if n > 1 else f"{total_text} values"
