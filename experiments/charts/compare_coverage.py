"""Where each sweep looked: for every hyperparameter one strip a sweep, one tick a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from experiments.charts.axes import Axis, parameter_axis
from experiments.charts.base import Figure
from experiments.charts.comparison import (
    ComparedSweep,
    ComparisonChart,
    ComparisonView,
    FloatArray,
    labels_of,
    rows_of,
    words_about,
)
from experiments.charts.formats import format_value, numbers
from experiments.charts.metric_scale import goodness, metric_domain, metric_values
from experiments.formats import format_share

_CELLS: Final = 20
# More strips than anybody looks at.
_MOST_PARAMETERS: Final = 24


class CompareCoverageChart(ComparisonChart):
    """The search spaces on common axes, and which part of them each sweep has tried."""

    name = "compare_coverage"
    label = "Where each sweep looked"
    help = "One tick per run, darker is better; the triangle is the best run."
    needs_params = True

    def draw(self, view: ComparisonView, options: Mapping[str, str]) -> Figure:
        """Return the strips as data; the page draws them itself, Plotly does not."""
        del options
        domain = metric_domain(view.values(), view.goal)
        names = list(dict.fromkeys(name for sweep in view.sweeps for name in sweep.space))
        data: list[dict[str, Any]] = []
        rows: list[list[Any]] = []
        labels = labels_of(view.sweeps)
        axes = {name: _common_axis(name, view.sweeps) for name in names}
        for name in names[:_MOST_PARAMETERS]:
            axis = axes[name]
            for sweep in view.sweeps:
                units = axis.units(sweep.runs) if name in sweep.space else np.zeros(0)
                if name in sweep.space:
                    data.append(_strip(sweep, name, units, domain, view.goal))
                rows.append(_row(sweep, labels[sweep.place], axis, units))
        figure = words_about(view, Figure(data, {}), rows_of(_COLUMNS, rows))
        figure.meta["axes"] = [_axis_json(axes[name]) for name in names[:_MOST_PARAMETERS]]
        del figure.meta["decimals"]
        figure.meta["is_empty"] = not any(sweep.runs for sweep in view.sweeps)
        figure.meta["note"] = "No run of these sweeps has started yet."
        left = len(names) - _MOST_PARAMETERS
        figure.meta["caption"] = f"{left} more hyperparameters are not shown" if left > 0 else ""
        return figure


_COLUMNS: Final = ("Hyperparameter", "Sweep", "Tried", "Lowest", "Highest", "Best run")


def _common_axis(name: str, sweeps: Sequence[ComparedSweep]) -> Axis:
    """Return one axis for all sweeps: as wide as the widest, with the options of all of them."""
    own = [parameter_axis(name, s.space[name], s.runs) for s in sweeps if name in s.space]
    if all(axis.scale == "category" for axis in own):
        merged = {_option(value): value for axis in own for value in axis.categories}
        return Axis(name, name, "category", 0, 0, tuple(merged.values()))
    wide = [axis if axis.scale != "category" else _as_numbers(axis) for axis in own]
    low, high = min(axis.low for axis in wide), max(axis.high for axis in wide)
    is_log = any(axis.scale == "log" for axis in wide) and low > 0
    return Axis(name, name, "log" if is_log else "linear", low, high)


def _option(value: Any) -> str:
    # 1 and 1.0 are one option after a trip through JSON.
    is_whole = isinstance(value, float) and value.is_integer()
    return repr(int(value) if is_whole else value)


def _as_numbers(axis: Axis) -> Axis:
    values = [v for v in axis.categories if isinstance(v, int | float) and not isinstance(v, bool)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return Axis(axis.name, axis.label, "linear", low, high if high > low else low + 1)


def _strip(
    sweep: ComparedSweep, name: str, units: FloatArray, domain: tuple[float, float], goal: str
) -> dict[str, Any]:
    shades = goodness(metric_values(sweep.runs), domain, goal)
    order = np.argsort(np.nan_to_num(shades, nan=-1.0), kind="stable")  # good ones on top
    best = [place for place, run in enumerate(sweep.runs) if run.number == sweep.best_number]
    return {
        "type": "strip",
        "name": name,
        "place": sweep.place,
        "x": numbers(units[order], "f4"),
        "shade": numbers(shades[order], "f4"),
        "best": float(units[best[0]]) if best and math.isfinite(units[best[0]]) else None,
    }


def _row(sweep: ComparedSweep, label: str, axis: Axis, units: FloatArray) -> list[Any]:
    name = axis.name
    if name not in sweep.space:
        return [name, label, "not searched", None, None, None]
    best = next((run for run in sweep.runs if run.number == sweep.best_number), None)
    value = best.params.get(name) if best is not None else None
    tried = [run.params[name] for run in sweep.runs if name in run.params]
    known = [v for v in tried if isinstance(v, int | float) and not isinstance(v, bool)]
    is_number = axis.scale != "category" and known
    return [
        name,
        label,
        covered_text(axis, units),
        min(known) if is_number else None,
        max(known) if is_number else None,
        None if value is None else format_value(value),
    ]


def covered_text(axis: Axis, units: FloatArray) -> str:
    """Say how much of an axis has been tried: options of a choice, or twentieths of a range."""
    inside = units[np.isfinite(units) & (units >= 0) & (units <= 1)]
    cells = len(axis.categories) if axis.scale == "category" else _CELLS
    hit = np.unique(np.minimum((inside * cells).astype(np.int64), cells - 1)).size
    if axis.scale == "category":
        return f"{hit} of {cells} options"
    return f"{format_share(hit, cells)} of the range"


def _axis_json(axis: Axis) -> dict[str, Any]:
    ticks = axis.ticks()
    if axis.scale != "category":
        places = np.array([place for place, _, _ in ticks])
        return {
            "name": axis.name,
            "scale": axis.scale,
            "ticks": [
                [unit, text]
                for unit, (_, text, _) in zip(axis.to_units(places).tolist(), ticks, strict=True)
            ],
        }
    count = len(axis.categories)
    return {
        "name": axis.name,
        "scale": "category",
        "ticks": [[(place + 0.5) / count, text] for place, text, _ in ticks],
    }
