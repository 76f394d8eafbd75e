"""Rows for tests, made by the same services that the product uses wherever there is one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.utils import timezone

from experiments.models import (
    CheckRun,
    ComputeTarget,
    Membership,
    Run,
    Snapshot,
    Sweep,
    Workspace,
)
from experiments.services.metrics import RecordResult, Report, record_reports
from experiments.services.new_runs import NewRun, create_runs
from experiments.services.runs import ClaimedRun, claim_run, start_run
from experiments.services.sweeps import create_sweep
from experiments.services.transitions import move_sweep
from experiments.spec import SweepSpec
from experiments.states import SweepState

SPEC: dict[str, Any] = {
    "name": "digits",
    "experiment": "digits",
    "source_directory": ".",
    "script": "train.py",
    "compute": "local",
    "search_space": {"lr": "uniform(0.0, 1.0)", "layers": "choice(1, 2, 3)"},
    "sampling": {"type": "random", "seed": 7},
    "primary_metric": {"name": "accuracy", "goal": "maximize"},
    "max_total_runs": 4,
    "max_concurrent_runs": 2,
    "max_duration_minutes": 60,
}


def make_user(
    name: str = "alice", *, is_superuser: bool = False, password: str | None = None
) -> User:
    """Return the user of this name; made when there is none, without a password unless given."""
    user, _ = User.objects.get_or_create(
        username=name,
        defaults={
            "is_superuser": is_superuser,
            "is_staff": is_superuser,
            # Hashing takes a tenth of a second: only for tests that sign in with it.
            "password": make_password(password),
        },
    )
    return user


def make_workspace(
    *members: User, name: str = "Team", role: str = Membership.Role.OWNER
) -> Workspace:
    """Return the workspace of this name with these members."""
    workspace, _ = Workspace.objects.get_or_create(slug=name.lower(), defaults={"name": name})
    for member in members:
        Membership.objects.update_or_create(
            workspace=workspace, user=member, defaults={"role": role}
        )
    return workspace


def make_compute(name: str = "local") -> ComputeTarget:
    """Return the compute target of this name."""
    return ComputeTarget.objects.get_or_create(name=name)[0]


def make_snapshot(digest: str = "0" * 64) -> Snapshot:
    """Return a snapshot row without files: enough where nothing is unpacked."""
    return Snapshot.objects.get_or_create(
        digest=digest, defaults={"size_bytes": 1, "file_count": 1}
    )[0]


def make_sweep(
    *,
    owner: User | None = None,
    workspace: Workspace | None = None,
    is_running: bool = True,
    **spec: Any,
) -> Sweep:
    """Return a new sweep of SPEC with changes; started unless told otherwise, without runs."""
    owner = owner or make_user()
    workspace = workspace or make_workspace(owner)
    make_compute(spec.get("compute", "local"))
    sweep = create_sweep(
        SweepSpec.parse({**SPEC, **spec}),
        owner=owner,
        workspace=workspace,
        snapshot=make_snapshot(),
    )
    if is_running:
        now = timezone.now()
        sweep = move_sweep(
            sweep.pk,
            SweepState.RUNNING,
            started_at=now,
            deadline_at=now + sweep.max_duration,
        )
    return sweep


def make_check(
    *, owner: User | None = None, workspace: Workspace | None = None, **spec: Any
) -> Sweep:
    """Return a check of SPEC with changes that has just been started, without its run."""
    owner = owner or make_user()
    make_compute(spec.get("compute", "local"))
    whole = SweepSpec.parse({**SPEC, **spec})
    sweep = create_sweep(
        whole,
        owner=owner,
        workspace=workspace or make_workspace(owner),
        snapshot=make_snapshot(),
        kind=Sweep.Kind.CHECK,
    )
    Sweep.objects.filter(pk=sweep.pk).update(max_total_runs=1, max_concurrent_runs=1)
    CheckRun.objects.create(sweep=sweep, seconds=60, spec=whole.dump())
    return Sweep.objects.get(pk=sweep.pk)


def make_run(sweep: Sweep, **params: Any) -> Run:
    """Return a new queued run of a sweep with these hyperparameters."""
    sweep.refresh_from_db()
    values = params or {"lr": 0.1, "layers": 2}
    arguments = [word for name, value in values.items() for word in (f"--{name}", str(value))]
    return create_runs(sweep, [NewRun(params=values, arguments=arguments)])[0]


def claim(run: Run) -> ClaimedRun:
    """Let a worker take a queued run."""
    claimed = claim_run(run.pk, worker_name="worker-1", host="here", pid=1, process_started=1.0)
    assert claimed is not None
    return claimed


def make_running_run(sweep: Sweep, **params: Any) -> Run:
    """Return a new run whose process has started."""
    claimed = claim(make_run(sweep, **params))
    return start_run(
        claimed.run_id,
        claimed.fence,
        arguments=["python", "train.py", *claimed.arguments],
        directory="/nowhere",
        guard_pid=2,
    )


def report(
    run: Run,
    values: Sequence[float | str],
    *,
    name: str = "accuracy",
    steps: Iterable[float | None] | None = None,
) -> RecordResult:
    """Store values as the next reports of a run's journal."""
    run.refresh_from_db()
    all_steps = list(steps) if steps is not None else [None] * len(values)
    now = time.time()
    reports = [
        Report(run.last_seq + 10 * i, name, value, step, now + i)
        for i, (value, step) in enumerate(zip(values, all_steps, strict=True), start=1)
    ]
    return record_reports(run.pk, run.fence, reports)
