"""Figures of charts as plain data, the same for the pages of a sweep and for REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from experiments.charts.base import Chart, SweepView
from experiments.models import Sweep
from experiments.queries.receipts import stops_of

# Charts with a line under them about the run pointed at: it says where a policy stopped the run.
_WITH_STOPS: Final = frozenset({"metrics", "parallel_coordinates"})


def shows_limits(sweep: Sweep, options: Mapping[str, str]) -> bool:
    """Tell whether a limit can be drawn: it is one of the primary metric at intervals."""
    is_primary = options.get("metric", "") in ("", sweep.metric_name)
    return is_primary and options.get("x", "") in ("", "interval")


def figure_json(
    sweep: Sweep,
    drawn: Chart,
    view: SweepView,
    options: Mapping[str, str],
    metrics: Sequence[str],
) -> dict[str, Any]:
    """Return the figure of a chart with its cursor; `metrics` are the names to choose from."""
    figure = drawn.build(view, options).to_json()
    if "axes" in figure["meta"]:
        # Parallel coordinates are drawn from `meta`: the same need not come twice.
        figure["data"] = []
    if drawn.name in _WITH_STOPS:
        figure["meta"]["stops"] = stops_of(sweep)
    for option in figure["meta"]["options"]:
        if option["name"] == "metric":
            option["choices"] = [[name, name] for name in dict.fromkeys([view.metric, *metrics])]
    # The row was read first, so the figure has at least every change up to this cursor.
    figure["cursor"] = sweep.cursor
    return figure
