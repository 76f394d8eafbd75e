"""What the ended runs of a sweep tell: ends of the space where the best are, failures by kind."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

from django.db.models import Count, Max, QuerySet

from experiments.failure_map import Ended, FailureGroup, failure_groups
from experiments.models import Run, Sweep
from experiments.space.edges import Edge, Scored, find_edges
from experiments.spec import SweepSpec
from experiments.states import RUN_TERMINAL, EndReason, RunState

# Ends of a run that a person or the sweep chose say nothing about its values.
_CHOSEN = frozenset({EndReason.USER, EndReason.SWEEP_CANCELED, EndReason.SWEEP_TIMEOUT})


@dataclass(frozen=True, slots=True)
class Insights:
    """Edges in the order of the search space, failures by number of runs.

    `sentences` are those of the failed runs, by number.
    """

    edges: list[Edge]
    failures: list[FailureGroup]
    failed: int
    completed: int
    sentences: dict[int, str]


_NOTHING: Final = Insights([], [], 0, 0, {})
# Of the sweeps looked at last; the pages of a large one ask for it again and again.
_MOST_KEPT: Final = 8
_kept: OrderedDict[tuple[str, int, int], Insights] = OrderedDict()
_lock: Final = Lock()


def insights_of(sweep: Sweep) -> Insights:
    """Return what the ended runs of a sweep tell; one query, another one when they have changed.

    Whatever happens to an ended run stamps it, so number and last stamp tell a change.
    """
    rows = Run.objects.filter(sweep=sweep, state__in=sorted(RUN_TERMINAL))
    found = rows.aggregate(count=Count("pk"), last=Max("stamp"))
    if not found["count"]:
        return _NOTHING
    key = (sweep.public_id, found["count"], found["last"])
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    made = _look_at(sweep, rows.order_by("number"))
    with _lock:
        _kept[key] = made
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return made


def _look_at(sweep: Sweep, rows: QuerySet[Run]) -> Insights:
    scored: list[Scored] = []
    ended: list[Ended] = []
    for number, params, state, end_reason, reason, ended_at, best in rows.values_list(
        "number", "params", "state", "end_reason", "reason", "ended_at", "best_value"
    ):
        if state == RunState.COMPLETED and best is not None and math.isfinite(best):
            scored.append(Scored(number, params, best))
        if end_reason not in _CHOSEN and ended_at is not None:
            is_failed = state == RunState.FAILED
            ended.append(Ended(number, params, is_failed, end_reason, reason, ended_at))
    expressions = SweepSpec.from_stored(sweep.spec).space.expressions
    return Insights(
        edges=find_edges(expressions, scored, sweep.goal),
        failures=failure_groups(ended, expressions),
        failed=sum(run.is_failed for run in ended),
        completed=len(scored),
        sentences={run.number: run.reason for run in ended if run.is_failed},
    )
