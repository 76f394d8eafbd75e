"""All values of several sweeps: for every value, the share of the runs that are not above it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from experiments.charts.base import RANGE, Figure
from experiments.charts.comparison import (
    ComparedSweep,
    ComparisonChart,
    ComparisonView,
    FloatArray,
    labels_of,
    rows_of,
    words_about,
)
from experiments.charts.formats import numbers, plain, shorten
from experiments.charts.metric_scale import focus_range
from experiments.charts.styles import axis_layout, base_layout, highlight_line
from experiments.formats import format_count

_MARKS: Final = (0.1, 0.25, 0.5, 0.75, 0.9)


class CompareValuesChart(ComparisonChart):
    """The distribution of the values of all runs, as empirical distribution functions."""

    name = "compare_values"
    label = "All runs"
    help = "The share of runs with at most this value."
    options = (RANGE,)

    def draw(self, view: ComparisonView, options: Mapping[str, str]) -> Figure:
        """Draw a step line from 0 to 100 % for each sweep, with marks at five quantiles."""
        labels = labels_of(view.sweeps)
        form = view.format()
        data: list[dict[str, Any]] = []
        for sweep in view.sweeps:
            values = sweep.finite()
            if values.size:
                data.append(_line(sweep, values))
                data.append(_marks(sweep, values, labels[sweep.place], view))
        data.append(highlight_line())
        figure = words_about(view, Figure(data, _layout(view, options)), _table(view))
        side = "right" if view.goal == "maximize" else "left"
        figure.meta["caption"] = ". ".join(
            part for part in (f"Further {side} is better", figure.meta["caption"]) if part
        )
        figure.meta["decimals"] = form.decimals
        return figure


def _line(sweep: ComparedSweep, values: FloatArray) -> dict[str, Any]:
    shares = np.arange(1, values.size + 1) / values.size
    x = np.repeat(values, 2)
    y = np.append([0.0], np.repeat(shares, 2))[:-1]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": sweep.name,
        "x": numbers(x),
        "y": numbers(y, "f4"),
        "customdata": numbers(np.full(x.size, sweep.place), "i2"),
        "line": {"color": sweep.colour, "width": 2, "dash": sweep.dash, "shape": "linear"},
        "hoverinfo": "skip",
    }


def _quantiles(values: FloatArray) -> FloatArray:
    """Return the points of the line where it reaches these shares of the runs."""
    at = np.ceil(np.array(_MARKS) * values.size).astype(np.int64) - 1
    found: FloatArray = values[np.clip(at, 0, values.size - 1)]
    return found


def _marks(
    sweep: ComparedSweep, values: FloatArray, label: str, view: ComparisonView
) -> dict[str, Any]:
    form = view.format()
    name, metric = plain(shorten(label, 40)), plain(shorten(view.metric))
    found = _quantiles(values)
    texts = [
        f"<b>{name}</b><br>{share:.0%} of {format_count(values.size)} runs:"
        f" {metric} ≤ <b>{form.text(value)}</b>".replace("%", " %")
        for share, value in zip(_MARKS, found.tolist(), strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{sweep.name} quantiles",
        "x": numbers(found),
        "y": list(_MARKS),
        "customdata": [sweep.place] * len(_MARKS),
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": sweep.marker(),
    }


def _layout(view: ComparisonView, options: Mapping[str, str]) -> dict[str, Any]:
    xaxis: dict[str, Any] = {"title": {"text": plain(shorten(view.label(), 34))}}
    values = view.values()
    if options["range"] == "focus" and values.size:
        xaxis["range"] = list(focus_range(values, view.goal))
    yaxis = {"title": {"text": "share of runs"}, "range": [-0.02, 1.02], "tickformat": ".0%"}
    key = f"compare_values {options['range']}"
    return base_layout(key, xaxis=axis_layout(xaxis), yaxis=axis_layout(yaxis))


def _table(view: ComparisonView) -> dict[str, Any]:
    labels = labels_of(view.sweeps)
    rows: list[list[Any]] = []
    for sweep in view.sweeps:
        values = sweep.finite()
        if not values.size:
            rows.append([labels[sweep.place], 0, *([None] * 7)])
            continue
        low, quarter, middle, three, high = _quantiles(values).tolist()
        shown = [values[0].item(), low, quarter, three, high, values[-1].item()]
        rows.append([labels[sweep.place], int(values.size), middle, *shown])
    columns = ["Sweep", "Runs", "Median", "Lowest", "10 %", "25 %", "75 %", "90 %", "Highest"]
    return rows_of(columns, rows)
