"""Best so far of several sweeps: over their runs, over time, over the compute that they used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from experiments.charts.base import RANGE, Figure, OptionSpec
from experiments.charts.comparison import (
    ComparedSweep,
    ComparisonChart,
    ComparisonView,
    FloatArray,
    Leads,
    labels_of,
    leads_by_run,
    leads_by_time,
    rows_of,
    words_about,
)
from experiments.charts.formats import MetricFormat, numbers, plain, shorten
from experiments.charts.metric_scale import focus_range
from experiments.charts.styles import FEW_WHOLE, axis_layout, base_layout, highlight_line
from experiments.curves import best_so_far
from experiments.formats import format_count, format_duration

_TITLES: Final = {"runs": "runs", "time": "since the start", "compute": "compute"}
# Largest unit whose axis would still have whole numbers on it: (seconds, word).
_UNITS: Final = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
_ROOM: Final = 1.03


class CompareBestChart(ComparisonChart):
    """How the best value of each sweep grew."""

    name = "compare_best"
    label = "Best so far"
    help = "The best value of each sweep so far; a dot is a new best."
    options = (
        OptionSpec(
            "x",
            "Over",
            "choice",
            "What the sweeps are compared by: runs, time since the start, or compute used.",
            (("runs", "By runs"), ("time", "By time"), ("compute", "By compute")),
            "runs",
        ),
        OptionSpec(
            "scale",
            "Scale",
            "choice",
            "Logarithmic shows the begin, linear the end.",
            (("linear", "Linear"), ("log", "Log")),
            "linear",
        ),
        RANGE,
    )

    def draw(self, view: ComparisonView, options: Mapping[str, str]) -> Figure:
        """Draw a step line for each sweep, which ends where the sweep is now."""
        over = options["x"]
        lines = [(sweep, *_line(sweep, view.goal, over)) for sweep in view.sweeps]
        unit, word = _unit(lines) if over != "runs" else (1.0, "")
        form = view.format()
        labels = labels_of(view.sweeps)
        data: list[dict[str, Any]] = []
        for sweep, leads, xs, end in lines:
            if leads.values.size:
                data.append(_steps(sweep, xs / unit, leads.values, end / unit))
                data.append(_dots(sweep, leads, xs / unit, labels[sweep.place], view, form))
        data.append(highlight_line())
        title = _TITLES[over] if over == "runs" else f"{_TITLES[over]}, {word}"
        ends = [end / unit for _, _, _, end in lines]
        starts = [float(xs[0]) / unit for _, _, xs, _ in lines if xs.size and xs[0] > 0]
        layout = _layout(view, options, title, ends, starts)
        return words_about(view, Figure(data, layout), _table(view, lines, form))


_Line = tuple[ComparedSweep, Leads, FloatArray, float]


def _line(sweep: ComparedSweep, goal: str, over: str) -> tuple[Leads, FloatArray, float]:
    """Return the leads, where they stand, and where the line ends."""
    if over == "runs":
        leads = leads_by_run(sweep, goal)
        return leads, leads.runs.astype(np.float64), float(sweep.values.size)
    leads = leads_by_time(sweep, goal)
    if over == "time":
        return leads, leads.seconds, max(sweep.seconds, *leads.seconds.tolist(), 0.0)
    total = sweep.compute_until(np.array([np.inf]))
    return leads, leads.compute, float(total[0])


def _unit(lines: list[_Line]) -> tuple[float, str]:
    longest = max((end for _, _, _, end in lines), default=0.0)
    return next((unit for unit in _UNITS if longest >= 2 * unit[0]), _UNITS[-1])


def _steps(sweep: ComparedSweep, xs: FloatArray, ys: FloatArray, end: float) -> dict[str, Any]:
    # Both ends of every step: highlights are drawn from point to point.
    x = np.append(np.repeat(xs, 2)[1:], end)
    y = np.repeat(ys, 2)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": sweep.name,
        "x": numbers(x),
        "y": numbers(y),
        "customdata": [sweep.place] * int(x.size),
        "line": {"color": sweep.colour, "width": 2.2, "dash": sweep.dash, "shape": "linear"},
        "hoverinfo": "skip",
    }


def _dots(
    sweep: ComparedSweep,
    leads: Leads,
    xs: FloatArray,
    label: str,
    view: ComparisonView,
    form: MetricFormat,
) -> dict[str, Any]:
    name, metric = plain(shorten(label, 40)), plain(shorten(view.metric))
    texts = [
        f"<b>{name}</b><br>{metric} <b>{form.text(value)}</b> · run {number}"
        f"<br>{format_count(runs)} runs · after {format_duration(seconds)}"
        f" · compute {format_duration(compute)}"
        for number, value, runs, seconds, compute in leads.rows()
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{sweep.name} leads",
        "x": numbers(xs),
        "y": numbers(leads.values),
        "customdata": [sweep.place] * int(xs.size),
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": sweep.marker(),
    }


def _layout(
    view: ComparisonView,
    options: Mapping[str, str],
    title: str,
    ends: list[float],
    starts: list[float],
) -> dict[str, Any]:
    yaxis: dict[str, Any] = {"title": {"text": plain(shorten(view.label(), 34))}}
    # What stands on the lines: one point a run, so that the first bad ones flatten nothing.
    lines = [best_so_far(sweep.values, view.goal) for sweep in view.sweeps]
    values = np.concatenate([line[np.isfinite(line)] for line in lines] or [np.zeros(0)])
    if options["range"] == "focus" and values.size:
        yaxis["range"] = list(focus_range(values, view.goal))
    last = max(ends, default=0.0) or 1.0
    xaxis: dict[str, Any] = {"title": {"text": title}}
    if options["scale"] == "log":
        first = min(starts, default=last / 100)
        low, high = np.log10(first), np.log10(max(last, first * 2))
        pad = (high - low) * 0.03
        xaxis |= {"type": "log", "range": [float(low - pad), float(high + pad)], "dtick": 1}
    else:
        xaxis["range"] = [0, last * _ROOM]
        if options["x"] == "runs" and last < FEW_WHOLE:
            xaxis["dtick"] = 1
    key = "compare_best " + " ".join(options.values())
    return base_layout(key, xaxis=axis_layout(xaxis), yaxis=axis_layout(yaxis))


def _table(view: ComparisonView, lines: list[_Line], form: MetricFormat) -> dict[str, Any]:
    del form
    labels = labels_of(view.sweeps)
    rows = [
        [
            labels[sweep.place],
            number,
            value,
            runs,
            format_duration(seconds),
            format_duration(compute),
        ]
        for sweep, leads, _, _ in lines
        for number, value, runs, seconds, compute in leads.rows()
    ]
    return rows_of(["Sweep", "Run", view.metric, "Runs by then", "After", "Compute by then"], rows)
