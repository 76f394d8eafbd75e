"""Metrics: one line per run, over intervals, steps or time, with the policy's limit.

Lines of one style share one trace with gaps between them: in the browser the number of traces
costs, not the number of points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.charts.axes import metric_label
from experiments.charts.base import Chart, Curve, Figure, OptionSpec, SweepView
from experiments.charts.best_so_far import BestSoFarChart
from experiments.charts.formats import MetricFormat, metric_format, numbers, plain, shorten
from experiments.charts.lines import Line, cut_lines
from experiments.charts.metric_scale import focus_range
from experiments.charts.styles import (
    FEW_WHOLE,
    STYLES,
    Style,
    axis_layout,
    base_layout,
    grouped,
    highlight_line,
)
from experiments.charts.texts import finish, table
from experiments.states import RUN_TERMINAL

FloatArray = NDArray[np.float64]

_X_LABELS: Final = {"interval": "interval", "step": "step", "time": "seconds since first report"}
_MANY_LINES: Final = 300
_THIN: Final = 0.6
_ENDS: Final = {"stopped": "line-ns-open", "failed": "x", "running": "circle", "best": "star"}
_END_SIZES: Final = {"stopped": 7, "failed": 8, "running": 5.5, "best": 13}


class MetricsChart(Chart):
    """One line per child run."""

    name = "metrics"
    label = "Metrics"
    help = "The reports of every run, one line per run."
    needs_curves = True
    options = (
        OptionSpec("metric", "Metric", "metric", "Any metric that the script logs."),
        OptionSpec(
            "x",
            "Over",
            "choice",
            "What runs to the right: number of the report, step given by the script, or time.",
            (("interval", "Interval"), ("step", "Step"), ("time", "Time")),
            "interval",
        ),
        OptionSpec(
            "range",
            "Range",
            "choice",
            "The interesting range, or everything.",
            (("focus", "Interesting range"), ("full", "Full range")),
            "focus",
        ),
    )

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw the curves of the chosen metric; runs without one are counted in the caption.

        Finished runs with one report each are points in order of start: lines would be empty.
        """
        lines, absent = cut_lines(view, options["x"], curves)
        is_primary = options["metric"] == view.metric
        if is_primary and _are_single_points(lines):
            figure = BestSoFarChart().draw(view, {"range": options["range"]}, {})
            figure.meta.update(lines={}, x="run")
        else:
            figure = _lines_figure(view, options, lines)
            finish(view, figure, absent, table(view, _table_columns(view)))
        figure.meta["metric"] = options["metric"]
        return figure


def _are_single_points(lines: Mapping[int, Line]) -> bool:
    return len(lines) > 1 and all(
        line.is_point and line.run.state in RUN_TERMINAL for line in lines.values()
    )


def _lines_figure(view: SweepView, options: Mapping[str, str], lines: Mapping[int, Line]) -> Figure:
    is_primary = options["metric"] == view.metric
    form = metric_format(v for line in lines.values() for v in line.y.tolist())
    groups = grouped((line.run for line in lines.values()), view.best_number)
    y_range = _y_range(view, options, lines) if is_primary else None
    hover = _hover_template(options, form)
    members = {group: [lines[run.number] for run in runs] for group, runs in groups.items()}

    data = [_group_trace(STYLES[group], of, hover) for group, of in members.items()]
    if len(lines) > _MANY_LINES:
        for trace in data:
            trace["line"]["width"] *= _THIN if trace["name"] != "best" else 1
    for group, of in members.items():
        ends = of if group in _ENDS else [line for line in of if line.is_point]
        if ends:
            star = is_primary and group == "best"
            places = [line.peak(view.goal) if star else line.end() for line in ends]
            data.append(_end_trace(STYLES[group], ends, places))
    if y_range:
        data.extend(_edge_traces(view, lines, y_range))
    label = metric_label(view) if is_primary else options["metric"]
    layout = _layout(options, label, y_range)
    if options["x"] == "interval" and _are_short(lines):
        layout["xaxis"]["dtick"] = 1
    if is_primary and options["x"] == "interval" and view.limits:
        data.append(_limit_trace(view, form))
        layout["annotations"] = [_limit_note(view)]
    data.append(highlight_line())
    meta = {"lines": _lines_meta(members), "x": options["x"], "decimals": form.decimals}
    return Figure(data, layout, meta)


def _are_short(lines: Mapping[int, Line]) -> bool:
    # Lines that still grow would outgrow a tick at every interval before the next figure.
    return all(
        line.run.state in RUN_TERMINAL and line.x.size <= FEW_WHOLE for line in lines.values()
    )


def _y_range(
    view: SweepView, options: Mapping[str, str], lines: Mapping[int, Line]
) -> list[float] | None:
    if options["range"] == "full" or not lines:
        return None
    return list(focus_range(np.concatenate([line.y for line in lines.values()]), view.goal))


