"""Metrics: one line per run, over intervals, steps or time, with the policy's limit.

The figure says how lines look and what stands beside them; the browser reads their points from
`/api/v1/sweeps/<id>/curves` and draws a thousand of them on a canvas of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from experiments.charts.axes import metric_label
from experiments.charts.base import RANGE, Chart, Curve, Figure, OptionSpec, SweepView
from experiments.charts.best_so_far import BestSoFarChart
from experiments.charts.styles import STYLES, base_layout, group_of, highlight_line
from experiments.charts.texts import best_run, finish, format_of, table, without_value
from experiments.states import RUN_TERMINAL

X_LABELS: Final = {"interval": "interval", "step": "step", "time": "seconds since first report"}


class MetricsChart(Chart):
    """One line per child run."""

    name = "metrics"
    label = "Metrics"
    help = "The reports of every run, one line per run."
    needs_limits = True
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
        RANGE,
    )

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Say how the lines of the chosen metric look; a run without a value has none.

        Finished runs with one report each are points in order of start: lines would be empty.
        """
        del curves
        is_primary = options["metric"] == view.metric
        if is_primary and _are_single_points(view):
            figure = BestSoFarChart().draw(view, {"range": options["range"]}, {})
            figure.meta["x"] = "run"
        else:
            figure = _lines_figure(view, options)
            finish(view, figure, without_value(view.runs), table(view, _table_columns(view)))
        figure.meta["metric"] = options["metric"]
        figure.meta["styles"] = {style.group: _look(style.group) for style in STYLES.values()}
        return figure


def _are_single_points(view: SweepView) -> bool:
    reported = [run for run in view.runs if run.reports]
    return len(reported) > 1 and all(
        run.reports == 1 and run.state in RUN_TERMINAL for run in reported
    )


def _lines_figure(view: SweepView, options: Mapping[str, str]) -> Figure:
    is_primary = options["metric"] == view.metric
    has_limits = is_primary and options["x"] == "interval"
    best = best_run(view)
    meta = {
        "x": options["x"],
        "label": metric_label(view) if is_primary else options["metric"],
        "x_label": X_LABELS[options["x"]],
        # Another metric has neither a goal nor a best value.
        "goal": view.goal if is_primary else "",
        "decimals": format_of(view).decimals if is_primary else None,
        "best": best.number if best is not None else None,
        "runs": {
            "numbers": [run.number for run in view.runs],
            "groups": [group_of(run) for run in view.runs],
        },
        "limits": [list(limit) for limit in view.limits] if has_limits else [],
        "limit_label": view.limit_label,
    }
    return Figure([highlight_line()], base_layout("metrics"), meta)


def _look(group: str) -> dict[str, Any]:
    style = STYLES[group]
    return {"colour": style.colour, "width": style.width, "opacity": style.opacity}


def _table_columns(view: SweepView) -> dict[str, dict[int, Any]]:
    return {
        "Best at": {run.number: run.best_interval for run in view.runs},
        "Last": {run.number: run.last for run in view.runs},
        "Reports": {run.number: run.reports for run in view.runs},
    }
