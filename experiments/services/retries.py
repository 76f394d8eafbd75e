"""Repeat runs for a person: one, or every failed one of a sweep, also after the sweep has ended.

A repetition is a run of its own with the same hyperparameters; the old one stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from experiments import clock
from experiments.models import Run, Sweep
from experiments.models.compute import IMPORTED
from experiments.services.advance import advance_sweep
from experiments.services.events import bump
from experiments.services.new_runs import create_retry
from experiments.services.refused import Refused
from experiments.services.transitions import move_sweep
from experiments.states import SWEEP_TERMINAL, RunState, SweepState

_REPEATABLE = frozenset({RunState.FAILED, RunState.CANCELED})


def retry_run(run: Run, *, user: User) -> Run:
    """Repeat a failed or canceled run; return the new one. It waits for a free slot.

    Not counted in max_total_runs. A sweep that has ended goes on for it.

    Raises:
        Refused: the run is not over, went well or is repeated already; its sweep is stopping.
    """
    with transaction.atomic():
        bump(run.sweep_id)  # one retry at a time
        fresh = Run.objects.select_related("sweep").get(pk=run.pk)
        _check_repeatable(fresh)
        _go_on(fresh.sweep, f"run {fresh.number}", user)
        retry = create_retry(fresh, is_waiting=True, by=user)
    advance_sweep(run.sweep_id)
    retry.refresh_from_db()
    return retry


def retry_failed(sweep: Sweep, *, user: User) -> list[Run]:
    """Repeat every failed run that has no repetition yet; return the new runs, perhaps none.

    Raises:
        Refused: the sweep is being canceled.
    """
    return _retry_all(sweep, failed_runs(sweep), "failed runs", user)


def retry_runs(sweep: Sweep, run_ids: Collection[int], *, user: User) -> list[Run]:
    """Repeat those of these runs that failed or were canceled and have no repetition yet.

    Raises:
        Refused: the sweep is being canceled.
    """
    wanted = Run.objects.filter(
        sweep=sweep, pk__in=list(run_ids), state__in=sorted(_REPEATABLE), retries__isnull=True
    )
    return _retry_all(sweep, wanted.order_by("number"), "runs", user)


def _retry_all(sweep: Sweep, wanted: QuerySet[Run], noun: str, user: User) -> list[Run]:
    with transaction.atomic():
        bump(sweep.pk)
        fresh = Sweep.objects.get(pk=sweep.pk)
        runs = list(wanted)
        if not runs:
            return []
        what = f"run {runs[0].number}" if len(runs) == 1 else f"{len(runs)} {noun}"
        _go_on(fresh, what, user)
        made = [create_retry(run, is_waiting=True, by=user).pk for run in runs]
    advance_sweep(sweep.pk)
    repeated = Run.objects.filter(pk__in=made).select_related("sweep", "retry_of")
    return list(repeated.order_by("number"))


def failed_runs(sweep: Sweep) -> QuerySet[Run]:
    """Return the failed runs of a sweep that no other run repeats, by number; imported: none."""
    runs = Run.objects.filter(sweep=sweep, state=RunState.FAILED, retries__isnull=True)
    return runs.exclude(sweep__compute__kind=IMPORTED).order_by("number")


def is_repeatable(run: Run) -> bool:
    """Tell whether `retry_run` would take this run, as far as the run itself goes."""
    is_ours = run.sweep.compute.kind != IMPORTED
    return is_ours and run.state in _REPEATABLE and not run.retries.exists()


def _check_repeatable(run: Run) -> None:
    if run.state not in _REPEATABLE:
        why = "it went well" if run.state == RunState.COMPLETED else "it has not ended"
        text = f"Run {run.number} cannot be repeated: {why}. Only failed and canceled runs can."
        raise Refused(text)
    later = run.retries.order_by("number").first()
    if later is not None:
        raise Refused(f"Run {run.number} is repeated by run {later.number} already.")


def _go_on(sweep: Sweep, what: str, user: User) -> None:
    """Let an ended sweep run again; it has its whole max_duration_minutes for that."""
    if sweep.trashed_at is not None:
        raise Refused("The sweep is in the trash; restore it first, then repeat its runs.")
    if sweep.compute.kind == IMPORTED:
        raise Refused("The sweep was imported: its code is not here, so no run can be repeated.")
    if sweep.state == SweepState.CANCEL_REQUESTED:
        raise Refused("The sweep is being canceled; its runs can be repeated once it has ended.")
    if sweep.state not in SWEEP_TERMINAL:
        return
    kept: dict[str, Any] = {}
    if sweep.state == SweepState.CANCELED:
        kept["kept_end_reason"] = sweep.kept_end_reason or sweep.end_reason
        kept["kept_reason"] = sweep.kept_reason or sweep.reason
    now = clock.now()
    move_sweep(
        sweep.pk,
        SweepState.RUNNING,
        message=f"Sweep: Running again. {user.get_username()} repeats {what}.",
        sources={SweepState(sweep.state)},
        by=user,
        resumed_at=now,
        deadline_at=now + sweep.max_duration,
        **kept,
    )
