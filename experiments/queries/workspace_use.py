"""How much workspaces use, for lists of them: five queries, however many there are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Model, QuerySet, Sum

from experiments.models import Artifact, Membership, Run, Sweep
from experiments.states import RUN_LIVE


@dataclass(frozen=True, slots=True)
class WorkspaceUse:
    """What belongs to a workspace, and what runs there now and began today."""

    members: int = 0
    sweeps: int = 0
    running: int = 0
    today: int = 0
    stored: int = 0


def use_of(workspaces: Collection[int], now: datetime) -> dict[int, WorkspaceUse]:
    """Return what these workspaces use, by key; days begin at midnight, UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    runs = Run.objects.filter(sweep__kind=Sweep.Kind.SWEEP)
    of_run = "sweep__experiment__workspace"
    members = _counts(Membership, "workspace", workspaces)
    sweeps = _grouped(
        Sweep.objects.filter(kind=Sweep.Kind.SWEEP), "experiment__workspace", workspaces
    )
    running = _grouped(runs.filter(state__in=sorted(RUN_LIVE)), of_run, workspaces)
    today = _grouped(runs.filter(started_at__gte=midnight), of_run, workspaces)
    files = Artifact.objects.filter(**{f"run__{of_run}__in": workspaces}).order_by()
    stored = dict(files.values_list(f"run__{of_run}").annotate(n=Sum("size_bytes")))
    return {
        pk: WorkspaceUse(
            members.get(pk, 0),
            sweeps.get(pk, 0),
            running.get(pk, 0),
            today.get(pk, 0),
            stored.get(pk, 0),
        )
        for pk in workspaces
    }


def _counts(model: type[Model], field: str, keys: Collection[int]) -> dict[int, int]:
    return _grouped(model._default_manager.all(), field, keys)


def _grouped(rows: QuerySet[Any], field: str, keys: Collection[int]) -> dict[int, int]:
    found = rows.filter(**{f"{field}__in": keys}).order_by().values_list(field)
    return dict(found.annotate(n=Count("pk")))
