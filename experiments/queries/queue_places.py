"""Where waiting runs stand in the queue of their target, when they may start, and why they wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Count

from experiments.fair_share import Hold, HoldKind, Line, Standing, holds_of
from experiments.models import ComputeTarget, Run, Sweep, Worker
from experiments.queries.dashboard import mean_seconds
from experiments.queries.standing import standings
from experiments.queries.watch import alive_since
from experiments.queue_estimate import LiveRun, play
from experiments.states import RUN_LIVE, RunState

# More than anybody waits for; when those behind start is not known.
_MOST_PLAYED: Final = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run, or the first of several, stands.

    `position` counts from 1 among all `total` runs that wait for the target; `starts_in` seconds
    are None where nothing can be expected. `held_by` names the limit that keeps it from starting.
    """

    waiting: int
    position: int
    total: int
    starts_in: float | None
    reason: str
    held_by: str = ""


@dataclass(frozen=True, slots=True)
class TargetQueue:
    """The queue of one target, in the order of the expected starts."""

    target: str
    slots: int
    total: int = 0
    # By sweep: position and start of each waiting run, first come first.
    turns: Mapping[int, list[tuple[int, float | None]]] = field(default_factory=dict)
    holds: Mapping[int, Hold] = field(default_factory=dict)
    why: str = ""

    def place(self, sweep_id: int, nth: int = 0) -> Place | None:
        """Return the place of the nth waiting run of a sweep; None when it has not so many."""
        turns = self.turns.get(sweep_id, [])
        if nth >= len(turns):
            return None
        position, seconds = turns[nth]
        hold = self.holds.get(sweep_id)
        return Place(
            waiting=len(turns),
            position=position,
            total=self.total,
            starts_in=seconds,
            reason=hold.sentence if hold else self.why,
            held_by=str(hold.kind) if hold else "",
        )


def place_of_sweep(sweep: Sweep, now: datetime) -> Place | None:
    """Return where the first waiting run of a sweep stands; None, after 1 query, if none waits."""
    is_waiting = Run.objects.filter(sweep=sweep, state=RunState.QUEUED).exists()
    return queue_place(sweep, now) if is_waiting else None


def queue_place(sweep: Sweep, now: datetime, nth: int = 0) -> Place | None:
    """Return where the nth of a sweep's waiting runs stands; 7 queries at most."""
    if sweep.compute.is_simulated:
        return None
    return queues_of([sweep.compute], now)[sweep.compute_id].place(sweep.pk, nth)


def place_of_run(run: Run, now: datetime) -> Place | None:
    """Return where a waiting run stands; None for any other."""
    if run.state != RunState.QUEUED:
        return None
    before = Run.objects.filter(sweep=run.sweep, state=RunState.QUEUED, pk__lt=run.pk).count()
    place = queue_place(run.sweep, now, before)
    return None if place is None else replace(place, waiting=1)


def place_json(place: Place | None) -> dict[str, Any] | None:
    """Return a place as REST tells it."""
    if place is None:
        return None
    return {
        "waiting": place.waiting,
        "position": place.position,
        "of": place.total,
        "starts_in": None if place.starts_in is None else round(place.starts_in, 1),
        "reason": place.reason,
        "held_by": place.held_by or None,
    }


def queues_of(targets: Collection[ComputeTarget], now: datetime) -> dict[int, TargetQueue]:
    """Return the queues of targets; 7 queries at most, however many there are."""
    known = [target.pk for target in targets]
    found = standings({target.pk: target.is_draining for target in targets}, now)
    alive = Worker.objects.filter(compute__in=known, last_seen_at__gte=alive_since()).order_by()
    slots = dict(alive.values_list("compute_id").annotate(n=Count("pk")))
    lines = [line for standing in found.values() for line in standing.lines]
    usual = mean_seconds({line.sweep for line in lines}) if lines else {}
    live = _live_runs(known, usual, now) if any(line.running for line in lines) else {}
    return {
        target.pk: _queue(
            target.name,
            found[target.pk],
            slots.get(target.pk, 0),
            live.get(target.pk, []),
            usual,
        )
        for target in targets
    }


def _queue(
    name: str, standing: Standing, slots: int, live: list[LiveRun], usual: Mapping[int, float]
) -> TargetQueue:
    waiting = [line for line in standing.lines if line.waiting]
    is_moving = slots > 0 and standing.closed is None
    starts = play(
        replace(standing, closed=None),
        # In a queue that does not move there is an order all the same.
        slots=slots if is_moving else max(1, len(live) + 1),
        live=live,
        usual=usual,
        most=_MOST_PLAYED,
    )
    turns: dict[int, list[tuple[int, float | None]]] = {line.sweep: [] for line in waiting}
    for position, start in enumerate(starts, start=1):
        turns[start.sweep].append((position, start.seconds if is_moving else None))
    behind = len(starts)
    for line in sorted(waiting, key=_first):
        rest = line.waiting - len(turns[line.sweep])
        turns[line.sweep] += [(behind + n + 1, None) for n in range(rest)]
        behind += rest
    return TargetQueue(
        target=name,
        slots=slots,
        total=sum(line.waiting for line in waiting),
        turns=turns,
        holds=holds_of(standing),
        why=_why(slots, len(live), standing.closed),
    )


def _live_runs(
    targets: Collection[int], usual: Mapping[int, float], now: datetime
) -> dict[int, list[LiveRun]]:
    rows = Run.objects.filter(
        ended_at__isnull=True,
        state__in=sorted(RUN_LIVE),
        sweep__compute__in=list(targets),
    ).values_list("sweep__compute_id", "sweep__experiment__workspace_id", "sweep_id", "started_at")
    found: dict[int, list[LiveRun]] = {}
    for target, workspace, sweep, started in rows:
        lasting = usual.get(sweep)
        since = (now - started).total_seconds() if started else 0.0
        left = None if lasting is None else max(0.0, lasting - since)
        found.setdefault(target, []).append(LiveRun(workspace, sweep, left))
    return found


def _why(slots: int, busy: int, closed: Hold | None) -> str:
    if closed is not None and closed.kind == HoldKind.MAINTENANCE:
        return closed.sentence
    if not slots:
        return "no worker is attached"
    if closed is not None:
        return closed.sentence
    if busy >= slots:
        return "its slot is busy" if slots == 1 else f"all {slots} slots are busy"
    return "about to start"


def _first(line: Line) -> int:
    return line.first
