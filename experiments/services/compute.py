"""Workers attached to compute targets: one row per slot, kept alive by heartbeats."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from experiments import clock
from experiments.compute_settings import Changes, environment_warnings
from experiments.models import ComputeTarget, Worker
from experiments.models.compute import IMPORTED, SIMULATED
from experiments.problems import Problem, ProblemsError
from experiments.services.audit import Act, record
from experiments.space.literals import brief

logger = logging.getLogger(__name__)

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")


def simulated_target() -> ComputeTarget:
    """Return the target of simulations; disabled, so that nobody submits to it."""
    target, _ = ComputeTarget.objects.get_or_create(
        kind=SIMULATED, defaults={"name": SIMULATED, "is_enabled": False}
    )
    return target


def imported_target() -> ComputeTarget:
    """Return the target of runs that were imported; disabled, so that nobody submits to it."""
    found = ComputeTarget.objects.filter(kind=IMPORTED).first()
    if found is not None:
        return found
    # Somebody may have a target of that name.
    is_taken = ComputeTarget.objects.filter(name=IMPORTED).exists()
    return ComputeTarget.objects.create(
        kind=IMPORTED, name="imported-runs" if is_taken else IMPORTED, is_enabled=False
    )


def register_worker(
    compute: ComputeTarget,
    *,
    name: str,
    host: str,
    pid: int,
    process_started: float,
    gpu: str = "",
    version: str = "",
) -> Worker:
    """Note that a worker listens on a target; a worker of the same name is replaced.

    `version` is that of the studio on its machine.
    """
    worker, _ = Worker.objects.update_or_create(
        name=name,
        defaults={
            "compute": compute,
            "host": host,
            "pid": pid,
            "process_started": process_started,
            "gpu": gpu,
            "version": version,
            "started_at": clock.now(),
            "last_seen_at": clock.now(),
        },
    )
    return worker


def heartbeat_worker(name: str) -> bool:
    """Note that a worker is alive; False when it is not registered (any more)."""
    return bool(Worker.objects.filter(name=name).update(last_seen_at=clock.now()))


def add_target(name: Any, changes: Changes, *, user: User) -> ComputeTarget:
    """Make a compute target with these settings; workers attach to it by its name.

    Raises:
        ProblemsError: the name cannot be taken, or a variable is both plain and secret.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        text = f"name is {brief(name)}; use letters, digits, - and _, at most 60 of them."
        raise ProblemsError([Problem("name", text)])
    with transaction.atomic():
        target, is_new = ComputeTarget.objects.get_or_create(name=name)
        if not is_new:
            raise ProblemsError([Problem("name", f"There is a compute target {name!r} already.")])
        record(Act.COMPUTE_ADDED, by=user, about=target.name)
        change_target(target, changes, user=user)
    return target


def change_target(target: ComputeTarget, changes: Changes, *, user: User) -> list[str]:
    """Change settings of a target for an administrator; return what should be thought of again.

    Workers notice within seconds. Live runs keep the interpreter and the variables they have.

    Raises:
        ProblemsError: a variable would be both plain and secret.
    """
    with transaction.atomic():
        row = ComputeTarget.objects.select_for_update().get(pk=target.pk)
        secrets = {**row.secrets, **(changes.secrets or {})}
        wanted: dict[str, Any] = {
            "labels": changes.labels,
            "python": changes.python,
            "environment": changes.environment,
            "secrets": {name: value for name, value in secrets.items() if value is not None},
            "is_enabled": changes.enabled,
            "is_draining": changes.draining,
        }
        changed = [name for name, v in wanted.items() if v is not None and v != getattr(row, name)]
        for name in changed:
            setattr(row, name, wanted[name])
        _check_secrets(row)
        row.save(update_fields=changed)
        if changed:
            _record_changes(row, changed, user)
    if changed:
        logger.info("compute %s: %s changed by %s", row.name, ", ".join(changed), user)
    return environment_warnings({**row.environment, **row.secrets})


def _record_changes(target: ComputeTarget, changed: list[str], user: User) -> None:
    # Names alone: what variables hold may be meant for few.
    drains = changed == ["is_draining"] and target.is_draining
    record(
        Act.COMPUTE_DRAINED if drains else Act.COMPUTE_CHANGED,
        by=user,
        workspace=target.workspace,
        about=target.name,
        details={
            name.removeprefix("is_"): sorted(getattr(target, name))
            if name in ("labels", "environment", "secrets")
            else getattr(target, name)
            for name in changed
        },
    )


def _check_secrets(target: ComputeTarget) -> None:
    both = sorted(target.environment.keys() & target.secrets.keys())
    problems = [
        Problem(f"environment.{name}", f"{name} is a secret as well; keep it in one of the two.")
        for name in both
    ]
    if problems:
        raise ProblemsError(problems)


def ask_workers(target: ComputeTarget) -> int:
    """Let the workers of a target look at their interpreter again; return how many there are."""
    ComputeTarget.objects.filter(pk=target.pk).update(asked_at=clock.now())
    return Worker.objects.filter(compute=target).count()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the scripts of a worker are started with, as its target says; `asked_at`: since when."""

    python: str
    environment: Mapping[str, str] = field(repr=False)
    asked_at: datetime | None


def wanted_of(worker_name: str) -> Wanted | None:
    """Return what a worker's target says about scripts; None when it is not registered."""
    names = ("python", "environment", "secrets", "asked_at")
    row = (
        Worker.objects.filter(name=worker_name)
        .values_list(*[f"compute__{name}" for name in names])
        .first()
    )
    if row is None:
        return None
    python, environment, secrets, asked_at = row
    return Wanted(python, {**environment, **secrets}, asked_at)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What a worker found out about the interpreter of its scripts; `problem`: it is of no use."""

    python: str
    version: str = ""
    problem: str = ""
    is_own: bool = False


def note_interpreter(worker_name: str, found: Interpreter, asked_at: datetime | None) -> None:
    """Note what a worker's scripts will run with."""
    Worker.objects.filter(name=worker_name).update(
        python=found.python[:500],
        python_version=found.version[:80],
        python_problem=found.problem[:300],
        is_python_own=found.is_own,
        python_asked_at=asked_at,
    )


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
