"""The queue of the compute targets as a team sees it: who waits, why, and until when.

Runs of sweeps that a person may not see take their place in the queue and are only counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from experiments.models import Run, Sweep
from experiments.models.compute import SIMULATED
from experiments.queries.dashboard import mean_seconds
from experiments.queries.visible import AnyUser, sweeps_for
from experiments.queue_estimate import expected_starts
from experiments.states import RUN_LIVE, RunState

# More than anybody waits for; the position of those behind is not known.
_MOST_WAITING: Final = 2000
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
    """Who waits, in the order of the queue of each target; `total` counts all runs."""

    rows: list[Waiting]
    total: int
    more: int


def queue_of(user: AnyUser, compute: Iterable[Mapping[str, Any]], now: datetime) -> Queue:
    """Return who waits for compute targets (as `compute_json` tells them); 4 queries at most."""
    targets = {row["name"]: row for row in compute}
    waiting = list(
        Run.objects.filter(state=RunState.QUEUED, sweep__compute__name__in=targets)
        .exclude(sweep__compute__kind=SIMULATED)
        .order_by("pk")
        .values_list("sweep_id", "sweep__compute__name")[:_MOST_WAITING]
    )
    if not waiting:
        return Queue([], 0, 0)
    live = list(
        Run.objects.filter(state__in=sorted(RUN_LIVE), sweep__compute__name__in=targets)
        .exclude(sweep__compute__kind=SIMULATED)
        .values_list("sweep_id", "sweep__compute__name", "started_at")
    )
    usual = mean_seconds({s for s, _ in waiting} | {s for s, _, _ in live})
    seen = sweeps_for(user).filter(pk__in={sweep_id for sweep_id, _ in waiting})
    sweeps = {sweep.pk: sweep for sweep in seen}
    rows: list[Waiting] = []
    for name in dict.fromkeys(target for _, target in waiting):
        mine = [sweep_id for sweep_id, target in waiting if target == name]
        left = [_left(usual.get(s), started, now) for s, t, started in live if t == name]
        rows += _rows_of(targets[name], mine, left, usual, sweeps)
    return Queue(rows[:MOST_SHOWN], len(waiting), max(0, len(rows) - MOST_SHOWN))


def _rows_of(
    target: Mapping[str, Any],
    waiting: Sequence[int],
    left: Sequence[float | None],
    usual: Mapping[int, float],
    sweeps: Mapping[int, Sweep],
) -> list[Waiting]:
    is_moving = target["slots"] > 0 and not target["draining"]
    free = max(0, target["slots"] - len(left)) if is_moving else 0
    starts = expected_starts(free, left if is_moving else (), [usual.get(s) for s in waiting])
    first: dict[int | None, int] = {}
    counts: dict[int | None, int] = {}
    for at, sweep_id in enumerate(waiting):
        key = sweep_id if sweep_id in sweeps else None
        first.setdefault(key, at)
        counts[key] = counts.get(key, 0) + 1
    return [
        Waiting(
            sweep=sweeps.get(key) if key is not None else None,
            target=target["name"],
            runs=counts[key],
            position=at + 1,
            starts_in=starts[at],
            why=_why(target),
        )
        for key, at in first.items()
    ]


def _left(usual: float | None, started: datetime | None, now: datetime) -> float | None:
    if usual is None:
        return None
    return max(0.0, usual - (now - started).total_seconds()) if started else usual


def _why(target: Mapping[str, Any]) -> str:
    if not target["slots"]:
        return "no worker is attached"
    if target["draining"]:
        return "it is being drained"
    if target["busy"] >= target["slots"]:
        return "its slot is busy" if target["slots"] == 1 else f"all {target['slots']} slots busy"
    return "about to start"
