"""How charts of a model of the metric begin, with or without one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from experiments.charts.base import Figure, RunView, SweepView
from experiments.charts.metric_model import MetricModel
from experiments.charts.styles import base_layout, highlight_point
from experiments.charts.texts import absence_reason, finish, table


def no_model(view: SweepView, name: str, note: str = "") -> Figure:
    """Return the empty figure of a chart that has no model yet, or nothing to ask it."""
    figure = Figure([highlight_point()], base_layout(name))
    absent = {run.number: "without a model" for run in view.runs}
    finish(view, figure, absent, table(view))
    figure.meta.update(is_empty=True, note=note or view.model_note)
    return figure


def learned_runs(view: SweepView, model: MetricModel) -> tuple[list[RunView], dict[int, str]]:
    """Return the runs behind the model, worst first, and why each other run is not among them."""
    known = frozenset(model.numbers)
    runs = sorted(
        (run for run in view.runs if run.number in known),
        key=lambda run: run.value,
        reverse=view.goal == "minimize",
    )
    absent = {
        run.number: absence_reason(run) if math.isnan(run.value) else "not in the model"
        for run in view.runs
        if run.number not in known
    }
    return runs, absent


def rows_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return the rows behind a chart of predictions, which are no runs."""
    return {"columns": list(columns), "rows": [list(row) for row in rows], "total": len(rows)}
