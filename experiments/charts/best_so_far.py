"""Best so far: every run as a dot in order of start, the best up to each as a step line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from experiments.charts.axes import focused_metric_axis, value_label
from experiments.charts.base import RANGE, Chart, Curve, Figure, RunView, SweepView
from experiments.charts.formats import numbers, plain, shorten
from experiments.charts.metric_scale import metric_values
from experiments.charts.styles import (
    FEW_WHOLE,
    STYLES,
    axis_layout,
    base_layout,
    grouped,
    highlight_point,
)
from experiments.charts.texts import best_run, finish, format_of, hover_texts, table, without_value
from experiments.curves import best_so_far

_TICKS: Final = 7
_SYMBOLS: Final = {"stopped": "circle-open", "failed": "x-thin-open"}


class BestSoFarChart(Chart):
    """How the best value grew over the runs."""

    name = "best_so_far"
    label = "Best so far"
    help = "Every run in order of start, and the best value up to it."
    options = (RANGE,)

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw all runs with a value; in the focused range others stand at its edge."""
        del curves
        absent = without_value(view.runs)
        runs = sorted((r for r in view.runs if r.number not in absent), key=lambda r: r.number)
        axis = focused_metric_axis(view)
        is_focused = options["range"] == "focus" and bool(runs)
        span = (axis.low, axis.high) if is_focused else None

        steps = best_so_far(metric_values(runs), view.goal)
        data = [_dots(view, name, members, span) for name, members in grouped(runs).items()]
        data.append(_step_line(runs, steps))
        best = best_run(view)
        if best is not None:
            data.append(_star(view, best))
        data.append(highlight_point())

        rows = table(view, {"Best so far": _by_number(runs, steps)})
        return finish(view, Figure(data, _layout(view, options, span)), absent, rows)


def _dots(
    view: SweepView, group: str, runs: list[RunView], span: tuple[float, float] | None
) -> dict[str, Any]:
    style = STYLES[group]
    symbol = _SYMBOLS.get(group, "circle")
    ys = metric_values(runs)
    symbols: str | list[str] = symbol
    if span is not None:
        inset = (span[1] - span[0]) * 0.012
        below, above = ys < span[0], ys > span[1]
        ys = np.clip(ys, span[0] + inset, span[1] - inset)
        if bool(np.any(below | above)):
            edge = "triangle-down" if bool(np.any(below)) else "triangle-up"
            symbols = [edge if out else symbol for out in (below | above).tolist()]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": group,
        "x": numbers([run.number for run in runs], "i4"),
        "y": numbers(ys),
        "customdata": numbers([run.number for run in runs], "i4"),
        "text": hover_texts(view, runs),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 6.5,
            "color": style.colour,
            "symbol": symbols,
            "opacity": 0.85,
            "line": {"color": style.colour, "width": 1.4 if symbol != "circle" else 0},
        },
    }


def _step_line(runs: Sequence[RunView], steps: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "best so far",
        "x": numbers([run.number for run in runs], "i4"),
        "y": numbers(steps),
        "line": {"shape": "hv", "color": "token:best-line", "width": 2.4},
        "hoverinfo": "skip",
    }


def _star(view: SweepView, best: RunView) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "best",
        "x": [best.number],
        "y": [best.value],
        "customdata": [best.number],
        "text": [f"Run {best.number} · {format_of(view).text(best.value)}"],
        "textposition": _label_place(view, best),
        "textfont": {"color": "token:best", "size": 12},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "marker": {
            "symbol": "star",
            "size": 14,
            "color": "token:best-line",
            "line": {"color": "token:surface", "width": 1},
        },
    }


def _label_place(view: SweepView, best: RunView) -> str:
    # Beyond the step line, and turned inwards where the plot ends.
    share = best.number / max(1, *(run.number for run in view.runs))
    side = "right" if share < 0.15 else "left" if share > 0.85 else "center"
    return f"{'top' if view.goal == 'maximize' else 'bottom'} {side}"


def _layout(
    view: SweepView, options: Mapping[str, str], span: tuple[float, float] | None
) -> dict[str, Any]:
    # The chart is low: left alone, Plotly makes do with two or three ticks.
    yaxis: dict[str, Any] = {
        "title": {"text": plain(shorten(value_label(view)))},
        "nticks": _TICKS,
    }
    if span is not None:
        # Room for the label of the star, which stands beyond the best value.
        room = (span[1] - span[0]) * 0.12
        up = view.goal == "maximize"
        yaxis["range"] = [span[0], span[1] + room] if up else [span[0] - room, span[1]]
    last = max((run.number for run in view.runs), default=0)
    xaxis: dict[str, Any] = {"title": {"text": "run"}, "range": [-0.8, last + 0.8]}
    if last < FEW_WHOLE:
        xaxis["dtick"] = 1
    key = f"best_so_far {options['range']}"
    return base_layout(key, xaxis=axis_layout(xaxis), yaxis=axis_layout(yaxis))


def _by_number(runs: Sequence[RunView], steps: Any) -> dict[int, Any]:
    return {run.number: value for run, value in zip(runs, steps.tolist(), strict=True)}
