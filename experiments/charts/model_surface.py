"""The model over two parameters: expected metric, or how uncertain it is, through the best run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.charts.axes import Axis, parameter_axis, value_label
from experiments.charts.base import Chart, Curve, Figure, OptionSpec, RunView, SweepView
from experiments.charts.formats import json_value, metric_format, numbers, plain, shorten
from experiments.charts.metric_model import Prediction, Surface
from experiments.charts.model_view import learned_runs, no_model, rows_table
from experiments.charts.styles import axis_layout, base_layout, highlight_point
from experiments.charts.texts import best_run, finish, hover_texts

FloatArray = NDArray[np.float64]
_TABLE_POINTS: Final = 9
_NEEDS_TWO: Final = "This takes two different parameters with more than one value each."


class ModelSurfaceChart(Chart):
    """What the metric would be if two parameters of the best run were others."""

    name = "model_surface"
    label = "Over two parameters"
    help = "What the model expects when two parameters of the best run change."
    needs_model = True
    options = (
        OptionSpec("x", "Horizontal", "parameter", "A parameter.", default="0"),
        OptionSpec("y", "Vertical", "parameter", "A parameter.", default="1"),
        OptionSpec(
            "show",
            "Show",
            "choice",
            "The expected metric, or one standard deviation of it.",
            (("mean", "Expected metric"), ("spread", "Uncertainty")),
            "mean",
        ),
    )

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw lines of equal metric, or cells where an axis is a category; runs are dots."""
        del curves
        names, model = (options["x"], options["y"]), view.model
        if model is None or not names[0]:
            return no_model(view, self.name)
        axes = [parameter_axis(name, view.space[name], view.runs) for name in names]
        found = model.over(*names)
        if found is None:
            return no_model(view, self.name, _NEEDS_TWO)
        values, expected = (found.x, found.y), found.expected
        shape = (len(found.y), len(found.x))
        is_mean = options["show"] == "mean"
        shown = expected.mean if is_mean else (expected.high - expected.low) / 2
        runs, absent = learned_runs(view, model)
        best = best_run(view)
        data = [
            _surface(view, axes, values, shown.reshape(shape), is_mean=is_mean),
            _runs_trace(view, axes, runs, "runs"),
            _runs_trace(view, axes, [best] if best in runs and best else [], "best"),
            highlight_point(),
        ]
        layout = base_layout(
            f"model_surface {names[0]} {names[1]}",
            xaxis=axis_layout(_tight(axes[0])),
            yaxis=axis_layout(_tight(axes[1])),
        )
        rows = _table(names, values, expected, shape)
        figure = finish(view, Figure(data, layout), absent, rows)
        figure.meta.update(is_empty=False, summary=_summary(view, names, found))
        figure.meta["decimals"] = metric_format(expected.mean.tolist()).decimals
        return figure


def _surface(
    view: SweepView,
    axes: Sequence[Axis],
    values: Sequence[Sequence[Any]],
    z: FloatArray,
    *,
    is_mean: bool,
) -> dict[str, Any]:
    is_cells = any(axis.scale == "category" for axis in axes) or min(z.shape) < 2
    title = value_label(view) if is_mean else "± uncertainty"
    trace: dict[str, Any] = {
        "type": "heatmap" if is_cells else "contour",
        "name": "surface",
        "x": numbers(axes[0].places(values[0])),
        "y": numbers(axes[1].places(values[1])),
        # Rows, however many: the browser unpacks typed arrays without their shape.
        "z": [numbers(row) for row in z],
        "colorscale": "token:seq",
        # The dark end is the better one, and the more uncertain one.
        "reversescale": is_mean and view.goal == "minimize",
        "hovertemplate": f"{'expected' if is_mean else '±'} %{{z:.5~g}}<extra></extra>",
        "colorbar": {
            "title": {"text": plain(shorten(title)), "side": "right"},
            "thickness": 10,
            "outlinewidth": 0,
            "exponentformat": "power",
            "tickfont": {"size": 11, "color": "token:text-2"},
        },
    }
    if is_cells:
        return {**trace, "xgap": 1, "ygap": 1}
    return {
        **trace,
        "ncontours": 14,
        "contours": {"coloring": "fill"},
        "line": {"width": 0.6, "color": "token:surface"},
    }


def _runs_trace(
    view: SweepView, axes: Sequence[Axis], runs: Sequence[RunView], name: str
) -> dict[str, Any]:
    is_best = name == "best"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(axes[0].positions(runs)),
        "y": numbers(axes[1].positions(runs)),
        "customdata": numbers([run.number for run in runs], "i4"),
        "text": hover_texts(view, runs),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "symbol": "star" if is_best else "circle",
            "size": 17 if is_best else 7,
            "color": "token:best-line" if is_best else "token:surface",
            "line": {
                "color": "token:surface" if is_best else "token:text",
                "width": 1.4 if is_best else 1,
            },
        },
    }


def _tight(axis: Axis) -> dict[str, Any]:
    return {**axis.layout(), "showgrid": False}


def _table(
    names: Sequence[str],
    values: Sequence[Sequence[Any]],
    expected: Prediction,
    shape: tuple[int, int],
) -> dict[str, Any]:
    """Return every fourth row and column or so: a table of a thousand cells helps nobody."""
    rows = []
    steps = [max(1, -(-length // _TABLE_POINTS)) for length in shape]
    for row in range(0, shape[0], steps[0]):
        for column in range(0, shape[1], steps[1]):
            at = row * shape[1] + column
            pair = (values[0][column], values[1][row])
            band = (expected.mean[at], expected.low[at], expected.high[at])
            rows.append([*map(json_value, pair), *map(float, band)])
    return rows_table([*names, "Expected", "From", "To"], rows)


def _summary(view: SweepView, names: Sequence[str], found: Surface) -> str:
    mean = found.expected.mean
    at = int(mean.argmax() if view.goal == "maximize" else mean.argmin())
    text = metric_format(mean.tolist()).text(float(mean[at]))
    row, column = divmod(at, len(found.x))
    where = f"{names[0]} {found.x[column]} and {names[1]} {found.y[row]}"
    return f"The best expected {view.metric} is {text} at {where}"
