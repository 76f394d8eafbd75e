"""Try one configuration of a specification for real before anything is launched.

A check is a sweep of a kind of its own with one run, so that it goes the way of every run; no list
shows it and no number counts it. It is kept for a day.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from experiments.models import CheckRun, Sweep, Workspace
from experiments.problems import Problem, ProblemsError
from experiments.queries.watch import if_any
from experiments.services.advance import advance_sweep
from experiments.services.submission import check_submission
from experiments.services.sweeps import create_sweep, snapshot_of
from experiments.services.transitions import StaleState, move_sweep
from experiments.space.literals import brief
from experiments.spec import SweepSpec
from experiments.states import EndReason, SweepState
from experiments.storage.chosen import storage

DEFAULT_SECONDS: Final = 60
MAX_SECONDS: Final = 600
KEPT: Final = timedelta(days=1)
# How long a check waits for a worker before it ends without a run.
_WAIT_MINUTES: Final = 30


def start_check(
    raw: Mapping[str, Any] | str,
    *,
    owner: User,
    workspace: Workspace | None,
    seconds: Any = DEFAULT_SECONDS,
    base_directory: Path | None = None,
    snapshot_digest: str | None = None,
    allow_server_paths: bool = False,
) -> tuple[Sweep, list[str]]:
    """Start the check of a specification; return its sweep with the warnings.

    The run gets the first configuration that the sweep would try, and `seconds` of time. Another
    check of the same person is canceled.

    Raises:
        ProblemsError: every problem there is; nothing was created.
    """
    checked = check_submission(
        raw,
        user=owner,
        workspace=workspace,
        base_directory=base_directory,
        snapshot_digest=snapshot_digest,
        allow_server_paths=allow_server_paths,
    )
    problems = [*checked.problems, *seconds_problems(seconds)]
    if problems or checked.spec is None or workspace is None:
        raise ProblemsError(problems)
    snapshot = snapshot_of(checked, workspace)
    with transaction.atomic():
        sweep = create_sweep(
            _for_one_run(checked.spec, seconds),
            owner=owner,
            workspace=workspace,
            snapshot=snapshot,
            kind=Sweep.Kind.CHECK,
        )
        CheckRun.objects.create(sweep=sweep, seconds=seconds, spec=checked.spec.dump())
    _keep_newest(owner)
    return sweep, checked.warnings


def cancel_check(sweep: Sweep, *, user: User) -> bool:
    """Cancel a check; False when it has ended or was being canceled already."""
    return _stop(sweep.pk, f"Canceled by {user.get_username()}.")


def remove_old_checks(before: datetime) -> int:
    """Delete the checks that ended before a time, with the files of their runs; return how many.

    Their snapshots stay: the sweep that was launched afterwards runs the same one.
    """
    old = list(if_any(Sweep.objects.filter(kind=Sweep.Kind.CHECK, ended_at__lt=before)))
    for sweep in old:
        # Files first: whatever fails is found again at the next look.
        shutil.rmtree(
            Path(settings.STUDIO_STORAGE_ROOT) / "runs" / sweep.public_id, ignore_errors=True
        )
        if not storage().is_local:
            storage().delete_tree(f"runs/{sweep.public_id}")
        sweep.delete()
    return len(old)


def seconds_problems(seconds: Any) -> list[Problem]:
    """Return what is wrong with the time limit of a check."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if is_number and 1 <= seconds <= MAX_SECONDS:
        return []
    text = f"The time limit of a check is {brief(seconds)}; use 1 to {MAX_SECONDS} seconds."
    return [Problem("seconds", text)]


def _for_one_run(spec: SweepSpec, seconds: float) -> SweepSpec:
    """Return the specification with the limits of a check, which begins afresh."""
    minutes = seconds / 60
    own = spec.run_timeout_minutes
    return spec.model_copy(
        update={
            "max_total_runs": 1,
            "max_concurrent_runs": 1,
            "max_duration_minutes": _WAIT_MINUTES + minutes,
            "run_timeout_minutes": minutes if own is None else min(own, minutes),
            "max_failed_runs": None,
            "early_termination": None,
            "resume_from": [],
            "resume_child_runs": [],
        }
    )


def _keep_newest(owner: User) -> None:
    """Cancel all checks of a person but the newest; whoever comes last sees all of them."""
    active = Sweep.objects.filter(kind=Sweep.Kind.CHECK, owner=owner, ended_at__isnull=True)
    for pk in active.order_by("-pk").values_list("pk", flat=True)[1:]:
        _stop(pk, "Another check took its place.")


def _stop(sweep_id: int, reason: str) -> bool:
    try:
        move_sweep(sweep_id, SweepState.CANCEL_REQUESTED, end_reason=EndReason.USER, reason=reason)
    except StaleState:
        return False
    advance_sweep(sweep_id)
    return True
