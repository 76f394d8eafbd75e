"""What matters, and which way: importance and correlation of the parameters as bars and dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.charts.base import Chart, Curve, Figure, SweepView
from experiments.charts.formats import numbers, plain, shorten
from experiments.charts.styles import axis_layout, base_layout, highlight_point
from experiments.charts.texts import finish
from experiments.correlation import EPSILON, Correlation
from experiments.importance import LEAST_RUNS, METHOD, Importance, Share


class ImportanceChart(Chart):
    """One bar for each parameter with its interval, the largest on top."""

    name = "importance"
    label = "What mattered"
    help = "How much each parameter matters for the ranking of the runs; together 100 %."
    needs_relations = True
    draws_runs = False

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw the shares, or say what they wait for."""
        del options, curves
        found = view.relations.importance if view.relations else None
        if found is None:
            return _empty(view, self.name, _why_none(view))
        shares = list(found.shares)
        figure = Figure([_bars(shares), highlight_point()], _layout(self.name, shares))
        rows = [[s.name, round(s.share, 4), round(s.low, 4), round(s.high, 4)] for s in shares]
        columns = ["Parameter", "Share", "From", "To"]
        finish(view, figure, {}, {"columns": columns, "rows": rows, "total": len(rows)})
        figure.meta.update(
            is_empty=False, summary=_importance_summary(found), caption=_method(view, found)
        )
        return figure


