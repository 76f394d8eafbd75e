"""Every pair of parameters at once: the median value of the runs in each cell of many maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from experiments.charts.axes import Axis, parameter_axis, value_label
from experiments.charts.base import Chart, Curve, Figure, RunView, SweepView
from experiments.charts.formats import format_value, metric_format, numbers, plain, shorten
from experiments.charts.metric_scale import metric_domain, metric_values
from experiments.charts.styles import axis_layout, base_layout, highlight_point
from experiments.charts.texts import finish, without_value
from experiments.curves import FloatArray, IntArray

MOST: Final = 10
_BINS: Final = 6
_GAP: Final = 1


@dataclass(frozen=True, slots=True)
class _Bins:
    """A parameter cut into pieces: the piece of each run (-1: none), what each is called."""

    name: str
    codes: IntArray
    labels: tuple[str, ...]


class MatrixChart(Chart):
    """A map for each pair of up to ten parameters; the diagonal has each parameter alone."""

    name = "matrix"
    label = "Pairs of parameters"
    help = "The median value of the runs in each part of every pair of parameters."
    draws_runs = False

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw the maps below the diagonal; more than ten parameters show the first ten."""
        del options, curves
        absent = without_value(view.runs)
        runs = [run for run in view.runs if run.number not in absent]
        names = list(view.space)[:MOST]
        bins = [_cut(parameter_axis(name, view.space[name], view.runs), runs) for name in names]
        if not runs or len(bins) < 2:
            return _empty(view, absent, bool(runs))
        values = metric_values(runs)
        places = _places(bins)
        grid, texts, rows = _fill(view, bins, places, values)
        # The browser finds the parameters of a cell that is clicked: name, begin, end.
        blocks = [[b.name, at, at + len(b.labels)] for b, at in zip(bins, places, strict=True)]
        trace = {
            **_heatmap(view, values),
            "z": [numbers(row) for row in grid],
            "text": texts,
            "meta": blocks,
        }
        figure = Figure([trace, highlight_point()], _layout(bins, places))
        median = f"Median {view.value_label}"
        columns = ["Parameter", "Part", "Parameter 2", "Part 2", median, "Runs"]
        finish(view, figure, absent, {"columns": columns, "rows": rows, "total": len(rows)})
        figure.meta.update(
            is_empty=False,
            summary=f"{len(bins)} parameters, {len(rows)} parts of pairs with runs",
        )
        if len(view.space) > MOST:
            more = f"The first {MOST} of {len(view.space)} parameters. "
            figure.meta["caption"] = more + figure.meta["caption"]
        return figure


def _heatmap(view: SweepView, values: FloatArray) -> dict[str, Any]:
    low, high = metric_domain(values, view.goal)
    return {
        "type": "heatmap",
        "name": "pairs",
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
        "colorscale": "token:seq",
        "reversescale": view.goal == "minimize",
        "zmin": low,
        "zmax": high if high > low else low + 1,
        "colorbar": _scale(view),
        "xgap": 1,
        "ygap": 1,
    }


def _cut(axis: Axis, runs: Sequence[RunView]) -> _Bins:
    if axis.scale == "category":
        return _cut_options(axis, runs)
    at = axis.positions(runs)
    low, high = axis.low, axis.high
    if axis.scale == "log":
        at, low, high = np.log(at), np.log(low), np.log(high)
    edges = np.linspace(low, high, _BINS + 1)
    inner = np.clip(np.searchsorted(edges, np.nan_to_num(at), side="right") - 1, 0, _BINS - 1)
    shown = np.exp(edges) if axis.scale == "log" else edges
    words = [format_value(float(edge), 3) for edge in shown]
    labels = tuple(f"{a} to {b}" for a, b in pairwise(words))
    return _Bins(axis.name, np.where(np.isfinite(at), inner, -1).astype(np.int64), labels)


