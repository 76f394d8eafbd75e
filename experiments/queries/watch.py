"""What the watchdog and the compute page look at: sweeps to advance, silent runs, workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db.models import Count, Model, Prefetch, QuerySet
from django.utils import timezone

from experiments.compute_settings import has_label
from experiments.models import ComputeTarget, Run, Sweep, Worker
from experiments.models.compute import SIMULATED
from experiments.queries.json_forms import time_json
from experiments.queries.visible import AnyUser, compute_for, runs_for
from experiments.states import RUN_LIVE, SWEEP_ACTIVE, RunState
from studio.version import VERSION

Row = TypeVar("Row", bound=Model)

# A worker gives a sign every heartbeat; this many missed ones and it counts as gone.
_MISSED: Final = 3


def if_any(rows: QuerySet[Row]) -> Iterable[Row]:
    """Return the rows, asked for only when there are any.

    Whoever looks every few seconds finds none nearly always, and to ask whether there are takes
    Django an eighth of the time of a question for all columns.
    """
    return rows if rows.exists() else ()


def active_sweeps() -> QuerySet[Sweep]:
    """Return the sweeps that the controller has to look at; simulations look after their own."""
    active = Sweep.objects.filter(state__in=sorted(SWEEP_ACTIVE))
    return active.exclude(compute__kind=SIMULATED).order_by("pk")


def expired_runs(now: datetime) -> QuerySet[Run]:
    """Return the live runs whose lease ran out before `now`, oldest first."""
    silent = Run.objects.filter(lease_expires_at__lt=now, state__in=sorted(RUN_LIVE))
    # The leases of a simulation follow another clock.
    return silent.exclude(sweep__compute__kind=SIMULATED).order_by("lease_expires_at")


def alive_since() -> datetime:
    """Return the time after which a worker must have given a sign to count as alive."""
    return timezone.now() - timedelta(seconds=_MISSED * settings.STUDIO_HEARTBEAT_SECONDS)


def workers_of(target: ComputeTarget) -> tuple[int, int]:
    """Return how many live workers a target has, and how many of them have a run."""
    alive = Worker.objects.filter(compute=target, last_seen_at__gte=alive_since())
    names = set(alive.values_list("name", flat=True))
    live = Run.objects.filter(state__in=sorted(RUN_LIVE), worker_name__in=names)
    return len(names), len(set(live.values_list("worker_name", flat=True)))


def slots_in_use(user: AnyUser) -> tuple[int, int]:
    """Return how many slots of a person's compute targets are busy, and how many there are."""
    limit = alive_since()
    workers = dict(
        Worker.objects.filter(compute__in=compute_for(user)).values_list("name", "last_seen_at")
    )
    live = Run.objects.filter(state__in=sorted(RUN_LIVE)).exclude(worker_name="")
    busy = workers.keys() & set(live.values_list("worker_name", flat=True))
    return len(busy), sum(seen >= limit for seen in workers.values())


def compute_json(user: AnyUser, labels: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return a person's compute targets with their workers; runs of others are only counted.

    `labels`: only those that have all of them.
    """
    limit = alive_since()
    live = Run.objects.filter(state__in=sorted(RUN_LIVE)).exclude(worker_name="")
    busy = set(live.values_list("worker_name", flat=True))
    shown = runs_for(user).filter(state__in=sorted(RUN_LIVE)).exclude(worker_name="")
    visible = {
        row["worker_name"]: row
        for row in shown.values("worker_name", "public_id", "started_at", "sweep__name")
    }
    waiting = dict(
        Run.objects.filter(state=RunState.QUEUED)
        .order_by()
        .values_list("sweep__compute_id")
        .annotate(n=Count("pk"))
    )
    targets = compute_for(user).prefetch_related(
        Prefetch("workers", queryset=Worker.objects.order_by("name"))
    )
    found = []
    for target in targets:
        if not all(has_label(target.labels, label) for label in labels):
            continue
        workers = [
            _worker_json(w, target, limit, busy, visible.get(w.name)) for w in target.workers.all()
        ]
        found.append(_target_json(target, workers, waiting.get(target.pk, 0)))
    return found


def _target_json(
    target: ComputeTarget, workers: list[dict[str, Any]], waiting: int
) -> dict[str, Any]:
    return {
        "name": target.name,
        "kind": target.kind,
        "enabled": target.is_enabled,
        "draining": target.is_draining,
        "queue": target.queue_name,
        "labels": target.labels,
        "python": target.python,
        "environment": target.environment,
        "secrets": sorted(target.secrets),
        "slots": sum(worker["alive"] for worker in workers),
        "busy": sum(worker["busy"] for worker in workers),
        "queued": waiting,
        "workers": workers,
    }


def _worker_json(
    worker: Worker,
    target: ComputeTarget,
    limit: datetime,
    busy: set[str],
    run: Mapping[str, Any] | None,
) -> dict[str, Any]:
    is_asked = target.asked_at is not None and worker.python_asked_at != target.asked_at
    return {
        "name": worker.name,
        "host": worker.host,
        "pid": worker.pid,
        "gpu": worker.gpu,
        "started": time_json(worker.started_at),
        "seen": time_json(worker.last_seen_at),
        "alive": worker.last_seen_at >= limit,
        "busy": worker.name in busy,
        "run": run and run["public_id"],
        "sweep_name": run and run["sweep__name"],
        "run_started": time_json(run["started_at"]) if run and run["started_at"] else None,
        "version": worker.version,
        "is_same_version": worker.version == VERSION,
        "python": worker.python,
        "python_version": worker.python_version,
        "python_problem": worker.python_problem,
        "is_python_own": worker.is_python_own,
        "is_asked": is_asked,
    }