class CorrelationChart(Chart):
    """One dot for each parameter with its interval, in the order of the search space."""

    name = "correlation"
    label = "Correlation"
    help = "How the value of a run goes with each parameter alone."
    needs_relations = True
    draws_runs = False

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw the measures, or say what they wait for."""
        del options, curves
        every = list(view.relations.correlations) if view.relations else []
        known = [one for one in every if one.value is not None]
        if not known:
            return _empty(view, self.name, _why_no_correlation(view, every))
        data = [
            _dots("Spearman", [one for one in known if one.measure != EPSILON], known, "circle"),
            _dots(EPSILON, [one for one in known if one.measure == EPSILON], known, "diamond"),
            highlight_point(),
        ]
        layout = base_layout(
            self.name,
            xaxis=axis_layout(
                {"title": {"text": "correlation"}, "range": [-1.05, 1.05], "zeroline": True}
            ),
            yaxis=axis_layout(_name_axis([one.name for one in known])),
        )
        layout["xaxis"]["zerolinecolor"] = "token:line-strong"
        rows = [_row(one) for one in every]
        columns = ["Parameter", "Measure", "Value", "From", "To", "Runs", "Note"]
        figure = Figure([trace for trace in data if trace.get("x") != []], layout)
        if figure.data[-1] is not data[-1]:
            figure.data.append(data[-1])
        finish(view, figure, {}, {"columns": columns, "rows": rows, "total": len(rows)})
        figure.meta.update(
            is_empty=False,
            summary=_correlation_summary(view, known),
            caption=_measures(view, every),
        )
        return figure


def _bars(shares: Sequence[Share]) -> dict[str, Any]:
    drawn = shares[::-1]  # Plotly draws from below
    return {
        "type": "bar",
        "name": "share",
        "orientation": "h",
        "x": numbers([100 * share.share for share in drawn]),
        "y": list(range(len(drawn))),
        "marker": {"color": "token:accent"},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": numbers([100 * (share.high - share.share) for share in drawn]),
            "arrayminus": numbers([100 * (share.share - share.low) for share in drawn]),
            "color": "token:text",
            "thickness": 1.4,
            "width": 4,
        },
        "hovertext": [
            f"{plain(shorten(s.name, 40))} {100 * s.share:.0f} %, "
            f"{100 * s.low:.0f} to {100 * s.high:.0f} %"
            for s in drawn
        ],
        "hoverinfo": "text",
    }


def _layout(name: str, shares: Sequence[Share]) -> dict[str, Any]:
    largest = max((share.high for share in shares), default=1.0)
    return base_layout(
        name,
        xaxis=axis_layout({"title": {"text": "share in %"}, "range": [0, 104 * max(0.1, largest)]}),
        yaxis=axis_layout(_name_axis([share.name for share in shares])),
        bargap=0.35,
    )


def _name_axis(names: Sequence[str]) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [plain(shorten(name)) for name in reversed(names)],
        "range": [-0.6, len(names) - 0.4],
        "showgrid": False,
    }


def _dots(
    label: str, mine: Sequence[Correlation], known: Sequence[Correlation], symbol: str
) -> dict[str, Any]:
    places = {one.name: len(known) - 1 - place for place, one in enumerate(known)}
    values = [one.value or 0.0 for one in mine]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label,
        "x": numbers(values),
        "y": [places[one.name] for one in mine],
        "marker": {"color": "token:accent", "size": 9, "symbol": symbol},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": numbers([(o.high or 0.0) - v for o, v in zip(mine, values, strict=True)]),
            "arrayminus": numbers([v - (o.low or 0.0) for o, v in zip(mine, values, strict=True)]),
            "color": "token:accent",
            "thickness": 2,
            "width": 5,
        },
        "hovertext": [_hover(one) for one in mine],
        "hoverinfo": "text",
    }


def _hover(one: Correlation) -> str:
    said = f"<br>{plain(shorten(one.note, 60))}" if one.note else ""
    return (
        f"<b>{plain(shorten(one.name, 40))}</b><br>{one.measure} {one.value:.2f}, "
        f"{one.low:.2f} to {one.high:.2f}, {one.runs} runs{said}"
    )


def _row(one: Correlation) -> list[Any]:
    parts = [None if part is None else round(part, 4) for part in (one.value, one.low, one.high)]
    return [one.name, one.measure, *parts, one.runs, one.note]


def _empty(view: SweepView, name: str, note: str) -> Figure:
    figure = Figure([highlight_point()], base_layout(name))
    finish(view, figure, {}, {"columns": ["Parameter"], "rows": [], "total": 0})
    figure.meta.update(is_empty=True, note=note, summary=note)
    return figure


def _why_none(view: SweepView) -> str:
    have = view.relations.runs if view.relations else 0
    if have < LEAST_RUNS:
        are = {0: "there are none", 1: "there is 1"}.get(have, f"there are {have}")
        return f"Needs {LEAST_RUNS} ended runs with a value; {are}."
    return "All runs have the same value, or no parameter varies: there is nothing to explain."


def _why_no_correlation(view: SweepView, every: Sequence[Correlation]) -> str:
    reasons = list(dict.fromkeys(one.note for one in every if one.note))
    return f"Nothing to correlate: {reasons[0]}." if reasons else "There are no parameters."


def _importance_summary(found: Importance) -> str:
    first = found.shares[0]
    if not first.share:
        return f"No parameter tells apart the {found.runs} runs"
    return (
        f"{first.name} matters most, with {100 * first.share:.0f} % "
        f"({100 * first.low:.0f} to {100 * first.high:.0f} %)"
    )


def _method(view: SweepView, found: Importance) -> str:
    weak = " They tell little: take no shares from it." if found.explained < 0.1 else ""
    return (
        f"{METHOD[:1].upper()}{METHOD[1:]} of {view.value_label}; {_runs(view)}. All parameters "
        f"together explain {100 * found.explained:.0f} % of the spread in rank of runs left out."
        f"{weak} Whiskers: 90 %, from random halves of the runs."
    )


def _measures(view: SweepView, every: Sequence[Correlation]) -> str:
    epsilon = any(one.measure == EPSILON and one.value is not None for one in every)
    said = "Spearman's rank correlation (circles)"
    if epsilon:
        said += (
            "; options without an order: epsilon squared of Kruskal and Wallis (diamonds, 0 to 1)"
        )
    absent = [one for one in every if one.value is None]
    missing = (
        f" Not drawn: {', '.join(f'{one.name} {one.note}' for one in absent)}." if absent else ""
    )
    return f"{said}, with {view.value_label}; {_runs(view)}. Whiskers: 95 %.{missing}"


def _correlation_summary(view: SweepView, known: Sequence[Correlation]) -> str:
    most = max(known, key=lambda one: abs(one.value or 0.0))
    return f"{most.name} goes most with {view.metric}: {most.measure} {most.value:.2f}"


def _runs(view: SweepView) -> str:
    found = view.relations
    if found is None:
        return "no runs"
    early = f", {found.stopped} stopped or canceled with what they had" if found.stopped else ""
    return f"{found.runs} ended runs{early}"
