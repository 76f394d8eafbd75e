"""Parallel coordinates: one axis per parameter and the metric right-most.

The page draws it from `meta` with a renderer of its own; the Plotly trace beside it serves
notebooks and exports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.charts.axes import Axis, axis_named, metric_axis, metric_ticks
from experiments.charts.base import Chart, Curve, Figure, RunView, SweepView
from experiments.charts.formats import format_value, json_value, matrix, numbers, plain, shorten
from experiments.charts.metric_scale import goodness, metric_domain, metric_values
from experiments.charts.points import colour_axis
from experiments.charts.styles import HIGHLIGHT, base_layout, group_of
from experiments.charts.texts import best_run, finish, format_of, table, without_value

FloatArray = NDArray[np.float64]

# Ends of an axis must lie inside of what a pointer can reach, or they cannot be brushed.
_PAD: Final = 0.03
_NA_PLACE: Final = -0.1


class ParallelCoordinatesChart(Chart):
    """All parameters of all runs at once."""

    name = "parallel_coordinates"
    label = "Parallel coordinates"
    help = "One line per run across all parameters; the right-most axis is the metric."

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Lay out all runs, worst first; runs without a value are in `meta`, not in the trace."""
        del options, curves
        absent = without_value(view.runs)
        runs = _worst_first(view)
        axes = [*(axis_named(view, name) for name in view.space), metric_axis(view)]
        units = np.stack([axis.units(runs) for axis in axes], axis=1)  # (runs, axes)
        good = goodness(
            metric_values(runs), metric_domain(metric_values(view.runs), view.goal), view.goal
        )

        best = best_run(view)
        meta = {
            "axes": [_axis_meta(view, axis) for axis in axes],
            "lines": {
                "numbers": [run.number for run in runs],
                "units": matrix(units),
                "metric": numbers(metric_values(runs)),
                "goodness": numbers(good),
                "state": [group_of(run) for run in runs],
            },
            "absent": {str(number): reason for number, reason in absent.items()},
            "best": best.number if best is not None else None,
            "decimals": format_of(view).decimals,
        }
        drawn = ~np.isnan(good)
        data = [_trace(view, axes, units[drawn], good[drawn]), _empty_trace()]
        layout = base_layout(self.name, margin={"l": 62, "r": 62, "t": 46, "b": 16})
        return finish(view, Figure(data, layout, meta), absent, table(view))


def _worst_first(view: SweepView) -> list[RunView]:
    missing = [run for run in view.runs if np.isnan(run.value)]
    known = [run for run in view.runs if not np.isnan(run.value)]
    return [*missing, *sorted(known, key=lambda r: r.value, reverse=view.goal == "minimize")]


def _unit_ticks(view: SweepView, axis: Axis) -> list[tuple[float, str, str]]:
    ticks = metric_ticks(view, axis, format_of(view)) if axis.is_metric else axis.ticks()
    places = axis.to_units(np.array([value for value, _, _ in ticks], dtype=np.float64))
    return [
        (round(float(place), 6), text, full)
        for place, (_, text, full) in zip(places, ticks, strict=True)
    ]


def _axis_meta(view: SweepView, axis: Axis) -> dict[str, Any]:
    is_category = axis.scale == "category"
    return {
        "name": axis.name,
        "label": axis.label,
        "scale": axis.scale,
        "min": None if is_category else axis.low,
        "max": None if is_category else axis.high,
        "ticks": [list(tick) for tick in _unit_ticks(view, axis)],
        "values": [format_value(value) for value in axis.categories],
        "options": [json_value(value) for value in axis.categories],
    }


def _trace(
    view: SweepView, axes: Sequence[Axis], units: FloatArray, good: FloatArray
) -> dict[str, Any]:
    scale = colour_axis(view)
    return {
        "type": "parcoords",
        "name": "runs",
        "dimensions": [_dimension(view, axis, units[:, place]) for place, axis in enumerate(axes)],
        "line": {
            "color": numbers(good),
            "colorscale": scale["colorscale"],
            "cmin": 0,
            "cmax": 1,
            "reversescale": False,
            "showscale": True,
            "colorbar": scale["colorbar"],
        },
        "labelfont": {"size": 12, "color": "token:text"},
        "tickfont": {"size": 11, "color": "token:text-2"},
    }


def _dimension(view: SweepView, axis: Axis, units: FloatArray) -> dict[str, Any]:
    # In units 0..1 with texts as ticks: Plotly's parallel axes know neither logs nor categories.
    ticks = [(place, text) for place, text, _ in _unit_ticks(view, axis)]
    low = -_PAD
    if bool(np.isnan(units).any()):
        ticks.append((_NA_PLACE, "n/a"))
        low = _NA_PLACE - _PAD
    return {
        "label": plain(shorten(axis.label)),
        "range": [low, 1 + _PAD],
        "values": numbers(np.where(np.isnan(units), _NA_PLACE, units)),
        "tickvals": [place for place, _ in ticks],
        "ticktext": [text for _, text in ticks],
    }


def _empty_trace() -> dict[str, Any]:
    return {"type": "parcoords", "name": HIGHLIGHT, "visible": False, "dimensions": []}
