"""Take a run for a free slot: which one is decided here, in the transaction that takes it.

Claims of one target are made one after the other, and so are those of a workspace with a quota, so
that no two of them count the same free slot. PostgreSQL locks rows for that; SQLite has one writer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from experiments import clock
from experiments.fair_share import Choice, Line, choose
from experiments.models import ComputeTarget, Resumption, Run, SlotShares, Sweep, WorkspaceQuota
from experiments.queries.standing import lines_of, standing_of, standings, started_today, teams_of
from experiments.services.access import make_run_token
from experiments.services.transitions import StaleState, move_run, place_of
from experiments.slot_ledger import Ledger
from experiments.spec import SweepSpec
from experiments.spec_command import without_resume_from
from experiments.states import RunState

# A chosen run may be canceled before it is taken; nobody cancels so many in a row.
_MOST_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Executor:
    """Who takes a run: a process of a worker on some machine."""

    worker_name: str
    host: str
    pid: int
    process_started: float


@dataclass(frozen=True, slots=True)
class EarlierOutputs:
    """The run that a run goes on from; `directory` is empty when it was deleted meanwhile."""

    public_id: str
    directory: str


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """What an executor needs to know of the run it now owns. `token` exists only here."""

    run_id: int
    public_id: str
    sweep_id: int
    sweep_public_id: str
    experiment: str
    experiment_id: int
    number: int
    fence: int
    params: Mapping[str, Any]
    arguments: list[str]
    spec: SweepSpec
    snapshot_digest: str
    token: str = field(repr=False)
    timeout_seconds: float | None
    compute_kind: str
    compute_python: str
    # With the secrets of the target, so it is written down nowhere.
    compute_environment: Mapping[str, str] = field(repr=False)
    resume_from: EarlierOutputs | None = None
    workspace: str = ""


def claim_next(target_id: int, executor: Executor) -> ClaimedRun | None:
    """Take the run that is next on a target; None: none waits, or none of them may start now."""
    for _ in range(_MOST_TRIES):
        with transaction.atomic():
            choice, quotas = _choose(target_id)
            if choice.line is None:
                return None
            taken = _take(choice.line.first, executor)
            if taken is None:
                continue  # canceled or held back just now: choose again
            SlotShares.objects.filter(pk=target_id).update(ledger=choice.ledger.dump())
            _count(choice.line, quotas)
        return _claimed(*taken)
    return None


def next_sweep(target_id: int) -> int | None:
    """Return the sweep whose run would be taken now, without taking it; None: there is none."""
    target = ComputeTarget.objects.filter(pk=target_id).values_list("pk", "is_draining").first()
    if target is None:
        return None
    standing = standings(dict([target]), clock.now())[target_id]
    line = choose(standing).line
    return line.sweep if line is not None else None


def claim_run(
    run_id: int, *, worker_name: str, host: str, pid: int, process_started: float
) -> ClaimedRun | None:
    """Take this queued run, whoever's turn it is; None: somebody was faster.

    For simulations and tests: slots of a target take what is next.
    """
    taken = _take(run_id, Executor(worker_name, host, pid, process_started))
    return None if taken is None else _claimed(*taken)


def _choose(target_id: int) -> tuple[Choice, Sequence[WorkspaceQuota]]:
    """Decide with the rows held that the decision rests on."""
    shares = _hold_shares(target_id)
    lines, now = lines_of([target_id]), clock.now()
    # In one order everywhere, so that no two wait for each other.
    quotas = list(
        WorkspaceQuota.objects.select_for_update(no_key=True)
        .filter(workspace__in=lines.workspaces)
        .order_by("pk")
    )
    standing = standing_of(
        lines.of[target_id],
        target=target_id,
        teams=teams_of(quotas, lines.names, now),
        ledger=Ledger.load(shares.ledger),
        now=now,
        is_draining=shares.compute.is_draining,
    )
    return choose(standing), quotas


def _hold_shares(target_id: int) -> SlotShares:
    rows = SlotShares.objects.select_related("compute")
    held = rows.select_for_update(of=("self",), no_key=True)
    found = held.filter(pk=target_id).first()
    if found is None:
        SlotShares.objects.get_or_create(compute_id=target_id)
        found = held.get(pk=target_id)
    return found


def _take(run_id: int, executor: Executor) -> tuple[Run, str] | None:
    """Make a queued run Starting: a new fence, a lease and a token."""
    token, digest = make_run_token()
    try:
        place = place_of(run_id)
        run = move_run(
            run_id,
            RunState.STARTING,
            message=f"Run {place.number}: Starting on {executor.worker_name}",
            sources={RunState.QUEUED},
            known=place,
            fence=F("fence") + 1,
            worker_name=executor.worker_name,
            host=executor.host,
            executor_pid=executor.pid,
            executor_started=executor.process_started,
            lease_expires_at=clock.now() + timedelta(seconds=settings.STUDIO_LEASE_SECONDS),
            token_digest=digest,
        )
    except (StaleState, Run.DoesNotExist):
        return None
    return run, token


def _count(line: Line, quotas: Sequence[WorkspaceQuota]) -> None:
    """Count a start of the day, where somebody asks for it."""
    quota = next((row for row in quotas if row.workspace_id == line.workspace), None)
    if quota is None or quota.max_runs_per_day is None or line.is_check:
        return
    now = clock.now()
    # The run that was just taken is among those that a count of rows finds.
    is_counted = quota.counted_on == _day(now)
    count = quota.counted_runs + 1 if is_counted else started_today(quota, now)
    WorkspaceQuota.objects.filter(pk=quota.pk).update(counted_on=_day(now), counted_runs=count)


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _claimed(run: Run, token: str) -> ClaimedRun:
    related = ("compute", "snapshot", "experiment__workspace")
    sweep = Sweep.objects.select_related(*related).get(pk=run.sweep_id)
    spec = SweepSpec.from_stored(sweep.spec)
    minutes = spec.run_timeout_minutes
    return ClaimedRun(
        run_id=run.pk,
        public_id=run.public_id,
        sweep_id=sweep.pk,
        sweep_public_id=sweep.public_id,
        experiment=sweep.experiment.name,
        experiment_id=sweep.experiment_id,
        number=run.number,
        fence=run.fence,
        params=run.params,
        arguments=without_resume_from(run.arguments) if run.resumption_id else run.arguments,
        spec=spec,
        snapshot_digest=sweep.snapshot.digest,
        token=token,
        timeout_seconds=minutes * 60 if minutes else None,
        compute_kind=sweep.compute.kind,
        compute_python=sweep.compute.python,
        compute_environment={**sweep.compute.environment, **sweep.compute.secrets},
        resume_from=_earlier_outputs(run),
        workspace=sweep.experiment.workspace.name,
    )


def _earlier_outputs(run: Run) -> EarlierOutputs | None:
    if run.resumption_id is None:
        return None
    row = Resumption.objects.select_related("source").get(pk=run.resumption_id)
    return EarlierOutputs(row.source_public_id, row.source.directory if row.source else "")
