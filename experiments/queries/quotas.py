"""What a workspace uses of its quota, for its owners, the administration and the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Sum

from experiments.formats import format_filesize
from experiments.models import Artifact, ModelVersion, Snapshot, Workspace, WorkspaceQuota
from experiments.models.quota import DEFAULT_PRIORITY
from experiments.queries.standing import running_runs, started_today

_NAMES: Final = ("max_running_runs", "max_runs_per_day", "max_storage_bytes")


@dataclass(frozen=True, slots=True)
class Use:
    """One limit and what is used of it; `limit` is None where there is none."""

    name: str
    label: str
    used: int
    limit: int | None
    used_words: str
    limit_words: str

    @property
    def is_used_up(self) -> bool:
        """Whether runs wait because of it."""
        return self.limit is not None and self.used >= self.limit


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """A workspace's quota and what it uses of it."""

    workspace: Workspace
    priority: int
    uses: list[Use]
    is_limited: bool


def quota_use(workspace: Workspace, now: datetime) -> QuotaUse:
    """Return what a workspace uses now, also where it has no limit; 6 queries."""
    quota = WorkspaceQuota.objects.filter(workspace=workspace).first()
    quota = quota or WorkspaceQuota(workspace=workspace, priority=DEFAULT_PRIORITY)
    running = running_runs([workspace.pk]).get(workspace.pk, 0)
    size = stored_in(workspace)
    uses = [
        _use("max_running_runs", "Running runs", running, quota.max_running_runs),
        _use("max_runs_per_day", "Runs today (UTC)", _today(quota, now), quota.max_runs_per_day),
        _use("max_storage_bytes", "Storage", size, quota.max_storage_bytes, is_size=True),
    ]
    is_limited = any(use.limit is not None for use in uses)
    return QuotaUse(workspace, quota.priority, uses, is_limited)


def stored_in(workspace: Workspace) -> int:
    """Return the bytes that a workspace keeps: files of runs, snapshots it may read, models."""
    parts = (
        Artifact.objects.filter(run__sweep__experiment__workspace=workspace),
        Snapshot.objects.filter(workspaces=workspace),
        ModelVersion.objects.filter(model__workspace=workspace),
    )
    sizes = (rows.order_by().aggregate(size=Sum("size_bytes"))["size"] for rows in parts)
    return sum(size or 0 for size in sizes)


def quota_json(use: QuotaUse) -> dict[str, Any]:
    """Return a quota as REST tells it."""
    limits = {part.name: {"used": part.used, "limit": part.limit} for part in use.uses}
    return {"workspace": use.workspace.slug, "priority": use.priority, **limits}


def used_of(quotas: Sequence[WorkspaceQuota], now: datetime) -> dict[int, tuple[int, int, int]]:
    """Return running runs, runs of today and stored bytes by key of the quota.

    Storage as it was measured last.
    """
    running = running_runs([quota.workspace_id for quota in quotas]) if quotas else {}
    return {
        quota.pk: (
            running.get(quota.workspace_id, 0),
            0 if quota.max_runs_per_day is None else started_today(quota, now),
            quota.stored_bytes,
        )
        for quota in quotas
    }


def quota_figures(now: datetime) -> list[tuple[str, str, int, int]]:
    """Return workspace, limit, what is used of it and the limit, for those who operate a studio."""
    rows = WorkspaceQuota.objects.select_related("workspace").order_by("workspace__slug")
    quotas = [row for row in rows if _limits(row)]
    used = used_of(quotas, now)
    return [
        (quota.workspace.slug, name, dict(zip(_NAMES, used[quota.pk], strict=True))[name], limit)
        for quota in quotas
        for name, limit in _limits(quota).items()
    ]


def _limits(quota: WorkspaceQuota) -> dict[str, int]:
    limits = {name: getattr(quota, name) for name in _NAMES}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _today(quota: WorkspaceQuota, now: datetime) -> int:
    # Without a limit nobody counts, so the runs themselves are counted.
    if quota.max_runs_per_day is None:
        quota.counted_on = None
    return started_today(quota, now)


def _use(name: str, label: str, used: int, limit: int | None, *, is_size: bool = False) -> Use:
    def words(number: int) -> str:
        return format_filesize(number) if is_size else str(number)

    return Use(
        name=name,
        label=label,
        used=used,
        limit=limit,
        used_words=words(used),
        limit_words="no limit" if limit is None else words(limit),
    )
