"""What the first page of the administration shows; each part is made where its template asks.

So a part that fails takes only itself. What costs more than a few queries is looked at once in a
while, however many administrators look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from platform import python_version
from typing import Any, Final

import psutil
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from experiments import queries
from experiments.admin_queues import queue_indexes
from experiments.formats import format_duration
from experiments.models.compute import UNATTENDED
from experiments.queries.administration import (
    TableSize,
    Taken,
    database_sizes,
    largest_tables,
    people,
    recent_acts,
    taken_in_storage,
)
from experiments.queries.dashboard_attention import (
    Alert,
    alert_of_disk,
    alerts_of_compute,
    alerts_of_sweeps,
)
from experiments.queries.dashboard_compute import disk_of_runs
from experiments.queries.dashboard_sweeps import team_sweeps
from experiments.queries.operating import run_counts, target_counts
from experiments.services import counters
from experiments.services.dispatch import CONTROL_QUEUE
from experiments.services.queue_depths import FailedJob, QueueDepth, failed_jobs, queue_depths
from experiments.services.report_delays import report_delay
from experiments.services.slow_queries import THRESHOLD_SECONDS, slowest
from experiments.states import RunState
from experiments.views.parts import once
from runner.workdir import tree_bytes
from studio.doctor import Finding, examine
from studio.kept import Kept
from studio.version import VERSION
from studio.web_processes import WEB_PROCESSES

# The doctor's checks of what people of a running studio can lack.
_CHECKED: Final = (
    "Database", "Database connections", "SQLite journal", "Clock", "Redis", "Redis memory",
    "Redis password", "Scheduler", "Messenger", "Workers", "Worker versions", "Interpreters",
    "Disk", "Storage", "Storage bucket", "Mail", "TLS", "Allowed hosts", "Secret key",
)  # fmt: skip
_LEVELS: Final = {
    "problem": ("failed", "Broken"),
    "warning": ("warn", "Look"),
    "ok": ("completed", "Well"),
}
_HEALTH_SECONDS: Final = 15.0
_SIZES_SECONDS: Final = 60.0
_MOST_ALERTS: Final = 6
_MOST_SLOW: Final = 10
_MOST_FAILED: Final = 8
_MOST_TABLES: Final = 8
_MOST_ACTS: Final = 8


@dataclass(frozen=True, slots=True)
class Health:
    """One part of the studio: how it is, what was seen, what follows and how to mend it."""

    name: str
    css: str
    word: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue of RQ, with the slots of its target; the scheduler's own queue has none."""

    depth: QueueDepth
    url: str
    slots: int = 0
    busy: int = 0
    waiting: int = 0
    machines: int = 0
    is_target: bool = True

    @property
    def free(self) -> int:
        """Return how many slots have no run."""
        return max(0, self.slots - self.busy)


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A failed job and where RQ's page of it is."""

    job: FailedJob
    url: str


@dataclass(frozen=True, slots=True)
class Sizes:
    """What takes room: in the storage, in the data folder, in the database."""

    storage: list[Taken]
    folders: list[tuple[str, int]]
    database: int
    unwritten: int
    tables: list[TableSize]


def parts(request: HttpRequest) -> dict[str, Callable[[], Any] | Any]:
    """Return the context of the dashboard; nothing is asked before a template wants it."""
    now = timezone.now()
    targets = once(target_counts)
    queues = once(lambda: _queues(targets()))
    alerts = once(lambda: _alerts(request))
    return {
        "title": "Administration",
        "version": VERSION,
        "health": once(_HEALTH.value),
        "wrong": once(lambda: [part for part in _HEALTH.value() if part.finding.cure]),
        "alerts": once(lambda: alerts()[:_MOST_ALERTS]),
        "more_alerts": once(lambda: max(0, len(alerts()) - _MOST_ALERTS)),
        "queues": queues,
        "slots": once(lambda: (sum(t.busy for t in targets()), sum(t.slots for t in targets()))),
        "waiting": once(lambda: sum(row.waiting for row in queues())),
        "failed_jobs": once(lambda: _failed([t.queue for t in targets()])),
        "people": once(lambda: people(now)),
        "disk": once(disk_of_runs),
        "sizes": once(_SIZES.value),
        "slow_queries": once(lambda: slowest(counters.client())),
        "most_slow": _MOST_SLOW,
        "threshold": round(1000 * THRESHOLD_SECONDS),
        "delay": once(lambda: report_delay(counters.client())),
        "acts": once(lambda: recent_acts(_MOST_ACTS)),
    }


