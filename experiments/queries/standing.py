"""What a compute target's next decision looks at: who waits, who runs, what everybody has had.

Claims read it under their lock, pages without one; `experiments/fair_share.py` decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db.models import Count, Min, Q

from experiments.fair_share import (
    Hold,
    HoldKind,
    Line,
    Standing,
    Team,
    holds_of,
)
from experiments.models import ComputeTarget, Run, SlotShares, Sweep, Worker, WorkspaceQuota
from experiments.models.compute import UNATTENDED
from experiments.queries.site_settings import site
from experiments.slot_ledger import Ledger, serve
from experiments.states import RUN_LIVE, RunState

_LIVE: Final = sorted(str(state) for state in RUN_LIVE)
_HOLDING: Final = [*_LIVE, str(RunState.QUEUED)]
MAINTENANCE: Final = Hold(HoldKind.MAINTENANCE, "the studio is in maintenance: no runs start")
DRAINING: Final = Hold(HoldKind.DRAINING, "the target is being drained")


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of targets, by target, and the names of their workspaces."""

    of: Mapping[int, list[Line]]
    names: Mapping[int, str]

    @property
    def workspaces(self) -> set[int]:
        """Those that have anything waiting."""
        return {line.workspace for lines in self.of.values() for line in lines if line.waiting}


def lines_of(targets: Collection[int]) -> Lines:
    """Return who waits for and runs on targets, by sweep; one query, however long the history."""
    # "ended_at IS NULL" is what the index knows: few rows among many.
    rows = (
        Run.objects.filter(
            ended_at__isnull=True, state__in=_HOLDING, sweep__compute__in=list(targets)
        )
        .order_by()
        .values_list(
            "sweep__compute_id",
            "sweep__experiment__workspace_id",
            "sweep__experiment__workspace__name",
            "sweep_id",
            "sweep__kind",
        )
        .annotate(
            waiting=Count("pk", filter=Q(state=RunState.QUEUED)),
            first=Min("pk", filter=Q(state=RunState.QUEUED)),
            running=Count("pk", filter=Q(state__in=_LIVE)),
        )
    )
    of: dict[int, list[Line]] = {target: [] for target in targets}
    names: dict[int, str] = {}
    for target, workspace, name, sweep, kind, waiting, first, running in rows:
        is_check = kind == Sweep.Kind.CHECK
        line = Line(workspace, sweep, waiting, first or 0, running, is_check)
        of[target].append(line)
        names[workspace] = name
    return Lines(of, names)


def standing_of(
    lines: Iterable[Line],
    *,
    target: int,
    teams: Mapping[int, Team],
    ledger: Ledger,
    now: datetime,
    is_draining: bool,
) -> Standing:
    """Return everything that a decision about a target looks at; one query, none in a calm."""
    found, moment = tuple(lines), now.timestamp()
    # Time counts only while somebody was left waiting.
    served = serve(_spans(target, ledger.at), ledger.at, moment) if ledger.is_contended else ()
    closed = MAINTENANCE if site().maintenance else DRAINING if is_draining else None
    return Standing(found, teams, ledger, served, moment, closed)


def standings(targets: Mapping[int, bool], now: datetime) -> dict[int, Standing]:
    """Return how targets stand, for a page; `targets`: whether each is being drained."""
    lines = lines_of(targets)
    quotas = list(WorkspaceQuota.objects.filter(workspace__in=lines.workspaces))
    teams = teams_of(quotas, lines.names, now)
    # Who is alone is next whatever has been.
    rivals = [target for target in targets if len(lines.of[target]) > 1]
    shares = SlotShares.objects.filter(pk__in=rivals) if rivals else ()
    ledgers = {row.pk: Ledger.load(row.ledger) for row in shares}
    return {
        target: standing_of(
            lines.of[target],
            target=target,
            teams=teams,
            ledger=ledgers.get(target, Ledger()),
            now=now,
            is_draining=is_draining,
        )
        for target, is_draining in targets.items()
    }


def teams_of(
    quotas: Collection[WorkspaceQuota], names: Mapping[int, str], now: datetime
) -> dict[int, Team]:
    """Return workspaces with what they may use and do use; a query for each kind of limit."""
    limited = [quota.workspace_id for quota in quotas if quota.max_running_runs is not None]
    running = running_runs(limited) if limited else {}
    teams = {workspace: Team(name=name) for workspace, name in names.items()}
    for quota in quotas:
        teams[quota.workspace_id] = Team(
            name=names.get(quota.workspace_id, ""),
            priority=quota.priority,
            max_running=quota.max_running_runs,
            max_per_day=quota.max_runs_per_day,
            max_stored=quota.max_storage_bytes,
            running=running.get(quota.workspace_id, 0),
            started_today=0 if quota.max_runs_per_day is None else started_today(quota, now),
            stored=quota.stored_bytes,
        )
    return teams


def running_runs(workspaces: Collection[int]) -> dict[int, int]:
    """Return how many slots workspaces hold, on all targets, checks included."""
    rows = (
        Run.objects.filter(
            ended_at__isnull=True,
            state__in=_LIVE,
            sweep__experiment__workspace__in=list(workspaces),
        )
        .exclude(sweep__compute__kind__in=UNATTENDED)
        .order_by()
        .values_list("sweep__experiment__workspace_id")
        .annotate(n=Count("pk"))
    )
    return dict(rows)


def started_today(quota: WorkspaceQuota, now: datetime) -> int:
    """Return how many runs of a workspace have started since 00:00 UTC, without checks.

    Starts are counted in the row of the quota. On a day without a count it comes from the runs.
    """
    if quota.counted_on == now.astimezone(UTC).date():
        return quota.counted_runs
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    runs = Run.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gte=midnight),
        Q(started_at__gte=midnight) | Q(started_at__isnull=True, state=RunState.STARTING),
        sweep__experiment__workspace=quota.workspace_id,
        sweep__kind=Sweep.Kind.SWEEP,
    )
    return runs.exclude(sweep__compute__kind__in=UNATTENDED).count()


def _spans(target: int, since: float) -> list[tuple[int, int, float, float | None]]:
    begin = datetime.fromtimestamp(since, tz=UTC)
    rows = Run.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=begin),
        sweep__compute=target,
        started_at__isnull=False,
    ).values_list("sweep__experiment__workspace_id", "sweep_id", "started_at", "ended_at")
    return [
        (workspace, sweep, started.timestamp(), ended.timestamp() if ended else None)
        for workspace, sweep, started, ended in rows
        if started is not None
    ]


@dataclass(frozen=True, slots=True)
class Asking:
    """A target where a run may start now, and how many slots may look for one."""

    pk: int
    slots: int


def asking_targets(now: datetime) -> list[Asking]:
    """Return the targets where a run may start now; as many slots as are free, one at least."""
    queued = Run.objects.filter(ended_at__isnull=True, state=RunState.QUEUED)
    targets = dict(
        ComputeTarget.objects.filter(pk__in=queued.values("sweep__compute"))
        .exclude(kind__in=UNATTENDED)
        .values_list("pk", "is_draining")
    )
    if not targets:
        return []
    slots = dict(
        Worker.objects.filter(compute__in=targets).values_list("compute").annotate(n=Count("pk"))
    )
    found = []
    for target, standing in standings(targets, now).items():
        holds = holds_of(standing)
        able = sum(line.waiting for line in standing.lines if line.sweep not in holds)
        busy = sum(line.running for line in standing.lines)
        if able:
            found.append(Asking(target, min(able, max(1, slots.get(target, 0) - busy))))
    return found
