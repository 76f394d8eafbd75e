"""The trash as people and programs read it: what is in it and for how long, what was removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet

from experiments import clock
from experiments.models import ModelVersion, Removal, Run, Sweep, Workspace
from experiments.queries.page import Page
from experiments.queries.site_settings import days_in_trash
from experiments.queries.sizes import stored_bytes
from experiments.queries.visible import AnyUser, trashed_for, workspaces_for


@dataclass(frozen=True, slots=True)
class TrashRow:
    """A sweep in the trash; `purge_at` is None where only people delete for good.

    `models` counts the versions of models that were registered from it: they stay. `removal` is
    there while it is being deleted, with `runs_left` of its runs.
    """

    sweep: Sweep
    runs: int
    size_bytes: int
    models: int
    purge_at: datetime | None
    days_left: int | None
    removal: Removal | None

    @property
    def runs_gone(self) -> int:
        """Return how many of its runs are deleted already."""
        return max(0, self.removal.run_count - self.runs) if self.removal else 0


def trash_page(
    user: AnyUser, *, workspace: Workspace | None = None, before: int | None = None, limit: int = 50
) -> Page[TrashRow]:
    """Return a page of a person's trash, newest sweep first; five queries."""
    rows = trashed_for(user)
    if workspace is not None:
        rows = rows.filter(experiment__workspace=workspace)
    total = rows.count()
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    more = str(shown[-1].pk) if len(found) > limit else None
    return Page(items=trash_rows(shown), next_cursor=more, total=total)


def trash_rows(sweeps: Sequence[Sweep]) -> list[TrashRow]:
    """Return sweeps of the trash with their sizes; four queries for all of them."""
    keys = [sweep.pk for sweep in sweeps]
    sizes = stored_bytes(keys)
    runs = _counts(Run.objects.filter(sweep__in=keys))
    models = _counts(ModelVersion.objects.filter(sweep__in=keys))
    open_ones = Removal.objects.filter(
        sweep__in=keys, kind=Removal.Kind.SWEEP, finished_at__isnull=True
    ).select_related("requested_by")
    removals = {removal.sweep_id: removal for removal in open_ones}
    now = clock.now()
    return [
        TrashRow(
            sweep=sweep,
            runs=runs.get(sweep.pk, 0),
            size_bytes=sizes.get(sweep.pk, 0),
            models=models.get(sweep.pk, 0),
            purge_at=_purge_at(sweep),
            days_left=_days_left(sweep, now),
            removal=removals.get(sweep.pk),
        )
        for sweep in sweeps
    ]


def removals_for(user: AnyUser) -> QuerySet[Removal]:
    """Return what was and is being removed for good in a person's workspaces, newest first."""
    found = Removal.objects.filter(workspace__in=workspaces_for(user))
    return found.select_related("requested_by", "workspace").order_by("-pk")


def trash_size(user: AnyUser, workspace: Workspace) -> tuple[int, int]:
    """Return how many sweeps emptying the trash of a workspace would delete, and their size."""
    rows = trashed_for(user).filter(experiment__workspace=workspace, purging_at__isnull=True)
    keys = list(rows.values_list("pk", flat=True))
    return len(keys), sum(stored_bytes(keys).values())


def trash_json(row: TrashRow) -> dict[str, Any]:
    """Return the JSON form of a sweep in the trash."""
    sweep = row.sweep
    return {
        "id": sweep.public_id,
        "name": sweep.name,
        "experiment": sweep.experiment.name,
        "workspace": sweep.experiment.workspace.slug,
        "status": sweep.state,
        "runs": row.runs,
        "size": row.size_bytes,
        "models": row.models,
        "trashed": sweep.trashed_at,
        "trashed_by": sweep.trashed_by.get_username() if sweep.trashed_by else None,
        "purge_at": row.purge_at,
        "removal": row.removal.pk if row.removal else None,
    }


def removal_json(removal: Removal) -> dict[str, Any]:
    """Return the JSON form of a removal."""
    return {
        "id": removal.pk,
        "kind": removal.kind,
        "workspace": removal.workspace.slug if removal.workspace else None,
        "sweep": removal.sweep_public_id,
        "name": removal.name,
        "runs": removal.run_count,
        "kept_best": removal.kept_best,
        "expected_bytes": removal.expected_bytes,
        "freed_bytes": removal.freed_bytes,
        "by": removal.requested_by.get_username() if removal.requested_by else None,
        "requested": removal.requested_at,
        "finished": removal.finished_at,
        "problem": removal.problem,
    }


def _counts(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("sweep").annotate(n=Count("pk")))


def _purge_at(sweep: Sweep) -> datetime | None:
    days = days_in_trash()
    if sweep.trashed_at is None or not days:
        return None
    return sweep.trashed_at + timedelta(days=days)


def _days_left(sweep: Sweep, now: datetime) -> int | None:
    purge_at = _purge_at(sweep)
    # Days that have begun count: on the last one it says 1, when it is due 0.
    return None if purge_at is None else max(0, -((now - purge_at) // timedelta(days=1)))