def _group_trace(style: Style, members: Sequence[Line], hover: str) -> dict[str, Any]:
    gap = [np.nan]
    xs = np.concatenate([part for line in members for part in (line.x, gap)])[:-1]
    ys = np.concatenate([part for line in members for part in (line.y, gap)])[:-1]
    owners = np.repeat([line.run.number for line in members], [line.x.size + 1 for line in members])
    # Lines that still grow keep the one type that the browser appends to.
    grows = style.group in ("running", "best")
    whole = not grows and bool(np.all(np.isnan(xs) | (xs == np.floor(xs))))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": style.group,
        "x": numbers(np.nan_to_num(xs).astype(np.int64), "i4") if whole else numbers(xs),
        "y": numbers(ys),
        "customdata": numbers(owners[:-1], "i2" if owners.max() < 1 << 15 else "i4"),
        "connectgaps": False,
        "line": {"color": style.colour, "width": style.width, "shape": "linear"},
        "opacity": style.opacity,
        "hovertemplate": hover,
    }


def _end_trace(
    style: Style, lines: Sequence[Line], places: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{style.group} ends",
        "x": numbers([x for x, _ in places]),
        "y": numbers([y for _, y in places]),
        "customdata": [line.run.number for line in lines],
        "hoverinfo": "skip",
        "marker": {
            "symbol": _ENDS.get(style.group, "circle"),
            "size": _END_SIZES.get(style.group, 5),
            "color": style.colour,
            "opacity": max(style.opacity, 0.6),
            "line": {
                "color": "token:surface" if style.group == "best" else style.colour,
                "width": 1.6 if style.group == "stopped" else 1 if style.group == "best" else 0,
            },
        },
    }


def _edge_traces(
    view: SweepView, lines: Mapping[int, Line], y_range: list[float]
) -> list[dict[str, Any]]:
    low, high = y_range
    inset = (high - low) * 0.012
    is_up = view.goal == "maximize"
    outside = [
        line
        for line in lines.values()
        if (np.nanmax(line.y) < low if is_up else np.nanmin(line.y) > high)
    ]
    if not outside:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "edge",
            "x": [line.end()[0] for line in outside],
            "y": [low + inset if is_up else high - inset] * len(outside),
            "customdata": [line.run.number for line in outside],
            "hovertemplate": "<b>Run %{customdata}</b> lies outside this range<extra></extra>",
            "marker": {
                "symbol": "triangle-down" if is_up else "triangle-up",
                "size": 8,
                "color": "token:run-line",
            },
        }
    ]


def _limit_trace(view: SweepView, form: MetricFormat) -> dict[str, Any]:
    label = plain(view.limit_label.capitalize())
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "limit",
        "x": [interval for interval, _ in view.limits],
        "y": numbers([limit for _, limit in view.limits]),
        "line": {"color": "token:terminated", "width": 1.6, "dash": "4px,3px", "shape": "hv"},
        "hovertemplate": (
            f"{label} %{{y:{form.d3}}}<br>from interval %{{x}}"
            "<br>as it is now: runs may have passed it earlier<extra></extra>"
        ),
    }


def _limit_note(view: SweepView) -> dict[str, Any]:
    interval, limit = view.limits[-1]
    return {
        "x": interval,
        "y": limit,
        "text": plain(view.limit_label),
        "showarrow": False,
        "xanchor": "right",
        "yshift": -9,
        "font": {"size": 11, "color": "token:terminated"},
    }


def _hover_template(options: Mapping[str, str], form: MetricFormat) -> str:
    over = "time %{x:.1f} s" if options["x"] == "time" else f"{options['x']} %{{x}}"
    metric = plain(options["metric"])
    return f"<b>Run %{{customdata}}</b> · {over}<br>{metric} <b>%{{y:{form.d3}}}</b><extra></extra>"


def _layout(options: Mapping[str, str], label: str, y_range: list[float] | None) -> dict[str, Any]:
    yaxis: dict[str, Any] = {"title": {"text": plain(shorten(label, 34))}}
    if y_range:
        yaxis["range"] = y_range
    xaxis = {"title": {"text": _X_LABELS[options["x"]]}, "rangemode": "tozero"}
    key = f"metrics {options['metric']} {options['x']} {options['range']}"
    return base_layout(key, xaxis=axis_layout(xaxis), yaxis=axis_layout(yaxis))


def _lines_meta(members: Mapping[str, Sequence[Line]]) -> dict[str, dict[str, Any]]:
    meta: dict[str, dict[str, Any]] = {}
    for group, lines in members.items():
        for line in lines:
            meta[str(line.run.number)] = {"group": group, "n": line.reports}
            if group in ("running", "best"):
                meta[str(line.run.number)]["end"] = list(line.end())
    return meta


def _table_columns(view: SweepView) -> dict[str, dict[int, Any]]:
    return {
        "Best at": {run.number: run.best_interval for run in view.runs},
        "Last": {run.number: run.last for run in view.runs},
        "Reports": {run.number: run.reports for run in view.runs},
    }
