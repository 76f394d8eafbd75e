"""What all pages of a sweep share: header, tabs, the JSON block that the scripts start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from experiments import queries
from experiments.formats import format_duration, format_share
from experiments.marks import progress_parts
from experiments.models import Run, Sweep
from experiments.permissions import Action
from experiments.progress import SweepProgress
from experiments.queries.json_forms import in_declared_order
from experiments.queries.queue_places import queue_place
from experiments.queries.run_facts import planned_runs, progress_of
from experiments.services.retries import failed_runs
from experiments.services.warm_start import CONTINUABLE
from experiments.states import SWEEP_ACTIVE, RunState, SweepState
from experiments.storable import is_storable
from experiments.views.parts import once
from experiments.views.readings import reading_json, reading_panel

TABS: Final = (
    ("sweep", "Overview"),
    ("sweep_runs", "Runs"),
    ("sweep_charts", "Charts"),
    ("sweep_timeline", "Timeline"),
    ("sweep_failures", "Failures"),
    ("sweep_configuration", "Configuration"),
    ("sweep_logs", "Logs"),
)
# Pages whose values are those of a reading; the others go by the best value of a run.
_READ_TABS: Final = frozenset({"sweep", "sweep_runs", "sweep_charts"})
_BANNERS: Final = {
    SweepState.COMPLETED: "ok",
    SweepState.FAILED: "err",
    SweepState.CANCELED: "quiet",
    SweepState.CANCEL_REQUESTED: "quiet",
    SweepState.PAUSED: "quiet",
}


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One entry below the progress bar."""

    css: str
    word: str
    count: int


@dataclass(frozen=True, slots=True)
class Picker:
    """A choice on the card of a chart, by the names of the chart's own options."""

    option: str
    label: str
    choices: list[tuple[str, str]]
    default: str
    # What is chosen says it all: the label is for screen readers.
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class ChartCard:
    """A card with a chart that the scripts draw from `url`."""

    name: str
    title: str
    sub: str
    url: str
    pickers: list[Picker] = field(default_factory=list)
    has_scale: bool = False
    has_legend: bool = False
    has_inspector: bool = False
    # (class of the swatch, word) of each colour, where they are not those of runs in all charts.
    legend: list[tuple[str, str]] = field(default_factory=list)


def find_sweep(request: HttpRequest, sweep_id: str, *, is_bare: bool = False) -> Sweep:
    """Return the sweep, or answer 404 when it is not this person's to see.

    `is_bare`: without what its pages show around it, which is most of the effort.
    """
    if not is_storable(sweep_id):
        raise Http404("No sweep has such an id.")
    found = queries.sweeps_for(request.user)
    return get_object_or_404(found.select_related(None) if is_bare else found, public_id=sweep_id)


def changer_of(
    request: HttpRequest, sweep: Sweep, action: Action = Action.CHANGE_ANY_SWEEP
) -> User:
    """Return who asks, or answer 403 when they may not do this with the sweep."""
    user = request.user
    if isinstance(user, User) and queries.may(user, sweep.experiment.workspace, action):
        return user
    raise PermissionDenied


def render_sweep(
    request: HttpRequest,
    sweep: Sweep,
    tab: str,
    name: str,
    context: dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]],
) -> HttpResponse:
    """Render `name`.html, or with the header X-Fragment the parts of it that change.

    `context` may be a function of what the header shows.
    """
    is_fragment = "X-Fragment" in request.headers
    template = f"experiments/_{name}_parts.html" if is_fragment else f"experiments/{name}.html"
    shared = head_context(request, sweep, tab)
    own = context(shared) if callable(context) else context
    return render(request, template, {**shared, **own})


