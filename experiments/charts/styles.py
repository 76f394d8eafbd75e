"""How runs are grouped and what each group looks like; the layout that all charts share."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from experiments.charts.base import RunView
from experiments.states import RUN_TERMINAL, EndReason, RunState

CLEAR: Final = "rgba(0,0,0,0)"
HIGHLIGHT: Final = "highlight"
# Below this, an axis of whole numbers would get ticks between them.
FEW_WHOLE: Final = 6
_WAITING: Final = frozenset({RunState.NOT_STARTED, RunState.QUEUED, RunState.STARTING})


@dataclass(frozen=True, slots=True)
class Style:
    """The look of one group of runs; groups are drawn in the order of `STYLES`."""

    group: str
    label: str
    colour: str
    width: float
    opacity: float


STYLES: Final[dict[str, Style]] = {
    style.group: style
    for style in (
        Style("waiting", "Waiting", "token:quiet", 1.0, 0.4),
        Style("completed", "Completed", "token:run-line", 1.2, 0.62),
        Style("canceled", "Canceled", "token:quiet", 1.2, 0.5),
        Style("stopped", "Stopped early", "token:terminated", 1.1, 0.38),
        Style("failed", "Failed", "token:failed", 1.4, 0.9),
        Style("running", "Running", "token:running", 1.9, 1.0),
        Style("best", "Best", "token:best-line", 2.8, 1.0),
    )
}


def group_of(run: RunView, best_number: int | None = None) -> str:
    """Return the group of a run; the best run is a group of its own when its number is given.

    A run whose metric ended in NaN or infinity has failed, whatever its process said.
    """
    if best_number is not None and run.number == best_number:
        return "best"
    if run.state in _WAITING:
        return "waiting"
    if run.state not in RUN_TERMINAL:
        return "stopped" if run.end_reason == EndReason.POLICY else "running"
    if run.state == RunState.FAILED or (run.last is not None and not math.isfinite(run.last)):
        return "failed"
    if run.state == RunState.CANCELED:
        return "stopped" if run.end_reason == EndReason.POLICY else "canceled"
    return "completed"


def grouped(runs: Iterable[RunView], best_number: int | None = None) -> dict[str, list[RunView]]:
    """Return the runs by group, in drawing order; groups without a run are left out."""
    groups: dict[str, list[RunView]] = {name: [] for name in STYLES}
    for run in runs:
        groups[group_of(run, best_number)].append(run)
    return {name: members for name, members in groups.items() if members}


def base_layout(chart: str, **extra: Any) -> dict[str, Any]:
    """Return the layout that all charts share; zoom and camera survive updates (`uirevision`)."""
    return {
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "margin": {"l": 54, "r": 14, "t": 8, "b": 40},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": "zoom",
        "font": {"size": 12, "color": "token:text-2"},
        "hoverlabel": {
            "bgcolor": "token:surface",
            "bordercolor": "token:line-strong",
            "font": {"size": 12, "color": "token:text"},
            "align": "left",
        },
        "uirevision": chart,
        **extra,
    }


def axis_layout(axis: dict[str, Any]) -> dict[str, Any]:
    """Return a cartesian axis with the lines, ticks and fonts that all charts share."""
    title = {"standoff": 8, "font": {"size": 12, "color": "token:text-2"}, **axis.get("title", {})}
    return {
        "gridcolor": "token:grid",
        "linecolor": "token:line-strong",
        "tickcolor": "token:line-strong",
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickfont": {"size": 11, "color": "token:text-2"},
        "exponentformat": "power",
        "automargin": True,
        **axis,
        "title": title,
    }


def highlight_line() -> dict[str, Any]:
    """Return the empty last trace of a chart of lines; the browser fills it."""
    return {
        "type": "scatter",
        "name": HIGHLIGHT,
        "mode": "lines",
        "x": [],
        "y": [],
        "hoverinfo": "skip",
        "line": {"color": "token:hl", "width": 3.2},
    }


def highlight_point(kind: str = "scatter") -> dict[str, Any]:
    """Return the empty last trace of a chart of points: a ring around the run pointed at."""
    trace: dict[str, Any] = {
        "type": kind,
        "name": HIGHLIGHT,
        "mode": "markers",
        "x": [],
        "y": [],
        "hoverinfo": "skip",
        "marker": {
            "symbol": "circle-open",
            "size": 16 if kind == "scatter" else 10,
            "color": "token:hl",
            "line": {"color": "token:hl", "width": 2.5},
        },
    }
    if kind == "scatter3d":
        trace["z"] = []
    return trace
