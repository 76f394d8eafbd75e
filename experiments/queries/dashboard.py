"""What a team sees first: sweeps that run, what ended lately, new bests, one's starred sweeps.

Every function is one part of the page, with a fixed number of queries; none needs another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Avg, DurationField, ExpressionWrapper, F, Max, Min

from experiments.models import Event, Run, Sweep
from experiments.queries.run_facts import planned_runs
from experiments.queries.sweep_list import SweepRow, sweep_rows
from experiments.queries.visible import AnyUser, sweeps_for
from experiments.states import RUN_ACTIVE, RUN_LIVE, RUN_TERMINAL, SWEEP_ACTIVE, SWEEP_TERMINAL

MOST_RUNNING: Final = 30
MOST_FINISHED: Final = 8
MOST_BESTS: Final = 8
MOST_STARRED: Final = 8
# Runs with a slot that are named for one sweep; the others are counted.
MOST_RUNS: Final = 12
LATELY: Final = timedelta(days=7)
# Sweeps that are looked through for new bests.
_MOST_LOOKED_AT: Final = 60


@dataclass(frozen=True, slots=True)
class LiveSlot:
    """A run that has a slot now: where it is."""

    public_id: str
    number: int
    state: str
    worker: str
    host: str
    started: datetime | None


@dataclass(frozen=True, slots=True)
class RunningSweep:
    """A sweep that is going on; `remaining` seconds are None before the first run has ended."""

    row: SweepRow
    slots: list[LiveSlot]
    live: int
    remaining: float | None

    @property
    def ended(self) -> int:
        """Return how many runs have ended."""
        return sum(self.row.counts.get(state, 0) for state in RUN_TERMINAL)

    @property
    def more(self) -> int:
        """Return how many of the live runs are not named."""
        return max(0, self.live - len(self.slots))

    @property
    def hosts(self) -> list[str]:
        """Return the machines of the named runs."""
        return sorted({slot.host for slot in self.slots if slot.host})


@dataclass(frozen=True, slots=True)
class Running:
    """The sweeps that are going on, newest first, and how many there are."""

    sweeps: list[RunningSweep] = field(default_factory=list)
    total: int = 0


@dataclass(frozen=True, slots=True)
class NewBest:
    """The last change of the lead in a sweep; `gain` is against the run that led before."""

    row: SweepRow
    run_number: int
    run_url_id: str
    when: datetime
    gain: float | None
    before: int | None
    is_experiments_best: bool


def running_sweeps(user: AnyUser, now: datetime) -> Running:
    """Return what runs now, with its slots and the time that is left; 5 queries."""
    active = sweeps_for(user).filter(state__in=sorted(SWEEP_ACTIVE))
    total = active.count()
    sweeps = list(active.order_by("-pk")[:MOST_RUNNING])
    keys = [sweep.pk for sweep in sweeps]
    slots = _live_slots(keys)
    usual = mean_seconds(keys)
    rows = zip(sweeps, sweep_rows(sweeps), strict=True)
    return Running(
        [_running(s, row, slots.get(s.pk, []), usual.get(s.pk), now) for s, row in rows], total
    )


def finished_sweeps(user: AnyUser, now: datetime) -> list[SweepRow]:
    """Return what ended lately, the last one first; 3 queries."""
    ended = sweeps_for(user).filter(state__in=sorted(SWEEP_TERMINAL), ended_at__gt=now - LATELY)
    return sweep_rows(list(ended.order_by("-ended_at", "-pk")[:MOST_FINISHED]))


def starred_sweeps(user: AnyUser) -> list[SweepRow]:
    """Return the sweeps that a person starred last; 3 queries."""
    starred = sweeps_for(user).filter(stars__user=user.pk).order_by("-stars__pk")
    return sweep_rows(list(starred[:MOST_STARRED]))


def new_bests(user: AnyUser, now: datetime) -> list[NewBest]:
    """Return the newest changes of the lead, one a sweep, newest first; 7 queries."""
    since = now - LATELY
    # The log has no index over all sweeps: those that can have news come first.
    recent = sweeps_for(user).filter(best_value__isnull=False, started_at__isnull=False)
    going_on = list(recent.filter(ended_at__isnull=True).order_by("-pk")[:_MOST_LOOKED_AT])
    ended = recent.filter(ended_at__gt=since).order_by("-ended_at")
    sweeps = {sweep.pk: sweep for sweep in [*going_on, *ended[: _MOST_LOOKED_AT // 2]]}
    leads = _last_leads(sweeps)
    fresh = [(pk, pair) for pk, pair in leads.items() if pair[0].created_at > since]
    fresh.sort(key=lambda item: item[1][0].created_at, reverse=True)
    fresh = fresh[:MOST_BESTS]
    shown = [sweeps[pk] for pk, _ in fresh]
    rows = dict(zip((s.pk for s in shown), sweep_rows(shown), strict=True))
    before = _best_values([event.run_id for _, (_, event) in fresh if event is not None])
    tops = _experiment_bests(shown)
    return [_new_best(sweeps[pk], rows[pk], pair, before, tops) for pk, pair in fresh]


def mean_seconds(sweep_ids: Collection[int]) -> dict[int, float]:
    """Return how long the ended runs of sweeps took on average; one query for all of them."""
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    rows = (
        Run.objects.filter(
            sweep__in=sweep_ids, state__in=sorted(RUN_TERMINAL), started_at__isnull=False
        )
        .order_by()
        .values_list("sweep_id")
        .annotate(mean=Avg(took))
    )
    return {sweep_id: mean.total_seconds() for sweep_id, mean in rows}


def _live_slots(sweep_ids: Sequence[int]) -> dict[int, list[LiveSlot]]:
    rows = Run.objects.filter(sweep__in=sweep_ids, state__in=sorted(RUN_LIVE)).order_by("number")
    found: dict[int, list[LiveSlot]] = {}
    for sweep_id, public_id, number, state, worker, host, started in rows.values_list(
        "sweep_id", "public_id", "number", "state", "worker_name", "host", "started_at"
    ):
        slot = LiveSlot(public_id, number, state, worker, host, started)
        found.setdefault(sweep_id, []).append(slot)
    return found


def _running(
    sweep: Sweep, row: SweepRow, slots: list[LiveSlot], usual: float | None, now: datetime
) -> RunningSweep:
    active = sum(row.counts.get(state, 0) for state in RUN_ACTIVE)
    # Repetitions are no samples, so what is left is counted from the samples.
    left = max(0, planned_runs(sweep) - sweep.sampled) + active
    remaining = None
    if usual is not None and sweep.started_at is not None:
        begun = [(now - slot.started).total_seconds() if slot.started else 0.0 for slot in slots]
        work = max(0, left - len(slots)) * usual + sum(max(0.0, usual - s) for s in begun)
        at_once = min(sweep.max_concurrent_runs, len(slots) or sweep.max_concurrent_runs)
        remaining = work / max(1, at_once)
        if sweep.deadline_at is not None:
            remaining = min(remaining, max(0.0, (sweep.deadline_at - now).total_seconds()))
    return RunningSweep(row, slots[:MOST_RUNS], len(slots), remaining)


def _last_leads(sweep_ids: Iterable[int]) -> dict[int, tuple[Event, Event | None]]:
    """Return the last change of the lead in each sweep and the one before it."""
    events = Event.objects.filter(sweep__in=list(sweep_ids), kind=Event.Kind.BEST)
    found: dict[int, list[Event]] = {}
    for event in events.select_related("run").order_by("sweep_id", "cursor"):
        found.setdefault(event.sweep_id, []).append(event)
    return {
        sweep_id: (own[-1], own[-2] if len(own) > 1 else None) for sweep_id, own in found.items()
    }


def _best_values(run_ids: Iterable[int | None]) -> dict[int, float]:
    rows = Run.objects.filter(pk__in=[pk for pk in run_ids if pk], best_value__isnull=False)
    return {pk: value for pk, value in rows.values_list("pk", "best_value") if value is not None}


def _experiment_bests(sweeps: Sequence[Sweep]) -> dict[tuple[Any, ...], float]:
    """Return the best value of every experiment, metric and goal of these sweeps."""
    rows = (
        Sweep.objects.filter(
            experiment__in={sweep.experiment_id for sweep in sweeps},
            kind=Sweep.Kind.SWEEP,
            trashed_at__isnull=True,
            best_value__isnull=False,
        )
        .order_by()
        .values_list("experiment_id", "metric_name", "goal")
        .annotate(most=Max("best_value"), least=Min("best_value"))
    )
    return {
        (experiment, metric, goal): most if goal == "maximize" else least
        for experiment, metric, goal, most, least in rows
    }


def _new_best(
    sweep: Sweep,
    row: SweepRow,
    pair: tuple[Event, Event | None],
    before: Mapping[int, float],
    tops: Mapping[tuple[Any, ...], float],
) -> NewBest:
    event, earlier = pair
    # What the earlier leader reached in the end, which may be more than when it took the lead.
    led = before.get(earlier.run_id or 0) if earlier is not None else None
    value = sweep.best_value
    return NewBest(
        row=row,
        run_number=event.payload["number"],
        run_url_id=event.run.public_id if event.run else "",
        when=event.created_at,
        gain=value - led if value is not None and led is not None else None,
        before=earlier.payload["number"] if earlier is not None else None,
        is_experiments_best=tops.get((sweep.experiment_id, sweep.metric_name, sweep.goal)) == value,
    )
