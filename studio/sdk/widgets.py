"""RunDetails: how a sweep or a run stands, as text or in a notebook, kept up to date there.

Standard library only; Python 3.8 syntax. IPython is used where it is running already.
"""

import html
import json
import sys
import threading
import time
from typing import Any, Dict, List, Sequence

from studio.sdk.results import HyperDriveRun
from studio.sdk.run import Run

_ROWS = 20
_REFRESH_SECONDS = 5.0
_ENDS = ("Completed", "Failed", "Canceled")


class RunDetails:
    """Shows a sweep with its runs, or a single run."""

    def __init__(self, run_instance: Run) -> None:
        if not isinstance(run_instance, Run):
            raise TypeError("RunDetails takes a run, not %r" % (run_instance,))
        self._run = run_instance

    def show(self, render_lib: Any = None, widget_settings: Any = None) -> None:
        """Print the table, or display it in a notebook and renew it until the end."""
        display = _notebook_display()
        if display is None:
            print(self.text())
            return
        module, handle = display
        handle.display(module.HTML(self.html()))
        threading.Thread(target=self._renew, args=(module, handle), daemon=True).start()

    def get_widget_data(self, widget_settings: Any = None) -> Dict[str, Any]:
        """Return what is shown: facts, and rows of runs with the best first."""
        details = self._run.get_details()
        data: Dict[str, Any] = {"status": details["status"], "run_id": details["runId"]}
        data["url"] = self._run.get_portal_url()
        if isinstance(self._run, HyperDriveRun):
            data["metric"] = json.loads(details["properties"]["primary_metric_config"])["name"]
            data["child_runs"] = self._run.get_children_sorted_by_primary_metric()
        else:
            data["metrics"] = self._run.get_metrics()
        return data

    def text(self) -> str:
        """Return the table as plain text."""
        data = self.get_widget_data()
        lines = ["%s  %s" % (data["run_id"], data["status"])]
        rows = _rows(data)
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths)]  # noqa: B905 - 3.8
            lines.append("  ".join(cells).rstrip())
        return "\n".join([*lines, data["url"]])

    def html(self) -> str:
        """Return the table as HTML; every value is escaped."""
        data = self.get_widget_data()
        rows = _rows(data)
        body = "".join(_html_row(row, "th" if i == 0 else "td") for i, row in enumerate(rows))
        return '<p><a href="%s">%s</a>: %s</p><table>%s</table>' % (
            html.escape(data["url"]),
            html.escape(data["run_id"]),
            html.escape(data["status"]),
            body,
        )

    def _renew(self, module: Any, handle: Any) -> None:
        status = ""
        while status not in _ENDS:
            time.sleep(_REFRESH_SECONDS)
            try:
                status = self._run.get_status()
                handle.update(module.HTML(self.html()))
            except Exception:  # noqa: BLE001 - a notebook must not fill up with tracebacks
                return


def _rows(data: Dict[str, Any]) -> List[List[str]]:
    if "child_runs" not in data:
        return [["metric", "value"], *([name, str(v)] for name, v in data["metrics"].items())]
    runs = data["child_runs"][:_ROWS]
    names: List[str] = []
    for run in runs:
        names += [name for name in json.loads(run["hyperparameters"]) if name not in names]
    found = [["run", data["metric"], "status", *names]]
    for run in runs:
        values = json.loads(run["hyperparameters"])
        best = run["best_primary_metric"]
        number = run["run_id"].rpartition("_")[2]
        shown = "-" if best is None else "%.6g" % best
        cells = [_cell(values.get(name, "")) for name in names]
        found.append([number, shown, run["status"], *cells])
    return found


def _cell(value: Any) -> str:
    return "%.6g" % value if isinstance(value, float) else str(value)


def _html_row(cells: Sequence[str], tag: str) -> str:
    inner = "".join("<%s>%s</%s>" % (tag, html.escape(cell), tag) for cell in cells)
    return "<tr>%s</tr>" % inner


def _notebook_display() -> Any:
    """Return IPython's display module and a fresh handle in a notebook; None elsewhere."""
    shell = sys.modules.get("IPython")
    if shell is None or shell.get_ipython() is None:
        return None
    if not hasattr(shell.get_ipython(), "kernel"):
        return None
    module: Any = sys.modules["IPython"].display
    return module, module.DisplayHandle()