def _cut_options(axis: Axis, runs: Sequence[RunView]) -> _Bins:
    keys = [format_value(value) for value in axis.categories]
    parts = min(_BINS, len(keys)) or 1
    piece = {key: place * parts // len(keys) for place, key in enumerate(keys)}
    codes = [piece.get(format_value(run.params.get(axis.name)), -1) for run in runs]
    labels = []
    for part in range(parts):
        members = [key for key in keys if piece[key] == part]
        labels.append(members[0] if len(members) == 1 else f"{members[0]} to {members[-1]}")
    return _Bins(axis.name, np.array(codes, np.int64), tuple(labels))


def _places(bins: Sequence[_Bins]) -> list[int]:
    starts = [0]
    for each in bins[:-1]:
        starts.append(starts[-1] + len(each.labels) + _GAP)
    return starts


def _fill(
    view: SweepView, bins: Sequence[_Bins], places: Sequence[int], values: FloatArray
) -> tuple[FloatArray, list[list[str]], list[list[Any]]]:
    size = places[-1] + len(bins[-1].labels)
    grid = np.full((size, size), np.nan)
    texts = [[""] * size for _ in range(size)]
    rows: list[list[Any]] = []
    form = metric_format(values.tolist())
    for i, down in enumerate(bins):
        for j, across in enumerate(bins[: i + 1]):
            for a, b, members in _members(down, across):
                middle = float(np.median(values[members]))
                y, x = places[i] + a, places[j] + b
                grid[y, x] = middle
                texts[y][x] = _hover(view, (across, b), (down, a), form.text(middle), len(members))
                rows.append(_row(down, a, across, b, middle, len(members)))
    return grid, texts, rows


def _members(down: _Bins, across: _Bins) -> list[tuple[int, int, IntArray]]:
    """Return the runs of each cell that has some; on the diagonal each part has one cell."""
    width = len(across.labels)
    known = np.flatnonzero((down.codes >= 0) & (across.codes >= 0))
    cells = down.codes[known] * width + across.codes[known]
    found = []
    for cell in np.unique(cells):
        a, b = divmod(int(cell), width)
        found.append((a, b, known[cells == cell]))
    return found


def _hover(
    view: SweepView, across: tuple[_Bins, int], down: tuple[_Bins, int], value: str, runs: int
) -> str:
    parts = dict.fromkeys(
        f"{plain(shorten(bins.name))} {plain(shorten(bins.labels[at], 30))}"
        for bins, at in (across, down)
    )
    count = "1 run" if runs == 1 else f"{runs} runs"
    return f"{'<br>'.join(parts)}<br>median <b>{value}</b>, {view.reading.label}, of {count}"


def _row(down: _Bins, a: int, across: _Bins, b: int, middle: float, runs: int) -> list[Any]:
    if down is across:
        return [down.name, down.labels[a], "", "", middle, runs]
    return [across.name, across.labels[b], down.name, down.labels[a], middle, runs]


def _scale(view: SweepView) -> dict[str, Any]:
    # Above the diagonal is nothing else.
    return {
        "title": {"text": plain(shorten(value_label(view))), "side": "top"},
        "orientation": "h",
        "x": 0.99,
        "xanchor": "right",
        "y": 0.97,
        "yanchor": "top",
        "len": 0.4,
        "thickness": 10,
        "outlinewidth": 0,
        "exponentformat": "power",
        "tickfont": {"size": 11, "color": "token:text-2"},
    }


def _layout(bins: Sequence[_Bins], places: Sequence[int]) -> dict[str, Any]:
    size = places[-1] + len(bins[-1].labels)
    centres = [start + (len(b.labels) - 1) / 2 for b, start in zip(bins, places, strict=True)]
    ticks = {
        "tickvals": centres,
        "ticktext": [plain(shorten(b.name, 16)) for b in bins],
        "showgrid": False,
        "ticks": "",
        "range": [-0.6, size - 0.4],
    }
    return base_layout(
        f"matrix {len(bins)}",
        xaxis=axis_layout({**ticks, "showline": False}),
        yaxis=axis_layout({**ticks, "range": [size - 0.4, -0.6], "showline": False}),
    )


def _empty(view: SweepView, absent: dict[int, str], has_runs: bool) -> Figure:
    note = "A pair takes two parameters; this search space has fewer." if has_runs else ""
    figure = Figure([highlight_point()], base_layout("matrix"))
    finish(view, figure, absent, {"columns": ["Parameter"], "rows": [], "total": 0})
    figure.meta.update(is_empty=True, note=note)
    return figure
