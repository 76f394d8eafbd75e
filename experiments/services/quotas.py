"""Quotas of workspaces: changed, measured, and what a new sweep would break of them.

They are obeyed where runs are taken (services.claims); here is everything around that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from experiments import clock
from experiments.formats import format_filesize
from experiments.models import Run, Workspace, WorkspaceQuota
from experiments.models.compute import UNATTENDED
from experiments.models.quota import DEFAULT_PRIORITY, MOST_PRIORITY
from experiments.problems import Problem, ProblemsError
from experiments.queries.quotas import stored_in
from experiments.services.audit import Act, record
from experiments.services.dispatch import ask_for_slots
from experiments.space.literals import brief
from experiments.spec import SweepSpec
from experiments.states import RunState

LIMITS: Final = ("max_running_runs", "max_runs_per_day", "max_storage_bytes")
_MOST: Final = {"max_running_runs": 2**31 - 1, "max_runs_per_day": 2**31 - 1}
_MOST_BYTES: Final = 2**63 - 1
_MEASURE_EVERY: Final = timedelta(seconds=60)
_DAY_MINUTES: Final = 24 * 60


def change_quota(
    workspace: Workspace, changes: Mapping[str, Any], *, by: User | None
) -> WorkspaceQuota:
    """Set limits and priority of a workspace; runs that wait start at once where they may now.

    Running runs go on, also when there are more of them than allowed.

    Raises:
        ProblemsError: a name or a value that a quota does not take.
    """
    _check(changes)
    with transaction.atomic():
        WorkspaceQuota.objects.get_or_create(workspace=workspace)
        quota = WorkspaceQuota.objects.select_for_update().get(workspace=workspace)
        edits = {
            name: {"from": getattr(quota, name), "to": value}
            for name, value in changes.items()
            if value != getattr(quota, name)
        }
        for name in edits:
            setattr(quota, name, changes[name])
        settle_quota(quota, edits, by=by)
    return quota


def settle_quota(quota: WorkspaceQuota, edits: Mapping[str, Any], *, by: User | None) -> None:
    """Store a quota whose fields were changed, with what follows of it; in a transaction."""
    fields = [*LIMITS, "priority"]
    if "max_runs_per_day" in edits:
        quota.counted_on = None  # starts were not counted while there was no limit
        fields.append("counted_on")
    if "max_storage_bytes" in edits:
        quota.stored_bytes, quota.measured_at = stored_in(quota.workspace), clock.now()
        fields += ["stored_bytes", "measured_at"]
    # Not the count of the day: slots go on counting while somebody edits.
    quota.save(update_fields=None if quota.pk is None else fields)
    if edits:
        record(
            Act.QUOTA_CHANGED,
            by=by,
            workspace=quota.workspace,
            about=quota.workspace.name,
            about_id=quota.workspace.slug,
            details=edits,
        )
        ask_for_workspace(quota.workspace_id)


def ask_for_workspace(workspace_id: int, most: int | None = None) -> None:
    """Let slots look for the waiting runs of a workspace, on every target, after the commit.

    `most`: so many slots of each target at most; None: one for every run.
    """
    waiting = Run.objects.filter(
        ended_at__isnull=True,
        state=RunState.QUEUED,
        sweep__experiment__workspace=workspace_id,
    ).exclude(sweep__compute__kind__in=UNATTENDED)
    for target, count in Counter(waiting.values_list("sweep__compute_id", flat=True)).items():
        ask_for_slots(target, count if most is None else min(count, most))


def note_end(sweep_id: int) -> None:
    """Let the slots of other targets look when a run of a workspace with a limit has ended.

    The slot that it leaves looks by itself, but only at its own target. Lost calls do no harm: the
    watchdog looks as well.
    """
    if not clock.is_real():
        return
    limited = WorkspaceQuota.objects.filter(
        max_running_runs__isnull=False, workspace__experiments__sweeps=sweep_id
    )
    for workspace_id in limited.values_list("workspace_id", flat=True):
        ask_for_workspace(workspace_id, most=1)


def measure_storage(now: datetime) -> int:
    """Measure the workspaces with a limit whose measure is old; return how many that were.

    Called by the watchdog. Files of runs that end in between count a minute later.
    """
    limited = WorkspaceQuota.objects.filter(max_storage_bytes__isnull=False)
    due = [
        quota
        for quota in limited.select_related("workspace")
        if quota.measured_at is None or quota.measured_at <= now - _MEASURE_EVERY
    ]
    for quota in due:
        size = stored_in(quota.workspace)
        WorkspaceQuota.objects.filter(pk=quota.pk).update(stored_bytes=size, measured_at=now)
    return len(due)


def quota_problems(spec: SweepSpec | None, workspace: Workspace) -> list[Problem]:
    """Return what a quota has against a new sweep: it could never end, or nothing more is kept."""
    quota = WorkspaceQuota.objects.filter(workspace=workspace).first()
    if quota is None:
        return []
    found = [_storage_problem(quota, workspace, path="")]
    if spec is not None:
        found.append(_too_many_runs(quota, spec))
    return [problem for problem in found if problem is not None]


def check_storage(workspace: Workspace, new_bytes: int) -> None:
    """Refuse to keep so much more in a workspace where its quota does.

    Raises:
        ProblemsError: it would be more than the workspace may keep.
    """
    quota = WorkspaceQuota.objects.filter(workspace=workspace).first()
    problem = quota and _storage_problem(quota, workspace, new_bytes)
    if problem:
        raise ProblemsError([problem])


def _storage_problem(
    quota: WorkspaceQuota, workspace: Workspace, new_bytes: int = 0, *, path: str = "snapshot"
) -> Problem | None:
    limit = quota.max_storage_bytes
    if limit is None:
        return None
    stored = stored_in(workspace)
    if stored + new_bytes <= limit and stored < limit:
        return None
    text = (
        f"Workspace {workspace.name} keeps {format_filesize(stored)} and may keep "
        f"{format_filesize(limit)} (max_storage_bytes {limit}); delete sweeps, outputs or models, "
        "or ask an administrator for more."
    )
    if stored < limit:
        text = f"The files are {format_filesize(new_bytes)}. {text}"
    return Problem(path, text)


def _too_many_runs(quota: WorkspaceQuota, spec: SweepSpec) -> Problem | None:
    """Refuse what cannot be done within its own time, however soon it begins."""
    per_day = quota.max_runs_per_day
    if per_day is None:
        return None
    # A duration touches one day more than it has days.
    days = math.ceil(spec.max_duration_minutes / _DAY_MINUTES) + 1
    if spec.max_total_runs <= per_day * days:
        return None
    text = (
        f"max_total_runs is {spec.max_total_runs}, but workspace {quota.workspace.name} may start "
        f"{per_day} runs a day, which is {per_day * days} at most within max_duration_minutes "
        f"{spec.max_duration_minutes:g}; use {per_day * days} or fewer"
        if per_day
        else f"max_total_runs is {spec.max_total_runs}, but workspace {quota.workspace.name} may "
        "start 0 runs a day"
    )
    return Problem("max_total_runs", f"{text}, or ask an administrator for more.")


def _check(changes: Mapping[str, Any]) -> None:
    problems = []
    for name, value in changes.items():
        if name == "priority":
            if not _is_whole(value, 1, MOST_PRIORITY):
                text = f"priority is {brief(value)}; use a whole number from 1 to {MOST_PRIORITY}"
                problems.append(Problem(name, f"{text} (usual: {DEFAULT_PRIORITY})."))
        elif name not in LIMITS:
            known = ", ".join((*LIMITS, "priority"))
            problems.append(Problem(str(name), f"A quota has no {brief(name)}; it has {known}."))
        elif value is not None and not _is_whole(value, 0, _MOST.get(name, _MOST_BYTES)):
            text = f"{name} is {brief(value)}; use a whole number from 0 on, or null for no limit."
            problems.append(Problem(name, text))
    if problems:
        raise ProblemsError(problems)


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
