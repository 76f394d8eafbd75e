"""Find what no change of state tells of: a new best run, runs that fell silent, no worker at all.

The lead of a sweep is a column that every report keeps up anyway, so asking for it now and then
costs the path of reports nothing, and gathers what happens within a minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from experiments import clock
from experiments.formats import format_duration, format_param
from experiments.models import Notification, Run, Sweep
from experiments.notify.kinds import EventKind
from experiments.queries.notification_watch import (
    last_reports,
    leads,
    longest_runs,
    runs_with_values,
    silent_runs,
    waiting_in_vain,
)
from experiments.queries.notifications import wanted_events
from experiments.services.notifications import announce

BEST_APART: Final = timedelta(seconds=60)
# As long as so few runs have a value, nearly each of them leads.
FIRST_RUNS: Final = 5
# Nothing is stuck before this, however fast it reported.
SILENCE: Final = timedelta(minutes=15)
_LONGER: Final = 10.0
# A run that has not reported yet is compared with the runs that ended; without any, this is long.
_FIRST_REPORT: Final = timedelta(hours=6)
_MUTE_LONGER: Final = 3.0
_WAITING: Final = timedelta(minutes=5)


def watch_leads() -> None:
    """Announce the runs that took the lead of their sweep since it was asked last."""
    if EventKind.NEW_BEST not in wanted_events():
        return
    sweeps = list(leads(clock.now() - BEST_APART))
    counts = runs_with_values([sweep.pk for sweep in sweeps])
    for sweep in sweeps:
        if counts.get(sweep.pk, 0) >= FIRST_RUNS:
            _note_lead(sweep, vars(sweep)["told_key"])


def watch_silence() -> None:
    """Announce runs that report nothing any more, and runs that wait for no worker."""
    wanted = wanted_events()
    now = clock.now()
    if EventKind.STUCK in wanted:
        _find_stuck(now)
    if EventKind.COMPUTE_LOST in wanted:
        for run in waiting_in_vain(now - _WAITING):
            target = run.sweep.compute.name
            announce(
                EventKind.COMPUTE_LOST,
                sweep_id=run.sweep_id,
                key=f"waits-{run.pk}",
                message=f"Runs wait, and {target} has no worker that takes them.",
            )


def _note_lead(sweep: Sweep, told_key: str | None) -> None:
    run, value = sweep.best_run, sweep.best_value
    if run is None or value is None:
        return
    key = f"{run.pk}-{sweep.best_stamp}"
    if told_key is None:
        # Whoever led when the first runs had a value is no news.
        Notification.objects.bulk_create(
            [Notification(sweep=sweep, kind=EventKind.NEW_BEST, key=key, spread_at=clock.now())],
            ignore_conflicts=True,
        )
        return
    if told_key.partition("-")[0] == str(run.pk):
        return  # it leads by more than it did: told when it ends
    interval = f" at interval {run.best_interval}" if run.best_interval else ""
    announce(
        EventKind.NEW_BEST,
        sweep_id=sweep.pk,
        key=key,
        message=f"Run {run.number} leads with {sweep.metric_name} "
        f"{format_param(value, 6)}{interval}.",
        facts={"run": run.public_id, "number": run.number},
    )


def _find_stuck(now: datetime) -> None:
    runs = silent_runs(now - SILENCE)
    keys = [run.pk for run in runs]
    reported = last_reports(keys) if keys else {}
    longest = longest_runs({run.sweep_id for run in runs}) if keys else {}
    for run in runs:
        since = reported.get(run.pk)
        silence = now.timestamp() - (since or run.started_at.timestamp() if run.started_at else 0)
        if silence > _patience(run, since, longest.get(run.sweep_id)):
            what = "has reported nothing yet, for" if since is None else "has reported nothing for"
            announce(
                EventKind.STUCK,
                sweep_id=run.sweep_id,
                key=f"{run.pk}-{run.reports}",
                message=f"Run {run.number} goes on but {what} {format_duration(silence)}.",
                facts={"run": run.public_id, "number": run.number, "host": run.host},
            )


def _patience(run: Run, since: float | None, longest: float | None) -> float:
    """Return the seconds of silence that are no surprise from this run."""
    floor = SILENCE.total_seconds()
    if since is None or run.reports < 2 or run.started_at is None:
        usual = _FIRST_REPORT.total_seconds() if longest is None else _MUTE_LONGER * longest
        return max(floor, usual)
    pace = (since - run.started_at.timestamp()) / run.reports
    return max(floor, _LONGER * pace)
