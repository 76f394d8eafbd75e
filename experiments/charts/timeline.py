"""Timeline: one row per slot, one bar per run in the colour of what became of it; gaps are idle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from experiments.charts.base import Chart, Curve, Figure, RunView, SweepView
from experiments.charts.formats import MetricFormat, numbers, plain, shorten
from experiments.charts.styles import axis_layout, base_layout, highlight_point
from experiments.charts.texts import finish, format_of, table
from experiments.formats import format_duration, format_share
from experiments.slot_history import OUTCOMES, Bar, SlotHistory

_NONE: Final = "No run has started yet."
_OTHERS: Final = "other sweeps"
_THICK: Final = 0.72
# Longest span that is shown in a unit, the unit in seconds, its name.
_UNITS: Final = ((600, 1, "seconds"), (3 * 3600, 60, "minutes"), (4 * 86400, 3600, "hours"))
_DAY: Final = (86400, "days")


@dataclass(frozen=True, slots=True)
class _Look:
    """The look of one outcome: word, colour, and a pattern that shows without colour."""

    word: str
    colour: str
    pattern: str = ""


_LOOKS: Final[dict[str, _Look]] = {
    "completed": _Look("completed", "token:run-line"),
    "stopped": _Look("stopped early", "token:terminated", "."),
    "failed": _Look("failed", "token:failed", "x"),
    "lost": _Look("lost and repeated", "token:warn", "/"),
    "canceled": _Look("canceled", "token:quiet", "-"),
    "running": _Look("running", "token:running"),
}


class TimelineChart(Chart):
    """What each slot did, from the first start to now."""

    name = "timeline"
    label = "Timeline"
    help = "One row per slot, one bar per run; gaps are idle."
    needs_slots = True

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw one trace per outcome, however many runs there are."""
        del options, curves
        history = view.slots
        if history is None:
            figure = Figure([highlight_point()], base_layout(self.name))
            finish(view, figure, _absent(view, ()), table(view))
            figure.meta.update(is_empty=True, note=_NONE, slots=0)
            return figure
        runs = {run.number: run for run in view.runs}
        bars = [bar for bar in history.bars if bar.number in runs]
        unit, unit_name = _unit(history)
        data = [_others(history, unit)] if history.others else []
        data += [
            _trace(view, history, name, members, unit)
            for name, members in _grouped(bars, view.best_number).items()
        ]
        data.append(highlight_point())
        figure = Figure(data, _layout(history, unit, unit_name, is_live=_is_live(bars)))
        finish(view, figure, _absent(view, bars), table(view, _columns(history, bars)))
        figure.meta["slots"] = len(history.slots)
        figure.meta["summary"] += f"; {_summary(history, len(bars))}"
        return figure


def _grouped(bars: Sequence[Bar], best: int | None) -> dict[str, list[Bar]]:
    groups: dict[str, list[Bar]] = {name: [] for name in (*OUTCOMES, "best")}
    for bar in bars:
        groups["best" if bar.number == best else bar.outcome].append(bar)
    return {name: members for name, members in groups.items() if members}


def _trace(
    view: SweepView, history: SlotHistory, name: str, bars: list[Bar], unit: int
) -> dict[str, Any]:
    look = _Look("best", "token:best-line") if name == "best" else _LOOKS[name]
    runs = {run.number: run for run in view.runs}
    # Looks at the values of all runs: once, not for every bar.
    form = format_of(view)
    marker: dict[str, Any] = {
        "color": look.colour,
        "opacity": 0.9 if name == "best" else 0.72,
        # Also what is shorter than a pixel shows.
        "line": {"color": look.colour, "width": 1},
    }
    if look.pattern:
        marker["pattern"] = {
            "shape": look.pattern,
            "fillmode": "overlay",
            "fgcolor": "token:surface",
            "size": 7,
            "solidity": 0.18,
        }
    return {
        **_bars(name, [bar.slot for bar in bars]),
        "x": numbers([bar.seconds / unit for bar in bars]),
        "base": numbers([(bar.start - history.start) / unit for bar in bars]),
        "customdata": numbers([bar.number for bar in bars], "i4"),
        "text": [_hover(view, form, history, bar, runs[bar.number]) for bar in bars],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": marker,
    }


