"""What every chart shares: its input (runs, curves), its output (a Plotly figure as plain data).

Charts decide what is drawn, never how a theme looks: colours are names of CSS custom properties
("token:best-line") that the browser resolves. Pure; Plotly itself is used in tests only.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol

from numpy.typing import NDArray

from experiments.readings import BEST, Reading

if TYPE_CHECKING:
    from experiments.charts.metric_model import MetricModel
    from experiments.relations import Relations
    from experiments.slot_history import SlotHistory

# The axis picker's name of the metric; no parameter is called so by accident.
METRIC: Final = "__metric"
ROW_LIMIT: Final = 1000


class Expression(Protocol):
    """What a chart asks of a parameter expression: see `experiments.space`."""

    @property
    def scale(self) -> str:
        """Return "linear", "log" or "category"."""
        ...

    def bounds(self) -> tuple[float, float] | None:
        """Return the smallest and largest value to show, in real units."""
        ...

    def values(self) -> list[Any]:
        """Return the values of a category, in the order of the search space."""
        ...


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as charts see it. `best` and `last` are of the primary metric; None: no value.

    `best` is the value that counts under the reading of its view: the best one unless somebody
    asked for another. `absent` says why there is none where the run has values otherwise.
    """

    number: int
    run_id: str
    state: str
    end_reason: str
    params: Mapping[str, Any]
    best: float | None
    best_interval: int | None
    last: float | None
    reports: int
    absent: str = ""

    @property
    def value(self) -> float:
        """Return the value that counts as a number; NaN when there is no finite one."""
        return self.best if self.best is not None and math.isfinite(self.best) else math.nan


@dataclass(frozen=True, slots=True)
class SweepView:
    """A sweep as charts see it; `limits` is the policy's limit as (interval, value) steps.

    `model` is what was learned from the runs: only charts with `needs_model` get it, and only when
    there are enough of them; `model_note` says how many that are. `slots` is for charts with
    `needs_slots`: None while no run has started. `relations` is for charts with `needs_relations`.
    """

    metric: str
    goal: str
    space: Mapping[str, Expression]
    runs: tuple[RunView, ...]
    best_number: int | None
    limits: tuple[tuple[int, float], ...] = ()
    limit_label: str = ""
    model: MetricModel | None = None
    model_note: str = ""
    slots: SlotHistory | None = None
    reading: Reading = BEST
    relations: Relations | None = None

    @property
    def value_label(self) -> str:
        """Return what the values of the runs are called: "accuracy, best"."""
        return f"{self.metric}, {self.reading.label}"


@dataclass(frozen=True, slots=True)
class Curve:
    """The reports of one metric by one run, all arrays `(n,)`; NaN is a gap.

    `intervals` counts from 1, `steps` is None when the script gave none, `times` is in seconds.
    """

    number: int
    intervals: NDArray[Any]
    steps: NDArray[Any] | None
    times: NDArray[Any]
    values: NDArray[Any]


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """A picker of a chart. `kind` "axis" offers the parameters and the metric."""

    name: str
    label: str
    kind: Literal["axis", "parameter", "metric", "choice"]
    help: str
    choices: tuple[tuple[str, str], ...] = ()
    default: str = ""


RANGE: Final = OptionSpec(
    "range",
    "Range",
    "choice",
    "The interesting range, or everything.",
    (("focus", "Interesting range"), ("full", "Full range")),
    "focus",
)


@dataclass(slots=True)
class Figure:
    """A Plotly figure as plain data; `meta` is for our own page.

    `meta` holds "chart", "caption", "summary", "table" and "options", and what a chart adds.
    """

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    meta: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the three parts as one mapping that every JSON encoder takes."""
        return {"data": self.data, "layout": self.layout, "meta": self.meta}


class Chart(ABC):
    """A chart. Subclasses give the texts, the `options` and `draw`."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    options: ClassVar[tuple[OptionSpec, ...]] = ()
    needs_limits: ClassVar[bool] = False
    needs_model: ClassVar[bool] = False
    needs_slots: ClassVar[bool] = False
    needs_relations: ClassVar[bool] = False
    # Whether its rows are the runs; a chart of parameters has rows of its own.
    draws_runs: ClassVar[bool] = True

    def build(
        self,
        view: SweepView,
        options: Mapping[str, str] | None = None,
        curves: Mapping[int, Curve] | None = None,
    ) -> Figure:
        """Return the figure; an option that is unknown or out of date falls back to its default."""
        chosen = self.resolve_options(view, options or {})
        figure = self.draw(view, chosen, curves or {})
        figure.meta["chart"] = self.name
        figure.meta["options"] = [
            {
                "name": spec.name,
                "label": spec.label,
                "value": chosen[spec.name],
                "choices": [list(choice) for choice in self.choices_of(spec, view)],
            }
            for spec in self.options
        ]
        return figure

    @abstractmethod
    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Return the figure for options that are all valid."""

    def resolve_options(self, view: SweepView, options: Mapping[str, str]) -> dict[str, str]:
        """Return a valid value for every option of this chart."""
        resolved: dict[str, str] = {}
        for spec in self.options:
            value = str(options.get(spec.name) or "")
            if spec.kind == "axis" and value == view.metric and value not in view.space:
                value = METRIC
            allowed = [key for key, _ in self.choices_of(spec, view)]
            is_open = spec.kind == "metric" and value
            good = value if is_open or value in allowed else self.default_of(spec, view)
            resolved[spec.name] = good
        return resolved

    def choices_of(self, spec: OptionSpec, view: SweepView) -> list[tuple[str, str]]:
        """Return the (value, label) pairs that an option offers for this sweep."""
        if spec.kind == "axis":
            return [*((name, name) for name in view.space), (METRIC, view.metric)]
        if spec.kind == "parameter":
            return [(name, name) for name in view.space]
        if spec.kind == "metric":
            return [(view.metric, view.metric)]
        return list(spec.choices)

    def default_of(self, spec: OptionSpec, view: SweepView) -> str:
        """Return the value of an option that was not given; `default` of an axis is its place."""
        if spec.kind in ("axis", "parameter"):
            names = [*view.space, *([METRIC] if spec.kind == "axis" else [])]
            return names[min(int(spec.default), len(names) - 1)] if names else ""
        return view.metric if spec.kind == "metric" else spec.default
