"""3-D scatter: three parameters, coloured by the metric; the best is a diamond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from experiments.charts.axes import Axis, axis_named, full_metric_axis
from experiments.charts.base import METRIC, Chart, Curve, Figure, OptionSpec, RunView, SweepView
from experiments.charts.formats import numbers
from experiments.charts.points import Points, colour_axis, place_runs, point_colours
from experiments.charts.styles import CLEAR, base_layout, highlight_point
from experiments.charts.texts import finish, hover_texts, table

_CAMERA: Final = {"eye": {"x": 1.62, "y": -1.72, "z": 0.85}, "center": {"x": 0, "y": 0, "z": -0.14}}


class Scatter3DChart(Chart):
    """Three parameters in space."""

    name = "scatter_3d"
    label = "3-D scatter"
    help = "Three parameters in space, coloured by the metric. Drag to turn."
    options = (
        OptionSpec("x", "X", "axis", "A parameter or the metric.", default="0"),
        OptionSpec("y", "Y", "axis", "A parameter or the metric.", default="1"),
        OptionSpec("z", "Z", "axis", "A parameter or the metric.", default="2"),
    )

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw the runs that have a value on all three axes."""
        del curves
        axes = [_axis(view, options[name]) for name in ("x", "y", "z")]
        points = place_runs(view, axes, clamp_metric=False)
        data = [
            _runs_trace(view, points, points.plain, "runs"),
            _runs_trace(view, points, points.stopped, "stopped"),
            {
                # WebGL draws symbols as letters of a font; not every font has a cross.
                **_place(points, points.failed),
                "name": "failed",
                "text": hover_texts(view, points.failed),
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"symbol": "square-open", "size": 5, "color": "token:failed"},
            },
            {
                **_place(points, points.best),
                "name": "best",
                "hoverinfo": "skip",
                "marker": {
                    "symbol": "diamond",
                    "size": 9,
                    "color": "token:best-line",
                    "line": {"color": "token:surface", "width": 1},
                },
            },
            highlight_point("scatter3d"),
        ]
        key = f"scatter_3d {options['x']} {options['y']} {options['z']}"
        layout = base_layout(key, scene=_scene(key, axes), coloraxis=colour_axis(view))
        layout["margin"] = {"l": 0, "r": 0, "t": 0, "b": 0}
        layout["dragmode"] = "orbit"
        return finish(view, Figure(data, layout), points.absent, table(view))


def _axis(view: SweepView, name: str) -> Axis:
    return full_metric_axis(view) if name == METRIC else axis_named(view, name)


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
            "size": 5,
            "color": numbers(point_colours(view, runs)),
            "coloraxis": "coloraxis",
            "opacity": 1,
            "line": {
                "color": "token:terminated" if stopped else "token:surface",
                "width": 2 if stopped else 0.5,
            },
        },
    }


def _scene(key: str, axes: Sequence[Axis]) -> dict[str, Any]:
    scene: dict[str, Any] = {"camera": _CAMERA, "aspectmode": "cube", "uirevision": key}
    for name, axis in zip(("xaxis", "yaxis", "zaxis"), axes, strict=True):
        layout = axis.layout()
        scene[name] = {
            **layout,
            "title": {**layout["title"], "font": {"size": 11, "color": "token:text-2"}},
            "color": "token:text-2",
            "gridcolor": "token:line-strong",
            "showbackground": False,
            "backgroundcolor": CLEAR,
            "tickfont": {"size": 10},
        }
    return scene


def _place(points: Points, runs: Sequence[RunView]) -> dict[str, Any]:
    where = np.array([points.where[run.number] for run in runs]).reshape(len(runs), 3)
    return {
        "type": "scatter3d",
        "mode": "markers",
        "x": numbers(where[:, 0]),
        "y": numbers(where[:, 1]),
        "z": numbers(where[:, 2]),
        "customdata": numbers([run.number for run in runs], "i4"),
    }
