"""The life of one run: claimed, started, kept alive by its lease, finished, stopped or lost.

Every write of an executor carries the fence of its attempt, so an attempt that was given up can
change nothing any more. Whoever ends a run lets the controller look at the sweep at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from experiments import clock
from experiments.models import Artifact, Run
from experiments.services.advance import advance_sweep
from experiments.services.claims import (
    ClaimedRun,
    EarlierOutputs,
    Executor,
    claim_next,
    claim_run,
    next_sweep,
)
from experiments.services.compaction import compact_series
from experiments.services.ending import end_run
from experiments.services.outcome import RunOutcome
from experiments.services.quotas import note_end
from experiments.services.recovery import (
    lose_run,
    mark_not_responding,
    repeat_run,
    requeue_run,
)
from experiments.services.stopping import request_stop
from experiments.services.transitions import RunPlace, StaleState, move_run
from experiments.states import RUN_TERMINAL, EndReason, RunState

__all__ = [
    "ClaimedRun",
    "EarlierOutputs",
    "Executor",
    "RunOrder",
    "RunOutcome",
    "add_artifacts",
    "begin_finalizing",
    "cancel_run",
    "claim_next",
    "claim_run",
    "finish_run",
    "lose_run",
    "mark_not_responding",
    "next_sweep",
    "note_process",
    "renew_lease",
    "request_stop",
    "requeue_run",
    "start_run",
]


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What the studio wants of a live attempt; `lost`: it owns the run no longer and must stop."""

    state: RunState
    end_reason: str
    is_cancel_requested: bool
    lost: bool


def start_run(
    run_id: int,
    fence: int,
    *,
    arguments: list[str],
    directory: str,
    guard_pid: int | None = None,
    script_arguments: list[str] | None = None,
    known: RunPlace | None = None,
) -> Run:
    """Note that the process runs; `arguments` is the whole command, word by word.

    `script_arguments` are given where they are not those that the run was created with. `known`
    saves asking where the run belongs.

    Raises:
        StaleState: the attempt owns the run no longer, or a stop was asked for meanwhile.
    """
    changed: dict[str, Any] = {} if script_arguments is None else {"arguments": script_arguments}
    return move_run(
        run_id,
        RunState.RUNNING,
        where=Q(fence=fence),
        known=known,
        **changed,
        command=arguments,
        directory=directory,
        guard_pid=guard_pid,
        started_at=clock.now(),
        lease_expires_at=_lease(),
    )


def note_process(
    run_id: int, fence: int, *, arguments: list[str], directory: str, guard_pid: int
) -> None:
    """Note the process of a run that was asked to stop while it started: its log is to be read."""
    Run.objects.filter(pk=run_id, fence=fence).update(
        command=arguments, directory=directory, guard_pid=guard_pid
    )


def renew_lease(run_id: int, fence: int) -> RunOrder:
    """Keep the run for another lease and learn what is wanted of it. Cheap: call it every second.

    The row is written only when a heartbeat is due. A run that was given up for not responding is
    taken back while it has not been declared lost.
    """
    rows = Run.objects.values("state", "end_reason", "fence", "lease_expires_at", "started_at")
    row = rows.filter(pk=run_id).first()
    if row is None:  # deleted with its sweep
        return RunOrder(RunState.CANCELED, "", is_cancel_requested=False, lost=True)
    state = RunState(row["state"])
    if row["fence"] != fence or state in RUN_TERMINAL:
        return RunOrder(state, row["end_reason"], is_cancel_requested=False, lost=True)
    if state == RunState.NOT_RESPONDING:
        return _recover(run_id, fence, to=_before_silence(row["started_at"]))
    due = timedelta(seconds=settings.STUDIO_LEASE_SECONDS - settings.STUDIO_HEARTBEAT_SECONDS)
    expires = row["lease_expires_at"]
    if expires is None or expires - clock.now() < due:
        Run.objects.filter(pk=run_id, fence=fence, lease_expires_at__isnull=False).update(
            lease_expires_at=_lease()
        )
    return RunOrder(
        state,
        row["end_reason"],
        is_cancel_requested=state == RunState.CANCEL_REQUESTED,
        lost=False,
    )


