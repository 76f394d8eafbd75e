"""Runs as points in two or three dimensions: where they stand, their colour, who is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.charts.axes import Axis, metric_axis, metric_ticks
from experiments.charts.base import RunView, SweepView
from experiments.charts.formats import plain, shorten
from experiments.charts.metric_scale import goodness, metric_domain, metric_values
from experiments.charts.styles import group_of
from experiments.charts.texts import best_run, format_of, without_value

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Points:
    """The runs of a scatter, worst first so that good ones lie on top.

    `where` maps run numbers to coordinates; `sides` to -1, 0 or 1 per dimension, for points that
    were moved to the lower or upper edge; `failed` are runs without a value that have a place.
    """

    plain: list[RunView]
    stopped: list[RunView]
    failed: list[RunView]
    best: list[RunView]
    where: dict[int, list[float]]
    sides: dict[int, tuple[int, ...]]
    absent: dict[int, str]


def place_runs(view: SweepView, axes: Sequence[Axis], *, clamp_metric: bool) -> Points:
    """Place every run that has a value on all axes, or say why it is absent."""
    absent = without_value(view.runs)
    raw = np.stack([axis.positions(view.runs) for axis in axes], axis=1)  # (runs, axes)
    moved, sides = _clamp(raw, axes) if clamp_metric else (raw, np.zeros_like(raw))
    plain_runs: list[RunView] = []
    stopped: list[RunView] = []
    failed: list[RunView] = []
    where: dict[int, list[float]] = {}
    for place, run in enumerate(view.runs):
        missing = [axis for axis, v in zip(axes, raw[place], strict=True) if math.isnan(v)]
        if missing:
            if run.number not in absent:
                absent[run.number] = f"without {missing[0].label}"
            continue
        where[run.number] = moved[place].tolist()
        if run.number not in absent:
            (stopped if group_of(run) == "stopped" else plain_runs).append(run)
        elif absent[run.number] == "failed":
            failed.append(run)
            del absent[run.number]
    best = best_run(view)
    return Points(
        plain=_worst_first(view, plain_runs),
        stopped=_worst_first(view, stopped),
        failed=failed,
        best=[best] if best is not None and best.number in where else [],
        where=where,
        sides={
            run.number: tuple(int(side) for side in sides[place])
            for place, run in enumerate(view.runs)
            if sides[place].any()
        },
        absent=absent,
    )


def _clamp(raw: FloatArray, axes: Sequence[Axis]) -> tuple[FloatArray, FloatArray]:
    moved, sides = raw.copy(), np.zeros_like(raw)
    for column, axis in enumerate(axes):
        if axis.is_metric:
            sides[:, column] = (raw[:, column] > axis.high) * 1.0 - (raw[:, column] < axis.low)
            moved[:, column] = np.clip(raw[:, column], axis.low, axis.high)
    return moved, sides


def _worst_first(view: SweepView, runs: list[RunView]) -> list[RunView]:
    return sorted(runs, key=lambda run: run.value, reverse=view.goal == "minimize")


def point_colours(view: SweepView, runs: Sequence[RunView]) -> FloatArray:
    """Return how good each run is: `(n,)` in 0..1. The goal is in it: 1 is always better."""
    return goodness(
        metric_values(runs), metric_domain(metric_values(view.runs), view.goal), view.goal
    )


def colour_axis(view: SweepView) -> dict[str, Any]:
    """Return the shared colour scale; its bar is labelled in units of the metric."""
    axis = metric_axis(view)
    ticks = metric_ticks(view, axis, format_of(view))
    domain = (axis.low, axis.high)
    places = goodness([value for value, _, _ in ticks], domain, view.goal)
    return {
        "colorscale": "token:seq",
        "cmin": 0,
        "cmax": 1,
        # Values are goodness already, so the scale is never turned round.
        "reversescale": False,
        "colorbar": {
            "title": {"text": plain(shorten(axis.label)), "side": "right"},
            "tickvals": places.tolist(),
            "ticktext": [text for _, text, _ in ticks],
            "thickness": 10,
            "outlinewidth": 0,
            "tickfont": {"size": 11, "color": "token:text-2"},
        },
    }
