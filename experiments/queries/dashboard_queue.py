"""The queue of the compute targets as a team sees it: who waits, why, and until when.

Runs of sweeps that a person may not see take their place in the queue and are only counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from experiments.models import ComputeTarget, Run, Sweep
from experiments.models.compute import UNATTENDED
from experiments.queries.queue_places import TargetQueue, queues_of
from experiments.queries.visible import AnyUser, sweeps_for
from experiments.states import RunState

MOST_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Waiting:
    """The waiting runs of one sweep. `sweep` is None for those of others, taken together.

    `position` counts from 1 among all runs that wait for the target; `starts_in` seconds are None
    where nothing can be expected, and `why` says what they wait for.
    """

    sweep: Sweep | None
    target: str
    runs: int
    position: int
    starts_in: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Queue:
    """Who waits, in the order of the next starts on each target; `total` counts all runs."""

    rows: list[Waiting]
    total: int
    more: int


def queue_of(user: AnyUser, compute: Iterable[Mapping[str, Any]], now: datetime) -> Queue:
    """Return who waits for compute targets (as `compute_json` tells them); 9 queries at most."""
    names = [row["name"] for row in compute if row["queued"]]
    if not names:
        return Queue([], 0, 0)
    queued = Run.objects.filter(ended_at__isnull=True, state=RunState.QUEUED)
    targets = list(
        ComputeTarget.objects.filter(
            name__in=names, pk__in=queued.values("sweep__compute")
        ).exclude(kind__in=UNATTENDED)
    )
    if not targets:
        return Queue([], 0, 0)
    queues = queues_of(targets, now)
    waiting = {sweep_id for queue in queues.values() for sweep_id in queue.turns}
    sweeps = {sweep.pk: sweep for sweep in sweeps_for(user).filter(pk__in=waiting)}
    rows = [row for target in targets for row in _rows_of(queues[target.pk], sweeps)]
    total = sum(queue.total for queue in queues.values())
    return Queue(rows[:MOST_SHOWN], total, max(0, len(rows) - MOST_SHOWN))


def _rows_of(queue: TargetQueue, sweeps: Mapping[int, Sweep]) -> list[Waiting]:
    rows: list[Waiting] = []
    hidden: list[tuple[int, float | None]] = []
    for sweep_id, turns in queue.turns.items():
        place = queue.place(sweep_id)
        if sweep_id not in sweeps:
            hidden += turns
        elif place is not None:
            sweep, runs = sweeps[sweep_id], place.waiting
            rows.append(
                Waiting(sweep, queue.target, runs, place.position, place.starts_in, place.reason)
            )
    if hidden:
        # What holds others is theirs to know.
        position, seconds = min(hidden, key=lambda turn: turn[0])
        rows.append(Waiting(None, queue.target, len(hidden), position, seconds, queue.why))
    return sorted(rows, key=lambda row: row.position)
