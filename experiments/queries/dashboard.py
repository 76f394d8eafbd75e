"""What a team sees first: sweeps that run, what ended lately, new bests, one's starred sweeps.

Every function is one part of the page, with a fixed number of queries beside those of
`dashboard_sweeps.team_sweeps`, whose sweeps all of them show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Avg, DurationField, ExpressionWrapper, F, Max, Min

from experiments.models import Run, Star, Sweep
from experiments.queries.dashboard_sweeps import LATELY, TeamSweeps
from experiments.queries.run_facts import planned_runs
from experiments.queries.sweep_list import Lead, SweepRow, sweep_rows
from experiments.queries.visible import AnyUser, sweeps_for
from experiments.states import RUN_ACTIVE, RUN_LIVE, RUN_TERMINAL

MOST_RUNNING: Final = 30
MOST_FINISHED: Final = 8
MOST_BESTS: Final = 8
MOST_STARRED: Final = 8
# Runs with a slot that are named for one sweep; the others are counted.
MOST_RUNS: Final = 12


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


def running_sweeps(team: TeamSweeps) -> Running:
    """Return what runs now, with its slots and the time that is left; 2 queries."""
    sweeps = team.active[:MOST_RUNNING]
    keys = [sweep.pk for sweep in sweeps]
    slots = _live_slots(keys)
    usual = mean_seconds(keys)
    return Running(
        [
            _running(sweep, team.row(sweep), slots.get(sweep.pk, []), usual.get(sweep.pk), team.now)
            for sweep in sweeps
        ],
        team.total,
    )


def finished_sweeps(team: TeamSweeps) -> list[SweepRow]:
    """Return what ended lately, the last one first; no query."""
    return [team.row(sweep) for sweep in team.ended[:MOST_FINISHED]]


def starred_sweeps(user: AnyUser) -> list[SweepRow]:
    """Return the sweeps that a person starred last; 4 queries, 1 where there is none."""
    stars = Star.objects.filter(user=user.pk)
    if not stars.exists():
        return []
    starred = sweeps_for(user).filter(stars__in=stars).order_by("-stars__pk")
    return sweep_rows(list(starred[:MOST_STARRED]))


def new_bests(team: TeamSweeps) -> list[NewBest]:
    """Return the newest changes of the lead, one a sweep, newest first; 2 queries."""
    since = team.now - LATELY
    sweeps = [s for s in [*team.active, *team.ended] if s.best_value is not None and s.started_at]
    led = [(sweep, team.leads[sweep.pk]) for sweep in sweeps if sweep.pk in team.leads]
    fresh = [(sweep, leads) for sweep, leads in led if leads[-1].when > since]
    fresh.sort(key=lambda pair: pair[1][-1].when, reverse=True)
    fresh = fresh[:MOST_BESTS]
    before = _best_values(leads[-2].run_id for _, leads in fresh if len(leads) > 1)
    tops = _experiment_bests([sweep for sweep, _ in fresh])
    return [_new_best(sweep, team.row(sweep), leads, before, tops) for sweep, leads in fresh]


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
    leads: Sequence[Lead],
    before: Mapping[int, float],
    tops: Mapping[tuple[Any, ...], float],
) -> NewBest:
    last, earlier = leads[-1], leads[-2] if len(leads) > 1 else None
    # What the earlier leader reached in the end, which may be more than when it took the lead.
    led = before.get(earlier.run_id or 0) if earlier is not None else None
    value = sweep.best_value
    return NewBest(
        row=row,
        run_number=last.number,
        # The public id of a run is that of its sweep with the number.
        run_url_id=f"{sweep.public_id}_{last.number}" if last.run_id else "",
        when=last.when,
        gain=value - led if value is not None and led is not None else None,
        before=earlier.number if earlier is not None else None,
        is_experiments_best=tops.get((sweep.experiment_id, sweep.metric_name, sweep.goal)) == value,
    )
