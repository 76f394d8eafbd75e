"""The words around a chart: what is not drawn, one-sentence summary, table of rows, hover texts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from experiments.charts.base import ROW_LIMIT, Figure, RunView, SweepView
from experiments.charts.formats import (
    MetricFormat,
    format_value,
    json_value,
    metric_format,
    plain,
    shorten,
)
from experiments.charts.styles import group_of
from experiments.states import badge

_HOVER_PARAMS: Final = 12


def absence_reason(run: RunView) -> str:
    """Return why a run without a value has none, in the words of the caption."""
    if run.absent:
        return run.absent
    group = group_of(run)
    return group if group in ("failed", "canceled", "waiting") else "no metric"


def caption(view: SweepView, absent: dict[int, str]) -> str:
    """Say what is not drawn: "12 of 80 not drawn: 9 failed, 3 no metric"; empty if all is."""
    if not absent:
        return ""
    counts: dict[str, int] = {}
    for reason in sorted(absent.values(), key=_reason_order):
        counts[reason] = counts.get(reason, 0) + 1
    parts = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    return f"{len(absent)} of {len(view.runs)} not drawn: {parts}"


def without_value(runs: Iterable[RunView]) -> dict[int, str]:
    """Return the runs that have no value of the metric, each with the reason."""
    return {run.number: absence_reason(run) for run in runs if math.isnan(run.value)}


def _reason_order(reason: str) -> tuple[int, str]:
    known = ["failed", "canceled", "no metric", "waiting"]
    return (known.index(reason) if reason in known else len(known), reason)


def summary(view: SweepView) -> str:
    """Say in one sentence what the chart shows: "60 runs, best accuracy 0.9512 by run 48"."""
    count = len(view.runs)
    if not count:
        return "No runs yet"
    runs = "1 run" if count == 1 else f"{count} runs"
    best = best_run(view)
    if best is None:
        return f"{runs}, none with a value of {view.metric}{_how(view)}"
    value = format_of(view).text(best.value)
    return f"{runs}, best {view.metric}{_how(view)} {value} by run {best.number}"


def _how(view: SweepView) -> str:
    # "best accuracy (at step 20) 0.93": the best of the best needs no word.
    return "" if view.reading.is_best else f" ({view.reading.label})"


def best_run(view: SweepView) -> RunView | None:
    """Return the best run of the sweep if it is in the view and has a finite value."""
    for run in view.runs:
        if run.number == view.best_number and not math.isnan(run.value):
            return run
    return None


def format_of(view: SweepView) -> MetricFormat:
    """Return the one format for all values of the primary metric."""
    return metric_format(run.value for run in view.runs)


def table(view: SweepView, extra: dict[str, dict[int, Any]] | None = None) -> dict[str, Any]:
    """Return the rows behind a chart: run, status, metric, `extra` columns, parameters."""
    extra = extra or {}
    rows = [
        [
            run.number,
            badge(run.state, run.end_reason).label,
            _metric_cell(run),
            *(json_value(cells.get(run.number)) for cells in extra.values()),
            *(json_value(run.params.get(name)) for name in view.space),
        ]
        for run in view.runs[:ROW_LIMIT]
    ]
    columns = ["Run", "Status", view.value_label, *extra, *view.space]
    return {"columns": columns, "rows": rows, "total": len(view.runs)}


def _metric_cell(run: RunView) -> Any:
    if not math.isnan(run.value):
        return run.value
    # A value that is not finite is worth showing; no value at all is an empty cell.
    return json_value(run.last) if run.last is not None and not math.isfinite(run.last) else None


def hover_texts(view: SweepView, runs: Sequence[RunView]) -> list[str]:
    """Return the hover text of each run: number, status, metric and parameters."""
    form = format_of(view)
    names = list(view.space)
    labels = [plain(shorten(name)) for name in names[:_HOVER_PARAMS]]
    more = len(names) - len(labels)
    metric = f"{plain(shorten(view.metric))}, {view.reading.label}:"
    texts = []
    for run in runs:
        lines = [f"<b>Run {run.number}</b> · {badge(run.state, run.end_reason).label}"]
        value = "no value" if math.isnan(run.value) else f"<b>{form.text(run.value)}</b>"
        lines.append(f"{metric} {value}")
        for name, label in zip(names, labels, strict=False):
            shown = format_value(run.params[name]) if name in run.params else "n/a"
            lines.append(f"{label} {plain(shorten(shown, 40))}")
        if more > 0:
            lines.append(f"and {more} more")
        texts.append("<br>".join(lines))
    return texts


def finish(view: SweepView, figure: Figure, absent: dict[int, str], rows: dict[str, Any]) -> Figure:
    """Add what every figure says beside the picture: caption, summary and table."""
    figure.meta.update(caption=caption(view, absent), summary=summary(view), table=rows)
    figure.meta["best_run"] = view.best_number
    figure.meta["reading"] = {"key": view.reading.key, "label": view.reading.label}
    return figure
