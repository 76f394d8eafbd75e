"""The model against what happened: each run as expected from all others, beside its real value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.charts.axes import value_label
from experiments.charts.base import Chart, Curve, Figure, SweepView
from experiments.charts.formats import metric_format, numbers
from experiments.charts.metric_model import LeftOut
from experiments.charts.model_view import learned_runs, no_model, rows_table
from experiments.charts.styles import axis_layout, base_layout, highlight_point
from experiments.charts.texts import finish, hover_texts


class ModelCheckChart(Chart):
    """Observed values against those that the model expected without having seen the run."""

    name = "model_check"
    label = "Observed and expected"
    help = "Each run against what the model expects of it when it learns from all others."
    needs_model = True

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw a point with a bar for each run; the better the model, the nearer the diagonal."""
        del options, curves
        model = view.model
        if model is None:
            return no_model(view, self.name)
        found = model.left_out()
        _, absent = learned_runs(view, model)
        low, high = _ends(found)
        form = metric_format([*found.observed, *found.expected.mean])
        data = [_diagonal(low, high), _points(view, found), highlight_point()]
        label = value_label(view)
        layout = base_layout(
            "model_check",
            xaxis=axis_layout({"title": {"text": f"expected {label}"}, "range": [low, high]}),
            yaxis=axis_layout({"title": {"text": f"observed {label}"}, "range": [low, high]}),
        )
        rows = rows_table(
            ["Run", "Observed", "Expected", "From", "To"],
            [list(row) for row in _rows(found)],
        )
        figure = finish(view, Figure(data, layout), absent, rows)
        figure.meta.update(is_empty=False, decimals=form.decimals, summary=_summary(found))
        return figure


def _ends(found: LeftOut) -> tuple[float, float]:
    values = np.concatenate([found.observed, found.expected.mean])
    low, high = float(values.min()), float(values.max())
    pad = (high - low) * 0.08 or abs(high) * 0.05 or 0.5
    return low - pad, high + pad


def _diagonal(low: float, high: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "diagonal",
        "x": [low, high],
        "y": [low, high],
        "hoverinfo": "skip",
        "line": {"color": "token:line-strong", "width": 1.5, "dash": "dash"},
    }


def _points(view: SweepView, found: LeftOut) -> dict[str, Any]:
    runs = {run.number: run for run in view.runs}
    expected = found.expected
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "runs",
        "x": numbers(expected.mean),
        "y": numbers(found.observed),
        "customdata": numbers(list(found.numbers), "i4"),
        "text": hover_texts(view, [runs[number] for number in found.numbers]),
        "hovertemplate": "%{text}<br>expected %{x:.5~g}<extra></extra>",
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": numbers(expected.high - expected.mean),
            "arrayminus": numbers(expected.mean - expected.low),
            "color": "token:run-line",
            "thickness": 0.8,
            "width": 0,
        },
        "marker": {
            "size": 8,
            "color": "token:accent",
            "line": {"color": "token:surface", "width": 0.8},
        },
    }


def _rows(found: LeftOut) -> list[list[Any]]:
    expected = found.expected
    return [
        [number, *map(float, values)]
        for number, *values in zip(
            found.numbers,
            found.observed,
            expected.mean,
            expected.low,
            expected.high,
            strict=True,
        )
    ]


def _summary(found: LeftOut) -> str:
    inside = (found.observed >= found.expected.low) & (found.observed <= found.expected.high)
    share = f"{int(inside.sum())} of {len(found.numbers)} runs"
    return f"{share} lie within one standard deviation of what was expected of them"