def _others(history: SlotHistory, unit: int) -> dict[str, Any]:
    """Return what other sweeps did: no run of this one, so nothing to point at."""
    return {
        **_bars(_OTHERS, [row for row, _, _ in history.others]),
        "x": numbers([(end - start) / unit for _, start, end in history.others]),
        "base": numbers([(start - history.start) / unit for _, start, _ in history.others]),
        "hovertemplate": "a run of another sweep<extra></extra>",
        "marker": {"color": "token:line", "line": {"color": "token:line-strong", "width": 1}},
    }


def _bars(name: str, rows: list[int]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": numbers(rows, "i4"),
        "width": _THICK,
        "textposition": "none",
    }


def _hover(
    view: SweepView, form: MetricFormat, history: SlotHistory, bar: Bar, run: RunView
) -> str:
    value = "no value" if run.value != run.value else form.text(run.value)
    slot = plain(history.slots[bar.slot].label)
    return (
        f"<b>Run {bar.number}</b> · {_LOOKS[bar.outcome].word}<br>{slot}<br>"
        f"{_clock(bar.start)} UTC, {format_duration(bar.seconds)}<br>"
        f"{plain(shorten(view.metric))} {value}"
    )


def _layout(history: SlotHistory, unit: int, unit_name: str, *, is_live: bool) -> dict[str, Any]:
    count = len(history.slots)
    end = (history.end - history.start) / unit
    pad = max(end, 1e-9) * 0.012
    labels = [
        f"{plain(shorten(slot.label, 28))}  <b>{format_share(slot.busy, slot.seconds)}</b>"
        for slot in history.slots
    ]
    xaxis = {
        "title": {"text": f"{unit_name} since {_moment(history.start)} UTC"},
        "range": [-pad, end + pad],
    }
    yaxis = {
        "tickvals": list(range(count)),
        "ticktext": labels,
        "range": [count - 0.45, -0.55],
        "fixedrange": True,
        "showgrid": False,
        "ticks": "",
    }
    layout = base_layout("timeline", xaxis=axis_layout(xaxis), yaxis=axis_layout(yaxis))
    layout["barmode"] = "overlay"
    if is_live:
        line = {"color": "token:running", "width": 1, "dash": "dot"}
        layout["shapes"] = [
            {"type": "line", "x0": end, "x1": end, "yref": "paper", "y0": 0, "y1": 1, "line": line}
        ]
    return layout


def _columns(history: SlotHistory, bars: Sequence[Bar]) -> dict[str, dict[int, Any]]:
    return {
        "Slot": {bar.number: history.slots[bar.slot].label for bar in bars},
        "Outcome": {bar.number: _LOOKS[bar.outcome].word for bar in bars},
        "Start (UTC)": {bar.number: _moment(bar.start) for bar in bars},
        "End (UTC)": {
            bar.number: "" if bar.outcome == "running" else _moment(bar.end) for bar in bars
        },
        "Seconds": {bar.number: round(bar.seconds, 3) for bar in bars},
    }


def _absent(view: SweepView, bars: Sequence[Bar]) -> dict[int, str]:
    drawn = {bar.number for bar in bars}
    return {run.number: "never started" for run in view.runs if run.number not in drawn}


def _summary(history: SlotHistory, count: int) -> str:
    slots = "1 slot" if len(history.slots) == 1 else f"{len(history.slots)} slots"
    runs = "1 run" if count == 1 else f"{count} runs"
    busy = format_share(history.total("busy"), history.total("seconds"))
    return f"{runs} on {slots}, busy {busy} of the time"


def _unit(history: SlotHistory) -> tuple[int, str]:
    span = history.end - history.start
    return next(((unit, name) for most, unit, name in _UNITS if span <= most), _DAY)


def _is_live(bars: Sequence[Bar]) -> bool:
    return any(bar.outcome == "running" for bar in bars)


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%H:%M:%S}"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S}"
