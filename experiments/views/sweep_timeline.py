"""The timeline of a sweep: what its slots did, how much of them was used, idle and wasted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from experiments.formats import DASH, format_duration, format_share
from experiments.models import Sweep
from experiments.progress import SweepProgress
from experiments.queries.slots import slots_of
from experiments.slot_history import SlotHistory
from experiments.views.sweep_head import ChartCard, chart_url, find_sweep, render_sweep

_LEGEND: Final = (
    ("best", "best"),
    ("running", "running"),
    ("completed", "completed"),
    ("terminated", "stopped early"),
    ("failed", "failed"),
    ("lost", "lost and repeated"),
    ("canceled", "canceled"),
)


@dataclass(frozen=True, slots=True)
class SlotFigure:
    """One number above the timeline with what it counts."""

    label: str
    value: str
    detail: str
    definition: str


@require_safe
def timeline(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show the slots over time, with figures that say what they count."""
    sweep = find_sweep(request, sweep_id)
    history = slots_of(sweep, timezone.now())

    def context(shared: dict[str, Any]) -> dict[str, Any]:
        return {
            "history": history,
            "figures": slot_figures(history, shared["progress"], sweep),
            "has_others": history is not None and bool(history.others),
            "card": ChartCard(
                "timeline",
                "Slots",
                "one row per slot with its utilization, one bar per run; gaps are idle",
                chart_url(sweep, "timeline"),
                legend=[*_LEGEND],
                has_inspector=True,
            ),
        }

    return render_sweep(request, sweep, "sweep_timeline", "sweep_timeline", context)


def slot_figures(
    history: SlotHistory | None, progress: SweepProgress, sweep: Sweep
) -> list[SlotFigure]:
    """Return the figures above the timeline; dashes before the first run has started."""
    saved = _saved(progress, sweep)
    if history is None:
        return [
            SlotFigure("Utilization", DASH, "no run has started", _UTILISATION),
            SlotFigure("Idle", DASH, "", _IDLE),
            SlotFigure("Wasted", DASH, "", _WASTED),
            saved,
        ]
    whole, busy = history.total("seconds"), history.total("busy")
    slots = "1 slot" if len(history.slots) == 1 else f"{len(history.slots)} slots"
    wasted, count = history.total("wasted"), history.wasted_runs()
    elsewhere = history.total("elsewhere")
    figures = [
        SlotFigure(
            "Utilization",
            format_share(busy, whole),
            f"of {slots}: {format_duration(busy)} of {format_duration(whole)}",
            _UTILISATION,
        ),
        SlotFigure(
            "Idle",
            format_duration(history.total("idle")),
            format_share(history.total("idle"), whole),
            _IDLE,
        ),
        SlotFigure(
            "Wasted",
            format_duration(wasted) if count else DASH,
            f"{_runs(count)}, {format_share(wasted, busy)} of the time used" if count else "no run",
            _WASTED,
        ),
        saved,
    ]
    if elsewhere:
        share = format_share(elsewhere, whole)
        figures.insert(2, SlotFigure("Other sweeps", format_duration(elsewhere), share, _ELSEWHERE))
    return figures


_UTILISATION: Final = (
    "Time with a run of this sweep, from its start to its end, by the time of all slots that ran "
    "one: from the first start, or when the slot came, until now, the end of the sweep, or when "
    "the slot was lost."
)
_IDLE: Final = "Time of these slots without any run, preparing the next one included."
_WASTED: Final = "Time of runs that failed, and of runs that were lost with their worker."
_ELSEWHERE: Final = "Time of these slots with runs of other sweeps; neither used nor idle here."
_SAVED: Final = (
    "An estimate: the median duration of completed runs less the duration of each run that was "
    "stopped early."
)


def _saved(progress: SweepProgress, sweep: Sweep) -> SlotFigure:
    count = progress.counts.get("stopped_early", 0)
    if progress.saved:
        detail = f"{_runs(count)} stopped early"
        return SlotFigure("Saved", f"≈ {format_duration(progress.saved)}", detail, _SAVED)
    if not sweep.spec.get("early_termination"):
        return SlotFigure("Saved", DASH, "no early termination", _SAVED)
    if count:
        return SlotFigure("Saved", DASH, "no longer run has completed to compare with", _SAVED)
    return SlotFigure("Saved", DASH, "no run stopped early", _SAVED)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