def begin_finalizing(run_id: int, fence: int) -> bool:
    """Note that the process ended by itself and its outputs are being kept.

    False: a stop was asked for meanwhile, the run stays CancelRequested; collect its outputs all
    the same, then finish it.

    Raises:
        StaleState: the attempt owns the run no longer.
    """
    while True:
        state = _owned_state(run_id, fence)
        if state in {RunState.CANCEL_REQUESTED, RunState.FINALIZING}:
            return state == RunState.FINALIZING
        try:
            if state == RunState.STARTING:  # its start was not noted
                move_run(run_id, RunState.RUNNING, where=Q(fence=fence))
            move_run(run_id, RunState.FINALIZING, where=Q(fence=fence), lease_expires_at=_lease())
        except StaleState:
            continue  # a stop was asked for, or the lease ran out, just now
        return True


def finish_run(run_id: int, fence: int, outcome: RunOutcome) -> Run:
    """End a run as its process ended: Completed, Failed or Canceled, with a sentence.

    One that was preempted is repeated. Then the controller looks at the sweep, and its series are
    compacted.

    Raises:
        StaleState: the attempt owns the run no longer.
    """
    while True:
        run = _owned(run_id, fence)
        try:
            with transaction.atomic():
                run = end_run(run, outcome)
                if run.end_reason == EndReason.PREEMPTED:
                    repeat_run(run)
        except StaleState:
            continue  # a stop was asked for just now: decide again
        break
    advance_sweep(run.sweep_id)
    note_end(run.sweep_id)
    compact_series(run_id)  # last, since slots wait for the others
    return run


def add_artifacts(run_id: int, files: Iterable[tuple[str, int, str]]) -> int:
    """Note files of a run as (path, size in bytes, digest); a path that is known is replaced."""
    rows = [
        Artifact(run_id=run_id, path=path, size_bytes=size, digest=digest)
        for path, size, digest in files
    ]
    Artifact.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["run", "path"],
        update_fields=["size_bytes", "digest"],
    )
    return len(rows)


def cancel_run(run: Run, *, user: User) -> bool:
    """Cancel a run for a person; False when it was too late for that."""
    reason = f"Canceled by {user.get_username()}."
    if not request_stop(run.pk, end_reason=EndReason.USER, reason=reason, by=user):
        return False
    advance_sweep(run.sweep_id)
    return True


def _owned(run_id: int, fence: int) -> Run:
    run = Run.objects.select_related("sweep").filter(pk=run_id).first()
    if run is None:
        raise StaleState(f"Run {run_id} was deleted.")
    _check_owner(run_id, fence, run.state, run.fence)
    return run


def _owned_state(run_id: int, fence: int) -> str:
    found = Run.objects.filter(pk=run_id).values_list("state", "fence").first()
    if found is None:
        raise StaleState(f"Run {run_id} was deleted.")
    _check_owner(run_id, fence, *found)
    return str(found[0])


def _check_owner(run_id: int, fence: int, state: str, owner: int) -> None:
    if owner != fence or state in RUN_TERMINAL:
        raise StaleState(f"Run {run_id} is {state} in attempt {owner}, not {fence}.")


def _number(run_id: int) -> int:
    return Run.objects.values_list("number", flat=True).get(pk=run_id)


def _lease() -> datetime:
    return clock.now() + timedelta(seconds=settings.STUDIO_LEASE_SECONDS)


def _before_silence(started: datetime | None) -> RunState:
    return RunState.STARTING if started is None else RunState.RUNNING


def _recover(run_id: int, fence: int, *, to: RunState) -> RunOrder:
    message = f"Run {_number(run_id)}: Responding again"
    try:
        move_run(run_id, to, message=message, where=Q(fence=fence), lease_expires_at=_lease())
    except StaleState:
        return renew_lease(run_id, fence)
    return RunOrder(to, "", is_cancel_requested=False, lost=False)
