"""How soon a sweep knows its best runs: agreement of each budget's ranking with the final one."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from experiments.charts.base import Figure
from experiments.charts.formats import numbers
from experiments.charts.styles import CLEAR, axis_layout, base_layout, highlight_point
from experiments.equal_budget import Advice, Agreement

# Unit of time and its seconds, by what the axis has to reach.
_TIMES: Final = ((600, "seconds", 1), (21_600, "minutes", 60), (math.inf, "hours", 3600))


def agreement_figure(
    agreement: Agreement, advice: Advice, *, by: str, count: int, budget: float
) -> Figure:
    """Draw rank correlation and kept share over budgets; what comes before the delay is shaded."""
    # Fewer than that may have completed.
    count = min(count, max(1, len(advice.top)))
    kept = agreement.kept / count
    label, unit = _unit(agreement, by)
    places, delay = agreement.budgets / unit, (advice.delay or 0) / unit
    data = [
        _line("in the top already", places, kept, "token:cat-2", "hv", _kept_text(count)),
        _line(
            "rank correlation",
            places,
            agreement.correlation,
            "token:accent",
            "linear",
            "rank correlation with the end %{y:.2f}<extra></extra>",
        ),
        highlight_point(),
    ]
    low = min(0.0, float(np.nanmin(agreement.correlation, initial=0.0)))
    layout = base_layout(
        f"equal_budget {by}",
        xaxis=axis_layout({"title": {"text": label}, "rangemode": "tozero"}),
        yaxis=axis_layout({"title": {"text": "agreement"}, "range": [low - 0.04, 1.04]}),
        shapes=_shapes(delay, budget / unit),
    )
    rows = [
        [_plain(at), None if not np.isfinite(rho) else round(float(rho), 4), int(number)]
        for at, rho, number in zip(
            places.tolist(),
            agreement.correlation.tolist(),
            agreement.kept.tolist(),
            strict=True,
        )
    ]
    columns = [label.capitalize(), "Rank correlation", f"Final top {count} in the top"]
    figure = Figure(data, layout)
    figure.meta.update(
        chart="equal_budget",
        options=[],
        caption="",
        table={"columns": columns, "rows": rows, "total": len(rows)},
        is_empty=not advice.top,
    )
    return figure


def _kept_text(count: int) -> str:
    return f"%{{y:.0%}} of the final top {count} in the top {count}<extra></extra>"


def _line(name: str, x: Any, y: Any, colour: str, shape: str, hover: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": numbers(x),
        "y": numbers(y),
        "line": {"color": colour, "width": 2, "shape": shape},
        "hovertemplate": hover,
    }


def _unit(agreement: Agreement, by: str) -> tuple[str, int]:
    if by == "reports":
        return "reports", 1
    largest = float(agreement.budgets.max(initial=0.0))
    name, seconds = next((name, size) for most, name, size in _TIMES if largest < most)
    return f"{name} since the start of the run", seconds


def _shapes(delay: float, budget: float) -> list[dict[str, Any]]:
    upright = {"type": "line", "y0": 0, "y1": 1, "yref": "paper"}
    shapes: list[dict[str, Any]] = [
        {**upright, "x0": budget, "x1": budget, "line": {"color": "token:text", "width": 1.4}}
    ]
    if delay:
        shapes.insert(
            0,
            {
                **upright,
                "type": "rect",
                "x0": 0,
                "x1": delay,
                "fillcolor": "token:sunken",
                "line": {"color": CLEAR, "width": 0},
                "layer": "below",
            },
        )
        line = {"color": "token:text-3", "width": 1, "dash": "dot"}
        shapes.insert(1, {**upright, "x0": delay, "x1": delay, "line": line})
    return shapes


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() else round(value, 2)
