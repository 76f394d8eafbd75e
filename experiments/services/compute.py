"""Workers attached to compute targets: one row per slot, kept alive by heartbeats."""

from __future__ import annotations

from datetime import timedelta

from experiments import clock
from experiments.models import ComputeTarget, Worker
from experiments.models.compute import SIMULATED


def simulated_target() -> ComputeTarget:
    """Return the target of simulations; disabled, so that nobody submits to it."""
    target, _ = ComputeTarget.objects.get_or_create(
        kind=SIMULATED, defaults={"name": SIMULATED, "is_enabled": False}
    )
    return target


def register_worker(
    compute: ComputeTarget,
    *,
    name: str,
    host: str,
    pid: int,
    process_started: float,
    gpu: str = "",
) -> Worker:
    """Note that a worker listens on a target; a worker of the same name is replaced."""
    worker, _ = Worker.objects.update_or_create(
        name=name,
        defaults={
            "compute": compute,
            "host": host,
            "pid": pid,
            "process_started": process_started,
            "gpu": gpu,
            "started_at": clock.now(),
            "last_seen_at": clock.now(),
        },
    )
    return worker


def heartbeat_worker(name: str) -> bool:
    """Note that a worker is alive; False when it is not registered (any more)."""
    return bool(Worker.objects.filter(name=name).update(last_seen_at=clock.now()))


def change_target(target: ComputeTarget, **changes: bool) -> None:
    """Set `is_enabled` or `is_draining` of a target; its workers notice within seconds."""
    ComputeTarget.objects.filter(pk=target.pk).update(**changes)


def is_draining(worker_name: str) -> bool:
    """Tell whether the target of a worker takes no new runs for now."""
    return Worker.objects.filter(name=worker_name, compute__is_draining=True).exists()


def remove_worker(name: str) -> None:
    """Forget a worker that ended."""
    Worker.objects.filter(name=name).delete()


def remove_silent_workers(silence: timedelta) -> int:
    """Forget the workers that gave no sign for `silence`; return how many."""
    removed, _ = Worker.objects.filter(last_seen_at__lt=clock.now() - silence).delete()
    return removed
