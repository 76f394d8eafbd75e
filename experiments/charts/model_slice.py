"""The model along one parameter: expected metric and its band, on the line through the best run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.charts.axes import Axis, parameter_axis, value_label
from experiments.charts.base import Chart, Curve, Figure, OptionSpec, RunView, SweepView
from experiments.charts.formats import json_value, metric_format, numbers
from experiments.charts.metric_model import MetricModel, Prediction
from experiments.charts.metric_scale import metric_values
from experiments.charts.model_view import learned_runs, no_model, rows_table
from experiments.charts.styles import CLEAR, axis_layout, base_layout, highlight_point
from experiments.charts.texts import best_run, finish, hover_texts

FloatArray = NDArray[np.float64]


class ModelSliceChart(Chart):
    """What the metric would be if one parameter of the best run were another one."""

    name = "model_slice"
    label = "Along a parameter"
    help = "What the model expects when one parameter of the best run changes."
    needs_model = True
    options = (
        OptionSpec("x", "Parameter", "parameter", "The parameter that changes.", default="0"),
    )

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw the line with its band, or for a category points with bars."""
        del curves
        name, model = options["x"], view.model
        if model is None or not name:
            return no_model(view, self.name)
        axis = parameter_axis(name, view.space[name], view.runs)
        found = model.along(name)
        if found is None:
            return no_model(view, self.name, f"{name} has a single value.")
        values, expected = found.values, found.expected
        runs, absent = learned_runs(view, model)
        places = axis.places(values)
        draw = _bars if axis.scale == "category" else _band
        data = [
            *draw(places, expected),
            _runs_trace(view, axis, runs),
            _best_trace(view, axis, model),
            highlight_point(),
        ]
        layout = base_layout(
            f"model_slice {name}",
            xaxis=axis_layout(axis.layout()),
            yaxis=axis_layout(
                {"title": {"text": value_label(view)}, "range": _range(view, expected)}
            ),
        )
        figure = finish(view, Figure(data, layout), absent, _table(name, values, expected))
        figure.meta.update(is_empty=False, summary=_summary(view, name, values, expected))
        figure.meta["decimals"] = metric_format([*expected.mean, *metric_values(runs)]).decimals
        return figure


def _band(places: FloatArray, expected: Prediction) -> list[dict[str, Any]]:
    edge = {"type": "scatter", "mode": "lines", "x": numbers(places), "hoverinfo": "skip"}
    return [
        {**edge, "name": "low", "y": numbers(expected.low), "line": {"color": CLEAR, "width": 0}},
        {
            **edge,
            "name": "band",
            "y": numbers(expected.high),
            "line": {"color": CLEAR, "width": 0},
            "fill": "tonexty",
            "fillcolor": "token:accent-weak",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "expected",
            "x": numbers(places),
            "y": numbers(expected.mean),
            "line": {"color": "token:accent", "width": 2.4},
            "hovertemplate": "expected %{y:.5~g}<extra></extra>",
        },
    ]


def _bars(places: FloatArray, expected: Prediction) -> list[dict[str, Any]]:
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "expected",
            "x": numbers(places),
            "y": numbers(expected.mean),
            "marker": {"color": "token:accent", "size": 11, "symbol": "diamond"},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": numbers(expected.high - expected.mean),
                "arrayminus": numbers(expected.mean - expected.low),
                "color": "token:accent",
                "thickness": 2,
                "width": 8,
            },
            "hovertemplate": "expected %{y:.5~g}<extra></extra>",
        }
    ]


def _runs_trace(view: SweepView, axis: Axis, runs: Sequence[RunView]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "runs",
        "x": numbers(axis.positions(runs)),
        "y": numbers(metric_values(runs)),
        "customdata": numbers([run.number for run in runs], "i4"),
        "text": hover_texts(view, runs),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 7,
            "color": "token:run-line",
            "opacity": 0.55,
            "line": {"color": "token:surface", "width": 0.8},
        },
    }


def _best_trace(view: SweepView, axis: Axis, model: MetricModel) -> dict[str, Any]:
    best = best_run(view)
    runs = [best] if best is not None and best.number in model.numbers else []
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "best",
        "x": numbers(axis.positions(runs)),
        "y": numbers(metric_values(runs)),
        "customdata": numbers([run.number for run in runs], "i4"),
        "hoverinfo": "skip",
        "marker": {
            "symbol": "star",
            "size": 16,
            "color": "token:best-line",
            "line": {"color": "token:surface", "width": 1.4},
        },
    }


def _range(view: SweepView, expected: Prediction) -> list[float]:
    """Return a range with all of the line and the better four fifths of the runs."""
    values = metric_values(view.runs)
    known = np.sort(values[np.isfinite(values)])
    fifth = known.size // 5
    good = known[fifth:] if view.goal == "maximize" else known[: known.size - fifth]
    shown = np.concatenate([expected.mean, good])
    inner = (float(shown.min()), float(shown.max()))
    reach = (inner[1] - inner[0]) or abs(inner[0]) * 0.1 or 1.0
    # A band that is far wider than what is known would flatten everything else.
    low = max(float(expected.low.min()), inner[0] - reach)
    high = min(float(expected.high.max()), inner[1] + reach)
    low, high = min(low, inner[0]), max(high, inner[1])
    pad = (high - low) * 0.05
    return [low - pad, high + pad]


def _table(name: str, values: Sequence[Any], expected: Prediction) -> dict[str, Any]:
    return rows_table(
        [name, "From", "Expected", "To"],
        [
            [json_value(value), float(low), float(mean), float(high)]
            for value, mean, low, high in zip(
                values, expected.mean, expected.low, expected.high, strict=True
            )
        ],
    )


def _summary(view: SweepView, name: str, values: Sequence[Any], expected: Prediction) -> str:
    at = int(expected.mean.argmax() if view.goal == "maximize" else expected.mean.argmin())
    text = metric_format(expected.mean.tolist()).text(float(expected.mean[at]))
    return f"Along {name}, the best expected {view.metric} is {text} at {values[at]}"
