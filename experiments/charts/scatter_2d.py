"""2-D scatter: two parameters, coloured by the metric; the best is a star."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from experiments.charts.axes import Axis, axis_named, focused_metric_axis
from experiments.charts.base import METRIC, Chart, Curve, Figure, OptionSpec, RunView, SweepView
from experiments.charts.formats import numbers
from experiments.charts.points import Points, colour_axis, place_runs, point_colours
from experiments.charts.styles import axis_layout, base_layout, highlight_point
from experiments.charts.texts import finish, hover_texts, table

_EDGE_SYMBOLS: Final = (("triangle-left", "triangle-right"), ("triangle-down", "triangle-up"))


class Scatter2DChart(Chart):
    """Two parameters against each other."""

    name = "scatter_2d"
    label = "2-D scatter"
    help = "Two parameters against each other, coloured by the metric."
    options = (
        OptionSpec("x", "Horizontal", "axis", "A parameter or the metric.", default="0"),
        OptionSpec("y", "Vertical", "axis", "A parameter or the metric.", default="1"),
    )

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw the runs that have a value on both axes."""
        del curves
        axes = [_axis(view, options[name]) for name in ("x", "y")]
        points = place_runs(view, axes, clamp_metric=True)
        data = [
            _runs_trace(view, points, points.plain, "runs"),
            _runs_trace(view, points, points.stopped, "stopped"),
            _failed_trace(view, points),
            _star_trace(points),
            highlight_point(),
        ]
        layout = base_layout(
            f"scatter_2d {options['x']} {options['y']}",
            xaxis=axis_layout(axes[0].layout()),
            yaxis=axis_layout(axes[1].layout()),
            coloraxis=colour_axis(view),
        )
        return finish(view, Figure(data, layout), points.absent, table(view))


def _axis(view: SweepView, name: str) -> Axis:
    return focused_metric_axis(view) if name == METRIC else axis_named(view, name)


def _runs_trace(
    view: SweepView, points: Points, runs: Sequence[RunView], name: str
) -> dict[str, Any]:
    stopped = name == "stopped"
    return {
        **_place(points, runs),
        "name": name,
        "text": hover_texts(view, runs),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 10,
            "symbol": _symbols(points, runs),
            "color": numbers(point_colours(view, runs)),
            "coloraxis": "coloraxis",
            "line": {
                "color": "token:terminated" if stopped else "token:surface",
                "width": 1.3 if stopped else 0.8,
            },
        },
    }


def _symbols(points: Points, runs: Sequence[RunView]) -> str | list[str]:
    symbols = ["circle"] * len(runs)
    for dimension, (low, high) in enumerate(_EDGE_SYMBOLS):
        for place, run in enumerate(runs):
            side = points.sides.get(run.number, (0, 0))[dimension]
            if side:
                symbols[place] = low if side < 0 else high
    return symbols if any(symbol != "circle" for symbol in symbols) else "circle"


def _failed_trace(view: SweepView, points: Points) -> dict[str, Any]:
    return {
        **_place(points, points.failed),
        "name": "failed",
        "text": hover_texts(view, points.failed),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "symbol": "x-thin",
            "size": 9,
            "color": "token:failed",
            "line": {"color": "token:failed", "width": 2},
        },
    }


def _star_trace(points: Points) -> dict[str, Any]:
    return {
        **_place(points, points.best),
        "name": "best",
        "hoverinfo": "skip",
        "marker": {
            "symbol": "star",
            "size": 17,
            "color": "token:best-line",
            "line": {"color": "token:surface", "width": 1.4},
        },
    }


def _place(points: Points, runs: Sequence[RunView]) -> dict[str, Any]:
    where = np.array([points.where[run.number] for run in runs]).reshape(len(runs), 2)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(where[:, 0]),
        "y": numbers(where[:, 1]),
        "customdata": numbers([run.number for run in runs], "i4"),
    }