def head_context(request: HttpRequest, sweep: Sweep, tab: str) -> dict[str, Any]:
    """Return what the header of a sweep shows."""
    progress = progress_of(sweep, timezone.now())
    total = planned_runs(sweep)
    run_count = sum(n for state, n in progress.counts.items() if state != "stopped_early")
    parts = progress_parts(progress.counts)
    switch = reading_panel(request, sweep)
    ended_or_live = sum(count for _, _, count in parts)
    # Queued runs are in a state of their own, but have not started either.
    waiting = max(0, max(total, run_count) - ended_or_live)
    allowed = queries.allowed_in(request.user, sweep.experiment.workspace_id)
    return {
        "sweep": sweep,
        "tab": tab,
        "tabs": [(key, label, _tab_url(sweep, key, switch.query)) for key, label in TABS],
        "switch": switch if tab in _READ_TABS else None,
        "progress": progress,
        "total": total,
        "bar_total": max(total, run_count),
        "run_count": run_count,
        "legend": [
            *(LegendEntry(css, word, n) for css, word, n in parts if n),
            *([LegendEntry("queued", "not started", waiting)] if waiting else []),
        ],
        "banner": _banner_of(sweep),
        "is_active": sweep.state in SWEEP_ACTIVE,
        "can_continue": sweep.state in CONTINUABLE,
        "can_change": Action.CHANGE_ANY_SWEEP in allowed,
        "can_share": Action.SHARE in allowed,
        "can_cancel": sweep.state in SWEEP_ACTIVE - {SweepState.CANCEL_REQUESTED},
        "can_pause": sweep.state == SweepState.RUNNING,
        "can_resume": sweep.state == SweepState.PAUSED,
        "failed_count": _repeatable(sweep, progress),
        "waiting": waiting,
        "queued": once(lambda: queue_place(sweep, timezone.now()))
        if progress.counts.get(RunState.QUEUED)
        else None,
        "digits": progress.digits,
        "remaining": _estimate(progress.remaining),
        "estimated_end": _estimated_end(progress.remaining),
        "saved_share": format_share(progress.saved, progress.saved + progress.spent),
        "best_params": _best_params(sweep, switch.run or sweep.best_run),
        "page": {**page_data(sweep, progress), "reading": reading_json(switch.reading)},
    }


def page_data(sweep: Sweep, progress: SweepProgress) -> dict[str, Any]:
    """Return the JSON block of a sweep's pages. Its cursor is that of the row as it was read."""
    best = sweep.best_run
    return {
        "sweep": {
            "id": sweep.public_id,
            "name": sweep.name,
            "status": sweep.state,
            "end_reason": sweep.end_reason,
            "metric": sweep.metric_name,
            "goal": sweep.goal,
            "best_run": None
            if best is None
            else {"id": best.public_id, "number": best.number, "value": sweep.best_value},
        },
        "cursor": sweep.cursor,
        "live": sweep.state in SWEEP_ACTIVE,
        "now": timezone.now().timestamp(),
        "digits": progress.digits,
        "space": sweep.spec["search_space"],
        "urls": {
            "socket": f"{reverse('home')}ws/sweeps/{sweep.public_id}/",
            "events": f"{reverse('home')}api/v1/sweeps/{sweep.public_id}/events",
            "curves": f"{reverse('home')}api/v1/sweeps/{sweep.public_id}/curves",
            # The public id of a run is that of its sweep with the number.
            "run": reverse("run", args=[f"{sweep.public_id}_NUMBER"]),
        },
    }


def _banner_of(sweep: Sweep) -> str:
    if sweep.state == SweepState.COMPLETED and sweep.best_run_id is None:
        return "warn"  # it ended well and answers nothing
    return _BANNERS.get(SweepState(sweep.state), "") if sweep.reason else ""


def _repeatable(sweep: Sweep, progress: SweepProgress) -> int:
    """Return how many failed runs may be repeated now."""
    if sweep.state == SweepState.CANCEL_REQUESTED or not progress.counts.get(RunState.FAILED):
        return 0
    return failed_runs(sweep).count()


def _estimate(seconds: float | None) -> str:
    if seconds is None:
        return ""
    # Whole minutes: more would pretend to know better.
    return "< 1 min" if seconds < 60 else f"≈ {format_duration(60 * max(1, round(seconds / 60)))}"


def _estimated_end(seconds: float | None) -> datetime | None:
    if seconds is None:
        return None
    end = timezone.now() + timedelta(seconds=seconds + 30)
    return end.replace(second=0, microsecond=0)


def _tab_url(sweep: Sweep, tab: str, query: str) -> str:
    return reverse(tab, args=[sweep.public_id]) + (query if tab in _READ_TABS else "")


def _best_params(sweep: Sweep, best: Run | None) -> list[tuple[str, Any]]:
    return list(in_declared_order(best.params, sweep.spec).items()) if best else []


def chart_url(sweep: Sweep, name: str) -> str:
    """Return the address of a figure."""
    return reverse("chart_data", args=[sweep.public_id, name])
