"""What a capsule shows of a sweep: the documents of its charts, table and logs, all at once.

They are those of the notebook's widget (studio.sdk.sweep_documents), read from the database
instead of over REST.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from experiments.charts import load_chart
from experiments.models import Run, Sweep
from experiments.queries.chart_input import chart_view
from experiments.queries.figures import figure_json, shows_limits
from experiments.queries.json_forms import run_json, sweep_json
from experiments.queries.packed_curves import Window, packed_curves
from experiments.queries.series import metric_names
from experiments.run_files import STD_LOG
from experiments.storage.chosen import tree_of
from studio.sdk.sweep_documents import SweepDocuments

_XS: Final = ("interval", "step", "time")
# Of other metrics than the primary one the curves by interval are kept.
_MOST_METRICS: Final = 10
# The log of the best run, and of those that somebody will ask about.
_MOST_LOGS: Final = 20


class StoredSweep:
    """Answers what SweepDocuments asks a studio for, from the rows of one sweep."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._address = f"sweeps/{sweep.public_id}"

    def get(self, address: str, **asked: Any) -> dict[str, Any]:
        """Return the answer to an address below /api/v1/."""
        sweep = self._sweep
        if address == self._address:
            return sweep_json(sweep)
        if address.startswith("runs/"):
            return self._log(address.split("/")[1], asked.get("offset", 0), asked["limit"])
        what = address.removeprefix(f"{self._address}/")
        if what == "spec":
            return {"search_space": sweep.spec["search_space"]}
        if what == "events":
            return {"events": [], "cursor": sweep.cursor}
        if what == "curves":
            window = Window(x=asked["x"], points=asked["points"])
            return packed_curves(sweep, asked["metric"] or sweep.metric_name, window)
        return self._figure(what.removeprefix("charts/"), asked)

    def pages(self, address: str, **asked: Any) -> Iterator[dict[str, Any]]:
        """Yield every run."""
        runs = Run.objects.filter(sweep=self._sweep).select_related("sweep", "retry_of")
        return (run_json(run) for run in runs.order_by("number"))

    def _figure(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        sweep, drawn = self._sweep, load_chart(name)
        options = {key: value for key, value in asked.items() if value}
        view = chart_view(sweep, with_limits=drawn.needs_limits and shows_limits(sweep, options))
        names = metric_names(sweep) if drawn.needs_limits else []
        return figure_json(sweep, drawn, view, options, names)

    def _log(self, run_id: str, offset: int, limit: int) -> dict[str, Any]:
        run = Run.objects.get(sweep=self._sweep, public_id=run_id)
        piece = tree_of(run.directory).read_text(STD_LOG, offset, limit)
        return {"text": piece.text, "next_offset": piece.next_offset, "size": piece.size}


def capsule_documents(sweep: Sweep) -> dict[str, Any]:
    """Return {"first", "charts", "logs"}: the view as it opens, and what it can be asked for.

    `charts` has figure and curves by "metric|x", `logs` the end of the log by number of the run.
    """
    documents = SweepDocuments(StoredSweep(sweep), f"{sweep.public_id}")
    first = documents.update({})
    metrics = first["figure"]["metrics"][:_MOST_METRICS]
    primary = first["figure"]["metric"]
    charts = {f"{primary}|interval": {key: first[key] for key in ("figure", "curves")}}
    for metric in metrics:
        for x in _XS if metric == primary else _XS[:1]:
            if f"{metric}|{x}" not in charts:
                found = documents.update({"metric": metric, "x": x})
                charts[f"{metric}|{x}"] = {key: found[key] for key in ("figure", "curves")}
    for chart in charts.values():
        chart["figure"]["metrics"] = metrics
    return {"first": first, "charts": charts, "logs": dict(_logs(documents, sweep, first))}


def _logs(
    documents: SweepDocuments, sweep: Sweep, first: dict[str, Any]
) -> Iterator[tuple[int, dict[str, Any]]]:
    if first["log"]["run"] is not None:
        yield first["log"]["run"], first["log"]
    ended = Run.objects.filter(sweep=sweep, started_at__isnull=False)
    failed = ended.filter(state="Failed").values_list("number", flat=True)
    best = ended.filter(best_value__isnull=False)
    order = "-best_value" if sweep.goal == "maximize" else "best_value"
    wanted = [*failed[: _MOST_LOGS // 2], *best.order_by(order).values_list("number", flat=True)]
    for number in list(dict.fromkeys(wanted))[:_MOST_LOGS]:
        if number != first["log"]["run"]:
            yield number, documents.update({"run": number}).get("log") or first["log"]
