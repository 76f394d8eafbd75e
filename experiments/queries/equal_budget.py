"""The runs of a sweep at equal budgets, read from their reports and kept while nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Final, Literal

import numpy as np

from experiments.curves import FloatArray
from experiments.equal_budget import Advice, Agreement, EqualBudget, Spent, seconds_since
from experiments.models import Run, Sweep
from experiments.queries.series import whole_curves, whole_values
from experiments.states import RUN_TERMINAL, RunState

By = Literal["reports", "seconds"]
_MOST_KEPT: Final = 2
_kept: dict[tuple[str, int, str], EqualBudget] = {}
_MOST_TOLD: Final = 32
_told: dict[tuple[str, int, str, int], tuple[Agreement, Advice]] = {}
_lock = Lock()


def equal_budget_of(sweep: Sweep, by: By) -> EqualBudget:
    """Return all runs of a sweep at equal budgets, as its row says; two queries or none."""
    key = (sweep.public_id, sweep.cursor, by)
    with _lock:
        if key in _kept:
            _kept[key] = _kept.pop(key)  # the last one asked for goes last
            return _kept[key]
    found = EqualBudget(sweep.goal, _spent(sweep, by), is_seconds=by == "seconds")
    with _lock:
        _kept[key] = found
        while len(_kept) > _MOST_KEPT:
            del _kept[next(iter(_kept))]
    return found


def foretold(sweep: Sweep, by: By, top: int) -> tuple[EqualBudget, Agreement, Advice]:
    """Return everybody with what does not depend on a budget, which is kept as well."""
    everybody = equal_budget_of(sweep, by)
    key = (sweep.public_id, sweep.cursor, by, top)
    with _lock:
        known = _told.get(key)
    if known is None:
        known = everybody.foretold(top)
        with _lock:
            _told[key] = known
            while len(_told) > _MOST_TOLD:
                del _told[next(iter(_told))]
    return everybody, *known


def _spent(sweep: Sweep, by: By) -> Iterator[Spent]:
    rows = Run.objects.filter(sweep=sweep).values_list("number", "state", "started_at")
    known = {number: (state, started) for number, state, started in rows}
    for number, at, values in _curves(sweep, by):
        if number not in known:
            continue  # it was created since
        state, started = known[number]
        if by == "seconds":
            at = seconds_since(at, started.timestamp() if started else None)
        yield Spent(
            number=number,
            at=at,
            values=values,
            is_done=state == RunState.COMPLETED,
            is_live=state not in RUN_TERMINAL,
        )


def _curves(sweep: Sweep, by: By) -> Iterator[tuple[int, FloatArray, FloatArray]]:
    if by == "seconds":
        for number, curve in whole_curves(sweep, sweep.metric_name):
            yield number, curve.times, curve.values
    else:
        for number, values in whole_values(sweep, sweep.metric_name):
            yield number, np.arange(1.0, values.size + 1.0), values
