"""RunDetails: how a sweep or a run stands: a live widget, HTML or text, as the place allows.

Standard library only; Python 3.8 syntax. IPython is used where it is running already, anywidget
where it is installed.
"""

import html
import importlib.util
import json
import sys
from typing import Any, Dict, List, Optional, Sequence, Tuple

from studio.sdk.errors import UserErrorException
from studio.sdk.following import Following, stop_when_interrupted
from studio.sdk.remote_run import TERMINAL
from studio.sdk.results import HyperDriveRun
from studio.sdk.run import Run

_ROWS = 20
_REFRESH = (5.0, 20.0)
_FORMS = ("widget", "html", "text")


class RunDetails:
    """Shows a sweep with its runs, or a single run."""

    def __init__(self, run_instance: Run) -> None:
        """Take the run or the sweep that is shown."""
        if not isinstance(run_instance, Run):
            raise TypeError("RunDetails takes a run, not %r" % (run_instance,))
        self._run = run_instance
        self._shown: List[Any] = []

    def show(
        self, render_lib: Any = None, widget_settings: Optional[Dict[str, Any]] = None
    ) -> None:
        """Show the run, and keep that up to date in a notebook until the run has ended.

        `render_lib` is taken for programs that give it, and not used. Of `widget_settings`,
        "form" is "widget", "html" or "text"; by itself the best one that the place can show.

        Raises:
            UserErrorException: the form is none, or cannot be had here.
        """
        shell = _notebook_shell()
        form = self._form(shell, widget_settings)
        if form == "text":
            print(self.text())
        elif form == "widget":
            self._show_widget(shell)
        else:
            self._show_html(shell)

    def close(self) -> None:
        """Keep nothing of what was shown up to date any more."""
        for shown in self._shown:
            shown.stop()

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
        return _text(self.get_widget_data())

    def html(self) -> str:
        """Return the table as HTML; every value is escaped."""
        return _html(self.get_widget_data())

    def _form(self, shell: Any, settings: Any) -> str:
        if settings is not None and not isinstance(settings, dict):
            raise UserErrorException("widget_settings is %r; use a dict or None." % (settings,))
        wanted = (settings or {}).get("form")
        if wanted is None:
            return self._best_form(shell)
        if wanted not in _FORMS:
            allowed = ", ".join(repr(form) for form in _FORMS)
            raise UserErrorException(
                "widget_settings['form'] is %r; use one of %s." % (wanted, allowed)
            )
        problem = self._problem(wanted, shell)
        if problem:
            raise UserErrorException("widget_settings['form'] is %r, but %s" % (wanted, problem))
        return str(wanted)

    def _best_form(self, shell: Any) -> str:
        # Where nobody can answer, as under nbconvert, nobody can use a widget, and its page would
        # ask another host for what draws it.
        is_attended = shell is not None and _can_answer(shell)
        if is_attended and not self._problem("widget", shell):
            return "widget"
        return "text" if shell is None else "html"

    def _problem(self, form: str, shell: Any) -> str:
        """Say why a form cannot be had; empty when it can."""
        if form != "text" and shell is None:
            return "this is no notebook; 'text' is for every place."
        if form != "widget":
            return ""
        if not isinstance(self._run, HyperDriveRun):
            return "a single run has no widget; its sweep has: RunDetails(run.parent)."
        if importlib.util.find_spec("anywidget") is None:
            return "anywidget is not installed: pip install 'sweep-studio[notebook]'."
        return ""

    def _show_widget(self, shell: Any) -> None:
        from studio.sdk.notebook_widget import SweepWidget  # noqa: PLC0415 - needs anywidget

        made = SweepWidget(self._run._client(), self._run.id)
        bundle, metadata = made.bundle()
        # Where a widget cannot be drawn, as on a page that shows the saved notebook.
        plain = self.get_widget_data()
        bundle = {**bundle, "text/html": _html(plain), "text/plain": _text(plain)}
        sys.modules["IPython"].display.display(bundle, metadata=metadata, raw=True)
        self._shown.append(made)
        made.start(shell)

    def _show_html(self, shell: Any) -> None:
        module: Any = sys.modules["IPython"].display
        handle = module.DisplayHandle()
        data = self.get_widget_data()
        shown = [_html(data)]
        handle.display(module.HTML(shown[0]))

        def step() -> Tuple[bool, bool]:
            data = self.get_widget_data()
            page = _html(data)
            if page != shown[0]:
                handle.update(module.HTML(page))
            is_new, shown[0] = page != shown[0], page
            return is_new, data["status"] in TERMINAL

        if data["status"] not in TERMINAL:
            following = Following(step, lambda state, text: None, _REFRESH)
            self._shown.append(following)
            stop_when_interrupted(shell)
            following.start()


def _text(data: Dict[str, Any]) -> str:
    lines = ["%s  %s" % (data["run_id"], data["status"])]
    rows = _rows(data)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]  # noqa: B905 - 3.8
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, data["url"]])


def _html(data: Dict[str, Any]) -> str:
    rows = _rows(data)
    body = "".join(_html_row(row, "th" if i == 0 else "td") for i, row in enumerate(rows))
    return '<p><a href="%s">%s</a>: %s</p><table>%s</table>' % (
        html.escape(data["url"]),
        html.escape(data["run_id"]),
        html.escape(data["status"]),
        body,
    )


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


def _notebook_shell() -> Any:
    """Return the shell of a notebook's kernel; None elsewhere."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell if hasattr(shell, "kernel") else None


def _can_answer(shell: Any) -> bool:
    """Tell whether somebody sits before the notebook: programs that run one refuse questions."""
    try:
        return bool(shell.kernel.get_parent()["content"].get("allow_stdin", True))
    except (AttributeError, KeyError, TypeError):
        return True
