"""What charts that compare sweeps share: their input, how a sweep looks, when it had which best.

A sweep has one place from 0 to 7 wherever it is shown: its colour, its dash and its marker. Pure.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from experiments.charts.base import Expression, Figure, OptionSpec, RunView
from experiments.charts.formats import MetricFormat, metric_format
from experiments.curves import best_so_far

FloatArray = NDArray[np.float64]

MOST_SWEEPS: Final = 8
_DASHES: Final = (
    "solid", "7px,4px", "2px,3px", "10px,3px,2px,3px", "4px,2px", "12px,5px", "1px,4px", "6px,2px",
)  # fmt: skip
_SYMBOLS: Final = (
    "circle", "square", "diamond", "triangle-up",
    "triangle-down", "pentagon", "hexagon2", "cross",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ComparedSweep:
    """A sweep beside others. Arrays `(n,)` are of its runs that have started, by number.

    `values` are the best of each run, NaN without one; `at` is when it was reported, `starts` and
    `ends` when the run had its slot: seconds after the start of the sweep. `runs` and `space` are
    for charts with `needs_params`.
    """

    place: int
    name: str
    numbers: NDArray[np.int64]
    values: FloatArray
    at: FloatArray
    starts: FloatArray
    ends: FloatArray
    seconds: float
    best_number: int | None
    is_live: bool
    runs: tuple[RunView, ...] = ()
    space: Mapping[str, Expression] = field(default_factory=dict)

    @property
    def colour(self) -> str:
        """Return the token of its colour."""
        return f"token:cat-{self.place + 1}"

    @property
    def dash(self) -> str:
        """Return how its lines are broken."""
        return _DASHES[self.place]

    def marker(self) -> dict[str, Any]:
        """Return the marks on its lines, by which it is known without its colour."""
        edge = {"color": "token:surface", "width": 1}
        symbol = _SYMBOLS[self.place]
        return {"symbol": symbol, "size": 8, "color": self.colour, "line": edge}

    def compute_until(self, times: FloatArray) -> FloatArray:
        """Return the seconds that its runs had slots until these times: `(m,)`."""
        used = np.minimum(self.ends, np.asarray(times, np.float64)[:, None]) - self.starts
        return np.asarray(np.clip(used, 0.0, None).sum(axis=1), np.float64)

    def finite(self) -> FloatArray:
        """Return the values that are numbers, smallest first."""
        return np.sort(self.values[np.isfinite(self.values)])


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """Sweeps of one metric and goal, by place."""

    metric: str
    goal: str
    sweeps: tuple[ComparedSweep, ...]

    def values(self) -> FloatArray:
        """Return the finite values of all runs."""
        parts = [sweep.finite() for sweep in self.sweeps]
        return np.concatenate(parts) if parts else np.zeros(0)

    def format(self) -> MetricFormat:
        """Return the one format for all values."""
        return metric_format(self.values().tolist())

    def label(self) -> str:
        """Return the metric's name as logged, with the arrow of its goal."""
        return f"{self.metric} {'↑' if self.goal == 'maximize' else '↓'}"


@dataclass(frozen=True, slots=True)
class Leads:
    """When a sweep got a new best: arrays `(m,)`, first to last.

    `runs` counts the runs that had started (in order of the numbers) or had reported their best
    (in order of time) by then.
    """

    numbers: NDArray[np.int64]
    values: FloatArray
    runs: NDArray[np.int64]
    seconds: FloatArray
    compute: FloatArray

    def rows(self) -> Iterator[tuple[int, float, int, float, float]]:
        """Yield them one by one: number, value, runs, seconds, compute."""
        columns = (self.numbers, self.values, self.runs, self.seconds, self.compute)
        return zip(*(column.tolist() for column in columns), strict=True)


def leads_by_run(sweep: ComparedSweep, goal: str) -> Leads:
    """Return the leads when runs are taken in the order of their numbers."""
    return _leads(sweep, goal, np.arange(sweep.values.size))


def leads_by_time(sweep: ComparedSweep, goal: str) -> Leads:
    """Return the leads in the order in which the values were reported."""
    known = np.flatnonzero(np.isfinite(sweep.values) & np.isfinite(sweep.at))
    return _leads(sweep, goal, known[np.argsort(sweep.at[known], kind="stable")])


def _leads(sweep: ComparedSweep, goal: str, order: NDArray[np.int64]) -> Leads:
    best = best_so_far(sweep.values[order], goal) if order.size else np.zeros(0)
    before = np.concatenate([[np.nan], best[:-1]]) if best.size else best
    is_new = np.isfinite(best) & ~(best == before)
    rows = order[is_new]
    seconds = sweep.at[rows]
    return Leads(
        numbers=sweep.numbers[rows],
        values=sweep.values[rows],
        runs=np.flatnonzero(is_new) + 1,
        seconds=seconds,
        compute=sweep.compute_until(seconds),
    )


class ComparisonChart(ABC):
    """A chart of several sweeps. Subclasses give the texts, the `options` and `draw`."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    options: ClassVar[tuple[OptionSpec, ...]] = ()
    needs_params: ClassVar[bool] = False

    def build(self, view: ComparisonView, options: Mapping[str, str] | None = None) -> Figure:
        """Return the figure; an option that is unknown falls back to its default."""
        chosen = {spec.name: _allowed(spec, options or {}) for spec in self.options}
        figure = self.draw(view, chosen)
        figure.meta["chart"] = self.name
        figure.meta["options"] = [
            {
                "name": spec.name,
                "label": spec.label,
                "value": chosen[spec.name],
                "choices": [list(choice) for choice in spec.choices],
            }
            for spec in self.options
        ]
        return figure

    @abstractmethod
    def draw(self, view: ComparisonView, options: Mapping[str, str]) -> Figure:
        """Return the figure for options that are all valid."""


def _allowed(spec: OptionSpec, options: Mapping[str, str]) -> str:
    value = options.get(spec.name, "")
    return value if value in [key for key, _ in spec.choices] else spec.default


def labels_of(sweeps: Sequence[ComparedSweep]) -> dict[int, str]:
    """Return a name for each place."""
    return distinct_names({sweep.place: sweep.name for sweep in sweeps})


def distinct_names(names: Mapping[int, str]) -> dict[int, str]:
    """Return names by place; equal ones are told apart by their place, from 1."""
    every = list(names.values())
    return {
        place: name if every.count(name) == 1 else f"{name} ({place + 1})"
        for place, name in names.items()
    }


def words_about(view: ComparisonView, figure: Figure, rows: dict[str, Any]) -> Figure:
    """Add caption, summary and table: what is missing, and who leads."""
    without = [sweep for sweep in view.sweeps if not np.isfinite(sweep.values).any()]
    labels = labels_of(view.sweeps)
    names = ", ".join(labels[sweep.place] for sweep in without)
    form = view.format()
    parts = []
    for sweep in view.sweeps:
        values = sweep.finite()
        if values.size:
            best = values[-1] if view.goal == "maximize" else values[0]
            parts.append(f"{labels[sweep.place]} {form.text(float(best))}")
    figure.meta.update(
        caption=f"Without a value of {view.metric}: {names}" if without else "",
        summary=f"{len(view.sweeps)} sweeps, best {view.metric}: {', '.join(parts) or 'none yet'}",
        table=rows,
        decimals=form.decimals,
        best=None,
        is_empty=not parts,
        note="No run of these sweeps has reported the metric yet.",
    )
    return figure


def rows_of(columns: Sequence[str], rows: list[list[Any]]) -> dict[str, Any]:
    """Return the table behind a chart."""
    return {"columns": list(columns), "rows": rows, "total": len(rows)}
