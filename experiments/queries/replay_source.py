"""Earlier sweeps whose curves show what a policy would do, and a readable part of these curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from django.db.models import Case, Exists, IntegerField, OuterRef, Value, When

from experiments.charts.base import Curve
from experiments.models import Run, Sweep
from experiments.queries.series import curves_of_runs
from experiments.queries.visible import AnyUser, current_workspace, sweeps_for
from experiments.states import EndReason

OFFERED: Final = 20
# As many lines as can be told apart in a small picture, and what is replayed within a moment.
MOST_CURVES: Final = 60
MOST_REPORTS: Final = 200_000
# One report says nothing about when a run would have been stopped.
_FEWEST_REPORTS: Final = 2


@dataclass(frozen=True, slots=True)
class ReplayCurves:
    """Curves of a sweep: `runs` of them had any, `stopped` of those shown were stopped early."""

    curves: list[Curve]
    seconds: dict[int, float]
    runs: int
    stopped: int


def sweeps_to_replay(
    user: AnyUser, *, metric: str, goal: str, experiment: str, chosen: str = ""
) -> list[Sweep]:
    """Return sweeps with curves of this metric, those of the experiment first, then the newest.

    Without a metric those of the experiment alone. `chosen`, the id of one of them, is there even
    when it is not among the newest.
    """
    reported = Run.objects.filter(sweep=OuterRef("pk"), reports__gte=_FEWEST_REPORTS)
    found = sweeps_for(user).filter(
        Exists(reported), goal=goal, experiment__workspace=current_workspace(user)
    )
    where = {"metric_name": metric} if metric else {"experiment__name": experiment}
    is_own = Case(
        When(experiment__name=experiment, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    listed = list(found.filter(**where).order_by(is_own, "-pk")[:OFFERED])
    if chosen and all(sweep.public_id != chosen for sweep in listed):
        listed += found.filter(public_id=chosen, **where)
    return listed


def curves_to_replay(sweep: Sweep) -> ReplayCurves:
    """Return at most MOST_CURVES curves, evenly over the run numbers, and that of the best run."""
    rows = list(
        Run.objects.filter(sweep=sweep, reports__gte=1)
        .order_by("number")
        .values_list("number", "reports", "end_reason", "started_at")
    )
    longest = max((reports for _, reports, _, _ in rows), default=1)
    room = max(2, min(MOST_CURVES, MOST_REPORTS // longest))
    best = sweep.best_run.number if sweep.best_run else None
    picked = set(_spread([number for number, *_ in rows], best, room))
    shown = [row for row in rows if row[0] in picked]
    curves = curves_of_runs(sweep, sweep.metric_name, picked)
    started = {number: start.timestamp() for number, _, _, start in shown if start}
    return ReplayCurves(
        curves=list(curves.values()),
        seconds={n: _first_second(started.get(n), curve) for n, curve in curves.items()},
        runs=len(rows),
        stopped=sum(reason == EndReason.POLICY for _, _, reason, _ in shown),
    )


def _spread(numbers: list[int], best: int | None, room: int) -> list[int]:
    """Return at most `room` of the numbers, first and last included, and the best one."""
    if len(numbers) <= room:
        return numbers
    places = np.linspace(0, len(numbers) - 1, room).round().astype(int)
    picked = [numbers[place] for place in places]
    if best in numbers and best not in picked:
        # In the place of its nearest neighbour, so that the number of curves stays.
        nearest = min(range(room), key=lambda place: abs(picked[place] - best))
        picked[nearest] = best
    return picked


def _first_second(started: float | None, curve: Curve) -> float:
    """Return when a run began: its start where it is known and sensible, else its first report."""
    first = float(curve.times[0])
    return first if started is None else min(started, first)
