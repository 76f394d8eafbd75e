"""The dashboard of a team: what runs, who waits, what ended, new bests, what needs somebody.

Each part is made where the template shows it, so that one that fails takes only itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from experiments import formats, queries
from experiments.lately import Lately
from experiments.models.compute import UNATTENDED
from experiments.permissions import Action
from experiments.queries import SweepRow
from experiments.queries.dashboard import (
    NewBest,
    finished_sweeps,
    new_bests,
    running_sweeps,
    starred_sweeps,
)
from experiments.queries.dashboard_attention import (
    MOST_SHOWN,
    Alert,
    alert_of_disk,
    alerts_of_compute,
    alerts_of_sweeps,
)
from experiments.queries.dashboard_compute import WINDOWS, compute_use, disk_of_runs
from experiments.queries.dashboard_queue import queue_of
from experiments.queries.dashboard_sweeps import TeamSweeps, team_sweeps
from experiments.slot_use import SlotUse
from experiments.storable import is_storable
from experiments.views.parts import once

_WORDS: Final = {"day": "24 hours", "week": "7 days"}
# The picture of a target's use: attributes of an SVG, in its own units.
_HEIGHT: Final = 44.0
_BAR: Final = 10.0
_GAP: Final = 2.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What the parts are made of, and what became of them: by whether one may start sweeps."""

    made_of: dict[str, Callable[[], Any]]
    rendered: dict[bool, dict[str, SafeString]] = field(default_factory=dict)


# Parts by the teams that they are about. Many look at them again at every change.
SHARED: Final[Lately[Parts]] = Lately(2.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of time: its place and height, and what it says."""

    x: float
    y: float
    height: float
    start: datetime
    busy: float


@dataclass(frozen=True, slots=True)
class TargetUse:
    """A compute target: its slots now, and how busy they were."""

    name: str
    slots: int
    busy: int
    queued: int
    is_draining: bool
    bars: list[Bar]
    width: float
    most: float
    slot_seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A sweep that ended lately, with the decimals of its metric and its time."""

    row: SweepRow
    digits: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Gained:
    """A new best as a line says it; `gain` has its sign."""

    best: NewBest
    digits: int
    gain: str


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the dashboard."""
    return redirect("dashboard")


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show what a team wants to know; with the header X-Fragment only the parts that change."""
    window = request.GET.get("window", "")
    window = window if window in WINDOWS else "day"
    is_wall = request.GET.get("view") == "wall"
    asked = _narrowed(request)
    is_fragment = "X-Fragment" in request.headers
    # What the parts depend on: the workspaces that somebody sees, whoever it is.
    teams = frozenset(queries.workspaces_for(request.user).values_list("pk", flat=True))
    # What is a moment old will do: pages look again as soon as they follow what happens.
    parts = SHARED.get((window, teams))
    is_shared = parts is not None
    if parts is None:
        parts = SHARED.keep((window, teams), Parts(_parts(request, window, timezone.now())))
    counts = parts.made_of["counts"]()
    workspace = queries.current_workspace(request.user)
    can_change = queries.may(request.user, workspace, Action.SUBMIT)
    context = {
        **parts.made_of,
        "rendered": parts.rendered.setdefault(can_change, {}),
        "starred": once(lambda: starred_sweeps(request.user)),
        "is_shared": is_shared,
        "counts": counts,
        "total": counts["all"],
        "window": window,
        "window_words": _WORDS[window],
        "windows": [(key, _WORDS[key], _url(key, asked, is_wall=is_wall)) for key in WINDOWS],
        "is_wall": is_wall,
        "wall_url": _url(window, asked, is_wall=not is_wall),
        "asked_workspace": asked,
        "can_change": can_change,
    }
    name = "experiments/_dashboard_parts.html" if is_fragment else "experiments/dashboard.html"
    return render(request, name, context)


def _parts(request: HttpRequest, window: str, now: datetime) -> dict[str, Callable[[], Any]]:
    user = request.user
    team = once(lambda: team_sweeps(user, now))
    # The compute of simulations has no slots, and its clock is its own.
    targets = once(lambda: [t for t in queries.compute_json(user) if t["kind"] not in UNATTENDED])
    alerts = once(lambda: _alerts(targets(), team(), now))
    return {
        "counts": once(lambda: queries.state_counts(user)),
        "alerts": once(lambda: alerts()[:MOST_SHOWN]),
        "more_alerts": once(lambda: max(0, len(alerts()) - MOST_SHOWN)),
        "running": once(lambda: running_sweeps(team())),
        "queue": once(lambda: queue_of(user, targets(), now)),
        "finished": once(lambda: [_ended(row) for row in finished_sweeps(team())]),
        "bests": once(lambda: [_gained(best) for best in new_bests(team())]),
        "targets": once(lambda: _use_of_targets(targets(), window, now)),
        "disk": once(disk_of_runs),
    }


def _alerts(targets: Sequence[Mapping[str, Any]], team: TeamSweeps, now: datetime) -> list[Alert]:
    found = [*alerts_of_compute(targets, now), *alerts_of_sweeps(team)]
    try:
        disk = alert_of_disk(disk_of_runs())
    except Exception:  # noqa: BLE001 - the part about the disk says so
        disk = None
    return [disk, *found] if disk else found


def _use_of_targets(
    targets: Sequence[Mapping[str, Any]], window: str, now: datetime
) -> list[TargetUse]:
    names = [target["name"] for target in targets]
    use = compute_use(names, window, now) if names else {}
    return [_target_use(target, use[target["name"]]) for target in targets]


def _target_use(target: Mapping[str, Any], use: SlotUse) -> TargetUse:
    # Slots that were there earlier and are gone now are known by their runs only.
    most = max(target["slots"], use.most, 1)
    bars = []
    for at, busy in enumerate(use.busy):
        height = _HEIGHT * busy / most
        start = datetime.fromtimestamp(use.start + at * use.seconds, tz=UTC)
        bars.append(Bar(at * (_BAR + _GAP), _HEIGHT - height, height, start, busy))
    return TargetUse(
        name=target["name"],
        slots=target["slots"],
        busy=target["busy"],
        queued=target["queued"],
        is_draining=target["draining"],
        bars=bars,
        width=len(bars) * (_BAR + _GAP) - _GAP,
        most=most,
        slot_seconds=use.slot_seconds,
    )


def _ended(row: SweepRow) -> Ended:
    seconds = (row.ended - row.started).total_seconds() if row.ended and row.started else None
    return Ended(row, formats.metric_digits([row.best_value]), seconds)


def _gained(best: NewBest) -> Gained:
    digits = formats.metric_digits([best.row.best_value])
    if best.gain is None:
        return Gained(best, digits, "")
    text = formats.format_metric(best.gain, digits)
    return Gained(best, digits, f"+{text}" if best.gain > 0 else text)


def _narrowed(request: HttpRequest) -> str:
    """Look at the one workspace that the address names; return its short name, "" for all."""
    slug = request.GET.get("workspace", "")
    if not slug or not is_storable(slug):
        return ""
    found = queries.workspaces_for(request.user).filter(slug=slug).first()
    if found is None:
        raise Http404("There is no such workspace.")
    queries.look_at(request.user, found)
    return found.slug


def _url(window: str, workspace: str, *, is_wall: bool) -> str:
    asked = {
        "window": window if window != "day" else "",
        "view": "wall" if is_wall else "",
        "workspace": workspace,
    }
    query = urlencode({key: value for key, value in asked.items() if value})
    return reverse("dashboard") + (f"?{query}" if query else "")
