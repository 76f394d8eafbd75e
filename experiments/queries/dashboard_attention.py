"""What needs somebody: sweeps that stopped or fail, compute that takes no runs, a full disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.urls import reverse

from experiments.formats import format_filesize
from experiments.models import Event, Sweep
from experiments.queries.dashboard_compute import Disk
from experiments.queries.dashboard_sweeps import TeamSweeps
from experiments.states import RUN_TERMINAL, RunState, SweepState

_LOST_LATELY: Final = timedelta(days=1)
MOST_SHOWN: Final = 8
# Most sweeps of one kind that are looked at.
_MOST_SWEEPS: Final = 30
# From so many failed runs, and this share of those that ended, somebody should look.
_MANY_FAILED: Final = 3
_FAILED_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to look after. `what` says it in a few words, `text` is the sentence behind it.

    `level` is "failed", "warn" or "paused", which are colour and icon as well.
    """

    level: str
    what: str
    name: str
    url: str
    text: str
    who: str
    when: datetime | None


def alerts_of_sweeps(team: TeamSweeps) -> list[Alert]:
    """Return sweeps that wait for somebody, the worst kind first, newest first; 1 query."""
    active = team.active[:_MOST_SWEEPS]
    by_itself = _paused_by_itself(s.pk for s in active if s.state == SweepState.PAUSED)
    found = [
        _alert("paused", "Paused by itself", sweep, by_itself[sweep.pk])
        for sweep in active
        if sweep.pk in by_itself
    ]
    for sweep in active:
        if sweep.pk in by_itself:
            continue
        if sweep.sampler_error:
            text = sweep.sampler_error
            found.append(_alert("failed", "No new runs", sweep, sweep.started_at, text=text))
        elif text := _many_failed(team.counts.get(sweep.pk, {})):
            found.append(_alert("warn", "Runs fail", sweep, None, text=text, page="sweep_failures"))
    found += [_alert("failed", "Failed", s, s.ended_at) for s in team.failed]
    return found


def alerts_of_compute(targets: Iterable[Mapping[str, Any]], now: datetime) -> list[Alert]:
    """Return what is wrong with compute targets (as `compute_json` tells them); no query."""
    found = []
    for target in targets:
        hosts = _lost_hosts(target, now)
        silent = _silent(hosts)
        if target["queued"] and not target["slots"]:
            runs = "1 run waits" if target["queued"] == 1 else f"{target['queued']} runs wait"
            text = f"{runs} and nobody takes them. {silent}".rstrip()
            found.append(_of_target("failed", "No worker", target, text))
            continue
        if hosts:
            text = f"{silent} Lost runs are repeated elsewhere."
            found.append(_of_target("warn", "Machine lost", target, text))
        if target["queued"] and target["draining"]:
            text = f"{target['queued']} waiting, and nothing is taken until it takes runs again."
            found.append(_of_target("paused", "Being drained", target, text))
        problems = {w["python_problem"] for w in target["workers"] if w["alive"]} - {""}
        found += [_of_target("failed", "Scripts cannot start", target, p) for p in sorted(problems)]
    return found


def alert_of_disk(disk: Disk) -> Alert | None:
    """Return that the disk of the runs is nearly full, if it is."""
    if not disk.is_low:
        return None
    text = (
        f"{format_filesize(disk.free)} of {format_filesize(disk.total)} are free. Workers take no "
        "more runs when it is full; empty the trash, or keep the outputs of the best runs only."
    )
    return Alert("warn", "Disk nearly full", "Storage", reverse("trash"), text, "", None)


def _paused_by_itself(sweep_ids: Iterable[int]) -> dict[int, datetime]:
    """Return the paused sweeps that no person paused, and since when."""
    events = Event.objects.filter(sweep__in=list(sweep_ids), kind=Event.Kind.SWEEP)
    last = {event.sweep_id: event for event in events.order_by("sweep_id", "cursor")}
    return {pk: event.created_at for pk, event in last.items() if "by" not in event.payload}


def _many_failed(counts: Mapping[str, int]) -> str:
    failed = counts.get(RunState.FAILED, 0)
    ended = sum(counts.get(state, 0) for state in RUN_TERMINAL)
    if failed < _MANY_FAILED or failed < _FAILED_SHARE * ended:
        return ""
    return f"{failed} of {ended} runs that ended have failed."


def _alert(
    level: str,
    what: str,
    sweep: Sweep,
    when: datetime | None,
    *,
    text: str = "",
    page: str = "sweep",
) -> Alert:
    owner = sweep.owner.get_username() if sweep.owner else ""
    url = reverse(page, args=[sweep.public_id])
    return Alert(level, what, sweep.name, url, text or sweep.reason, owner, when)


def _of_target(level: str, what: str, target: Mapping[str, Any], text: str) -> Alert:
    return Alert(level, what, target["name"], reverse("compute"), text, "", None)


def _lost_hosts(target: Mapping[str, Any], now: datetime) -> list[str]:
    """Return the machines none of whose workers is alive, but one was a day ago."""
    alive = {w["host"] for w in target["workers"] if w["alive"]}
    since = (now - _LOST_LATELY).timestamp()
    lost = {
        w["host"]
        for w in target["workers"]
        if not w["alive"] and datetime.fromisoformat(w["seen"]).timestamp() > since
    }
    return sorted(lost - alive)


def _silent(hosts: list[str]) -> str:
    if not hosts:
        return ""
    more = f" and {len(hosts) - 3} more" if len(hosts) > 3 else ""
    return f"No sign of life from {', '.join(hosts[:3])}{more}."
