"""Runs without a turn: give free slots to those that wait, take waiting runs back from the queue.

Repetitions and configurations queued by hand begin as NotStarted; a pause or a lower limit puts
queued runs back there. Called by the controller alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from experiments.models import Run, Sweep
from experiments.services.dispatch import enqueue_run
from experiments.services.transitions import move_run
from experiments.states import RUN_ACTIVE, RunState


def active_runs(sweep: Sweep) -> list[tuple[int, str]]:
    """Return key and state of each active run of a sweep, by number."""
    active = Run.objects.filter(sweep=sweep, state__in=sorted(RUN_ACTIVE))
    return list(active.order_by("number").values_list("pk", "state"))


def settle_waiting(sweep: Sweep, active: Sequence[tuple[int, str]]) -> bool:
    """Queue waiting runs while slots are free, or take the last queued ones back; tell if any.

    `active` are the active runs of the sweep.

    Raises:
        StaleState: a run moved meanwhile; look again.
    """
    waiting = [pk for pk, state in active if state == RunState.NOT_STARTED]
    free = sweep.max_concurrent_runs - (len(active) - len(waiting))
    if free < 0:
        queued = [pk for pk, state in active if state == RunState.QUEUED]
        return _hold(queued[free:], "fewer runs may be active at once now")
    for pk in waiting[:free]:
        move_run(pk, RunState.QUEUED)
        enqueue_run(Run.objects.select_related("sweep__compute").get(pk=pk))
    return bool(waiting[:free])


def hold_queued(sweep: Sweep) -> bool:
    """Take every run that no worker has claimed back from the queue of a paused sweep.

    Raises:
        StaleState: a worker was faster; look again.
    """
    queued = Run.objects.filter(sweep=sweep, state=RunState.QUEUED).order_by("number")
    return _hold(list(queued.values_list("pk", flat=True)), "the sweep is paused")


def _hold(run_ids: list[int], why: str) -> bool:
    numbers = dict(Run.objects.filter(pk__in=run_ids).values_list("pk", "number"))
    for pk in run_ids:
        message = f"Run {numbers[pk]}: Not started. It waits: {why}."
        move_run(pk, RunState.NOT_STARTED, message=message)
    return bool(run_ids)