def _health() -> tuple[Health, ...]:
    found = [_web(), *examine(_CHECKED)]
    order = list(_LEVELS)
    # The order of the checks stays within a level.
    found.sort(key=lambda finding: order.index(finding.level))
    return tuple(Health(f.name, *_LEVELS[f.level], f) for f in found)


def _web() -> Finding:
    """Tell of the processes that answer; one of them does, or nobody would read it."""
    seen = [_start_and_memory(pid) for pid in WEB_PROCESSES.pids().values()]
    alive = [found for found in seen if found is not None]
    since = format_duration(time.time() - min(start for start, _ in alive))
    memory = f"{max(size for _, size in alive) / 1e6:.0f} MB of memory"
    if len(seen) > 1:
        memory = f"{len(alive)} of {len(seen)} processes, with up to {memory}"
    text = f"version {VERSION}, Python {python_version()}, up for {since}, {memory}"
    return Finding("Web server", text)


def _start_and_memory(pid: int) -> tuple[float, int] | None:
    try:
        process = psutil.Process(pid)
        return process.create_time(), process.memory_info().rss
    except psutil.Error:
        # It has just died and is being started again.
        return None


def _alerts(request: HttpRequest) -> list[Alert]:
    now = timezone.now()
    targets = [t for t in queries.compute_json(request.user) if t["kind"] not in UNATTENDED]
    found = [*alerts_of_compute(targets, now), *alerts_of_sweeps(team_sweeps(request.user, now))]
    disk = alert_of_disk(disk_of_runs())
    return [disk, *found] if disk else found


def _queues(targets: Sequence[Any]) -> list[QueueRow]:
    names = {target.name: target.queue for target in targets}
    # A target cannot have this name: it has a space.
    named = {**names, "the scheduler": CONTROL_QUEUE}
    depths = {depth.name: depth for depth in queue_depths(counters.client(), named)}
    waiting: dict[str, int] = {}
    for row in run_counts():
        if row.state == RunState.QUEUED:
            waiting[row.compute] = waiting.get(row.compute, 0) + row.count
    indexes = queue_indexes()
    found = [
        QueueRow(
            depth=depths[target.name],
            url=_jobs_url(indexes.get(target.queue)),
            slots=target.slots,
            busy=target.busy,
            waiting=waiting.get(target.name, 0),
            machines=target.machines,
        )
        for target in targets
    ]
    own = QueueRow(depths["the scheduler"], _jobs_url(indexes.get(CONTROL_QUEUE)), is_target=False)
    return [*found, own]


def _jobs_url(index: int | None) -> str:
    return "" if index is None else reverse("admin:django_rq_jobs", args=[index])


def _failed(names: Sequence[str]) -> list[FailedRow]:
    jobs = failed_jobs(counters.client(), [*names, CONTROL_QUEUE], _MOST_FAILED)
    indexes = queue_indexes()
    return [
        FailedRow(job, reverse("admin:django_rq_job_detail", args=[indexes[job.queue], job.job_id]))
        for job in jobs
        if job.queue in indexes
    ]


def _sizes() -> Sizes:
    home = settings.STUDIO_HOME
    folders = {"Redis' file": "redis", "Logs of the studio": "logs", "Cache": "cache"}
    found = [(name, tree_bytes(home / folder)) for name, folder in folders.items()]
    database, unwritten = database_sizes()
    return Sizes(
        storage=taken_in_storage(),
        folders=[(name, size) for name, size in found if size],
        database=database,
        unwritten=unwritten,
        tables=largest_tables(_MOST_TABLES),
    )


_HEALTH: Final = Kept[tuple[Health, ...]](_health, _HEALTH_SECONDS)
_SIZES: Final = Kept[Sizes](_sizes, _SIZES_SECONDS)
