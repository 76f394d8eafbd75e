"""What /metrics tells beside the counts of the web process: from the database, Redis and the disk.

Every family is made anew with each scrape, with a fixed number of queries; a part that does not
answer is left out, and `studio_up` says which one it was.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from platform import python_version
from typing import Any, Final

import django
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from experiments import clock
from experiments.queries import operating
from experiments.queries.quotas import quota_figures
from experiments.queries.site_settings import site
from experiments.services import counters
from experiments.services.dispatch import CONTROL_QUEUE
from experiments.services.queue_depths import queue_depths
from experiments.states import RUN_REASONS, SWEEP_REASONS, RunState, SweepState
from studio.version import VERSION

logger = logging.getLogger(__name__)

_REDIS_SECONDS: Final = 1.0


class Studio(Collector):
    """The state of a whole studio, whichever process did what."""

    def collect(self) -> Iterator[Metric]:
        """Ask every part once."""
        targets: list[operating.TargetCount] = []
        parts = {"database": partial(_of_database, targets), "redis": partial(_of_redis, targets)}
        up = GaugeMetricFamily("studio_up", "Whether a part answers.", labels=["part"])
        yield _build()
        for part, ask in parts.items():
            found = _answers(part, ask)
            up.add_metric([part], float(found is not None))
            yield from found or ()
        yield up
        yield from _disks()

    def describe(self) -> Iterator[Metric]:
        """Name nothing beforehand: it would ask all parts."""
        return iter(())


def _of_database(targets: list[operating.TargetCount]) -> list[Metric]:
    targets += operating.target_counts()
    size = GaugeMetricFamily("studio_database_bytes", "Size of the database.")
    size.add_metric([], operating.database_bytes())
    maintenance = GaugeMetricFamily(
        "studio_maintenance", "1 while maintenance keeps new runs from starting."
    )
    maintenance.add_metric([], float(site().maintenance))
    return [*_sweeps(), *_runs(targets), *_slots(targets), *_quotas(), size, maintenance]


def _of_redis(targets: Sequence[operating.TargetCount]) -> list[Metric]:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
    ) as client:
        queues = {f"compute:{target.name}": target.queue for target in targets}
        known = counters.read(client)
        return [*_jobs(client, queues), *_moves(known), *_reports(known), *_watchdog(known)]


def _answers(part: str, ask: Callable[[], list[Metric]]) -> list[Metric] | None:
    try:
        return ask()
    except (DatabaseError, RedisError, OSError) as error:
        logger.warning("no metrics of the %s: %s", part, error)
        return None


def _build() -> Metric:
    info = InfoMetricFamily("studio_build", "Versions of this studio.")
    versions = {
        "version": VERSION,
        "python": python_version(),
        "django": django.get_version(),
        "database": connection.vendor,
    }
    info.add_metric([], versions)
    return info


def _states(
    noun: str, states: type[Any], reasons: Any, found: dict[tuple[str, str], int]
) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        f"studio_{noun}s", f"{noun.title()}s in a state.", labels=["state", "end_reason"]
    )
    # All there can be: an alert on something that never happened has a value as well.
    for state, reason in _moments(states, reasons):
        family.add_metric([state, reason], found.get((state, reason), 0))
    yield family


def _moments(states: type[Any], reasons: Any) -> Iterator[tuple[str, str]]:
    for state in states:
        for reason in sorted(reasons.get(state, [""])):
            yield str(state), str(reason)


def _sweeps() -> Iterator[Metric]:
    found = {(state, reason): n for state, reason, n in operating.sweep_counts()}
    return _states("sweep", SweepState, SWEEP_REASONS, found)


def _runs(targets: Sequence[operating.TargetCount]) -> Iterator[Metric]:
    rows = operating.run_counts()
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        if not row.is_check:
            key = row.state, row.end_reason
            found[key] = found.get(key, 0) + row.count
    yield from _states("run", RunState, RUN_REASONS, found)
    waiting = GaugeMetricFamily(
        "studio_queued_runs", "Runs that wait for a slot.", labels=["compute"]
    )
    for target in targets:
        queued = [r.count for r in rows if (r.compute, r.state) == (target.name, RunState.QUEUED)]
        waiting.add_metric([target.name], sum(queued))
    yield waiting


def _slots(targets: Sequence[operating.TargetCount]) -> Iterator[Metric]:
    for name, text, number in (
        ("studio_slots", "Slots whose worker is alive.", "slots"),
        ("studio_slots_busy", "Slots with a run.", "busy"),
        ("studio_machines", "Machines with a worker that is alive.", "machines"),
    ):
        family = GaugeMetricFamily(name, text, labels=["compute"])
        for target in targets:
            family.add_metric([target.name], getattr(target, number))
        yield family


def _quotas() -> Iterator[Metric]:
    names = ["workspace", "limit"]
    used = GaugeMetricFamily("studio_quota_used", "What is used of a limit.", labels=names)
    limits = GaugeMetricFamily("studio_quota_limit", "A limit of a workspace.", labels=names)
    for workspace, name, number, limit in quota_figures(clock.now()):
        used.add_metric([workspace, name], number)
        limits.add_metric([workspace, name], limit)
    yield used
    yield limits


def _jobs(client: redis.Redis, queues: dict[str, str]) -> Iterator[Metric]:
    depths = queue_depths(client, {**queues, CONTROL_QUEUE: CONTROL_QUEUE})
    jobs = GaugeMetricFamily("studio_queue_jobs", "Jobs in a queue.", labels=["queue"])
    oldest = GaugeMetricFamily(
        "studio_queue_oldest_seconds", "Age of the oldest job of a queue.", labels=["queue"]
    )
    for depth in depths:
        jobs.add_metric([depth.name], depth.jobs)
        oldest.add_metric([depth.name], depth.oldest)
    yield jobs
    yield oldest


def _moves(known: dict[str, float]) -> Iterator[Metric]:
    for noun, states, reasons in (
        ("run", RunState, RUN_REASONS),
        ("sweep", SweepState, SWEEP_REASONS),
    ):
        family = CounterMetricFamily(
            f"studio_{noun}_transitions",
            f"{noun.title()}s that came into a state.",
            labels=["state", "end_reason"],
        )
        for state, reason in _moments(states, reasons):
            field = counters.state_field(noun, state, reason)
            family.add_metric([state, reason], known.get(field, 0))
        yield family


def _reports(known: dict[str, float]) -> Iterator[Metric]:
    stored = CounterMetricFamily("studio_reports_stored", "Reports that were stored.")
    total = known.get(counters.REPORTS, 0)
    stored.add_metric([], total)
    yield stored
    upto, buckets = 0.0, []
    for end in counters.DELAY_BUCKETS:
        upto += known.get(counters.delay_field(end), 0)
        buckets.append((str(end), upto))
    delay = HistogramMetricFamily(
        "studio_report_delay_seconds", "From the call in the script until its report is stored."
    )
    delay.add_metric([], [*buckets, ("+Inf", total)], known.get(counters.DELAY_SUM, 0))
    yield delay


def _watchdog(known: dict[str, float]) -> Iterator[Metric]:
    ticks = SummaryMetricFamily("studio_watchdog_tick_seconds", "Looks of the watchdog.")
    ticks.add_metric([], int(known.get(counters.TICKS, 0)), known.get(counters.TICK_SECONDS, 0))
    yield ticks
    last = GaugeMetricFamily(
        "studio_watchdog_last_tick_timestamp_seconds", "When the watchdog last looked."
    )
    last.add_metric([], known.get(counters.LAST_TICK, 0))
    yield last


def _disks() -> Iterator[Metric]:
    free = GaugeMetricFamily("studio_disk_free_bytes", "Free space of a disk.", labels=["place"])
    total = GaugeMetricFamily("studio_disk_bytes", "Size of a disk.", labels=["place"])
    places = {"home": settings.STUDIO_HOME, "storage": settings.STUDIO_STORAGE_ROOT}
    for place, folder in places.items():
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        usage = shutil.disk_usage(existing)
        free.add_metric([place], usage.free)
        total.add_metric([place], usage.total)
    yield free
    yield total
