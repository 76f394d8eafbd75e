"""Axes of parameters and of the metric: range, scale, positions of runs, ticks.

A parameter axis spans the search space, widened to the data, so that unexplored regions show.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.charts.base import METRIC, Expression, RunView, SweepView
from experiments.charts.formats import MetricFormat, format_value, plain, shorten
from experiments.charts.metric_scale import focus_range, metric_domain, metric_values

FloatArray = NDArray[np.float64]

_PAD: Final = 0.04
_LINEAR_TICKS: Final = 5
_CATEGORY_TICKS: Final = 50
# A choice of more options than this shows only those that runs have drawn.
_MANY_CATEGORIES: Final = 200


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis; `low` and `high` are its ends in real units (a category counts from 0).

    `scale` is "linear", "log" or "category"; `categories` are the values of a category axis.
    """

    name: str
    label: str
    scale: str
    low: float
    high: float
    categories: tuple[Any, ...] = ()

    @property
    def is_metric(self) -> bool:
        """Tell whether this is the axis of the metric."""
        return self.name == METRIC

    def positions(self, runs: Sequence[RunView]) -> FloatArray:
        """Return where the runs stand in plot coordinates: `(n,)`, NaN when the value is missing.

        Values of a category are spread by a fixed offset of the run number, never at random, so
        that nothing jumps when the chart is drawn again.
        """
        if self.is_metric:
            return metric_values(runs)
        if self.scale != "category":
            return np.array([_number(run.params.get(self.name)) for run in runs], np.float64)
        places = {_key(value): place for place, value in enumerate(self.categories)}
        return np.array(
            [
                places[_key(run.params[self.name])] + _spread(run.number)
                if run.params.get(self.name, _MISSING) is not _MISSING
                else math.nan
                for run in runs
            ],
            np.float64,
        )

    def places(self, values: Sequence[Any]) -> FloatArray:
        """Return where values of this parameter stand: `(m,)`, a category in its middle."""
        if self.scale != "category":
            return np.array([_number(value) for value in values], np.float64)
        known = {_key(value): place for place, value in enumerate(self.categories)}
        return np.array([known.get(_key(value), math.nan) for value in values], np.float64)

    def units(self, runs: Sequence[RunView]) -> FloatArray:
        """Return where the runs stand between the ends of the axis: `(n,)` in 0..1 or NaN."""
        units = self.to_units(self.positions(runs))
        return np.clip(units, 0.0, 1.0) if self.is_metric else units

    def to_units(self, positions: FloatArray) -> FloatArray:
        """Map plot coordinates to 0..1; a category stands in the middle of its share."""
        if self.scale == "category":
            return (positions + 0.5) / len(self.categories)
        if self.scale == "log":
            return np.log(positions / self.low) / math.log(self.high / self.low)
        return (positions - self.low) / (self.high - self.low)

    def ticks(self) -> list[tuple[float, str, str]]:
        """Return (plot coordinate, short text, full text) of each tick."""
        if self.scale == "category":
            every = -(-len(self.categories) // _CATEGORY_TICKS) or 1
            texts = [format_value(value) for value in self.categories]
            return [(n, shorten(t, 14), t) for n, t in enumerate(texts) if n % every == 0]
        values = self._log_ticks() if self.scale == "log" else []
        if len(values) < 2:
            values = np.linspace(self.low, self.high, _LINEAR_TICKS).tolist()
        return [(v, format_value(v, 3), format_value(v)) for v in values]

    def layout(self) -> dict[str, Any]:
        """Return the axis as Plotly wants it."""
        title = {"text": plain(shorten(self.label, 40))}
        if self.scale == "category":
            ticks = self.ticks()
            return {
                "title": title,
                "type": "linear",
                "tickvals": [place for place, _, _ in ticks],
                "ticktext": [plain(text) for _, text, _ in ticks],
                "range": [-0.6, len(self.categories) - 0.4],
                "zeroline": False,
            }
        is_log = self.scale == "log"
        low, high = (math.log10(v) if is_log else v for v in (self.low, self.high))
        pad = (high - low) * _PAD
        axis: dict[str, Any] = {
            "title": title,
            "type": "log" if is_log else "linear",
            "range": [low - pad, high + pad],
            "exponentformat": "power",
            # Plotly counts digits: plain numbers from 0.001 to below a million.
            "minexponent": 3 if max(abs(self.low), abs(self.high)) < 1 else 5,
            "zeroline": False,
        }
        if is_log:
            # As many ticks as decades: Plotly then labels the powers of ten, and still finds
            # ticks of its own when somebody zooms in between two of them.
            axis["nticks"] = max(2, min(8, math.ceil(high - low + 2 * pad)))
        return axis

    def _log_ticks(self) -> list[float]:
        first = math.ceil(math.log10(self.low) - 1e-9)
        last = math.floor(math.log10(self.high) + 1e-9)
        powers = [10.0**e for e in range(first, last + 1)]
        if len(powers) > 1:
            return powers[:: -(-len(powers) // 8)]
        multiples = (m * 10.0**e for e in range(first - 1, last + 2) for m in (1, 2, 5))
        return [v for v in multiples if self.low <= v * (1 + 1e-9) and v <= self.high * (1 + 1e-9)]


_MISSING: Final = object()


def axis_named(view: SweepView, name: str) -> Axis:
    """Return the axis of a parameter, or of the metric for `METRIC`."""
    if name == METRIC:
        return metric_axis(view)
    return parameter_axis(name, view.space[name], view.runs)


def parameter_axis(name: str, expression: Expression, runs: Sequence[RunView]) -> Axis:
    """Return the axis of one parameter: the space, widened to values outside of it."""
    if expression.scale == "category":
        return Axis(name, name, "category", 0, 0, _categories(name, expression.values(), runs))
    known = [v for v in (_number(run.params.get(name)) for run in runs) if math.isfinite(v)]
    low, high = expression.bounds() or (min(known, default=0.0), max(known, default=1.0))
    low, high = min([low, *known]), max([high, *known])
    # A quantised log distribution can round to 0, which no log axis can show.
    is_log = expression.scale == "log" and low > 0
    if low == high:
        low, high = (low / 2, high * 2) if is_log else (low - _half(low), high + _half(high))
    return Axis(name, name, "log" if is_log else "linear", low, high)


def metric_axis(view: SweepView) -> Axis:
    """Return the metric's axis from the 20th percentile to the best; values beyond are clamped."""
    low, high = metric_domain(metric_values(view.runs), view.goal)
    if low == high:
        low, high = low - _half(low), high + _half(high)
    return Axis(METRIC, value_label(view), "linear", low, high)


def focused_metric_axis(view: SweepView) -> Axis:
    """Return the metric's axis with room around the interesting range: see `focus_range`."""
    low, high = focus_range(metric_values(view.runs), view.goal)
    return Axis(METRIC, value_label(view), "linear", low, high)


def value_label(view: SweepView) -> str:
    """Return the label of an axis with one value of each run: "accuracy ↑ best"."""
    return f"{metric_label(view)} {view.reading.label}"


def full_metric_axis(view: SweepView) -> Axis:
    """Return the metric's axis from the worst to the best value."""
    values = metric_values(view.runs)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if low == high:
        low, high = low - _half(low), high + _half(high)
    return Axis(METRIC, value_label(view), "linear", low, high)


def metric_label(view: SweepView) -> str:
    """Return the metric's name as logged, with the arrow of its goal."""
    return f"{view.metric} {'↑' if view.goal == 'maximize' else '↓'}"


def metric_ticks(view: SweepView, axis: Axis, form: MetricFormat) -> list[tuple[float, str, str]]:
    """Return (value, text, full text) along the metric's axis; the clamped end says so."""
    ticks = []
    places = np.linspace(axis.low, axis.high, 6).tolist()
    values = metric_values(view.runs)
    for place, value in enumerate(places):
        text = form.text(value)
        if view.goal == "maximize" and place == 0 and bool(np.any(values < value)):
            text = f"≤ {text}"
        if view.goal == "minimize" and place == len(places) - 1 and bool(np.any(values > value)):
            text = f"≥ {text}"
        ticks.append((value, text, text))
    return ticks


def _categories(name: str, declared: list[Any], runs: Sequence[RunView]) -> tuple[Any, ...]:
    found = {_key(value): value for value in declared}
    drawn = {_key(run.params[name]): run.params[name] for run in runs if name in run.params}
    if len(found) > _MANY_CATEGORIES:
        found = {key: value for key, value in found.items() if key in drawn}
    return tuple((found | drawn).values()) or tuple(declared[:1])


def _key(value: Any) -> str:
    # 1 and 1.0 are the same value after a trip through JSON; True is not 1.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if math.isfinite(value) else math.nan


def _spread(number: int) -> float:
    return ((number * 37) % 17 / 17 - 0.5) * 0.5


def _half(value: float) -> float:
    return abs(value) * 0.05 or 0.5
