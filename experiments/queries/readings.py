"""The values of a sweep's runs under a reading: from the runs, or from their reports at a step.

The last few answers are kept in the process: table, charts and export of one page ask for the same.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Final

from experiments.models import Run, Sweep
from experiments.queries.json_forms import found_run_json
from experiments.queries.series import whole_curves
from experiments.readings import Reading, ReadValues, best_number, finite, value_at
from experiments.states import RunState

_MOST_KEPT: Final = 16
_Key = tuple[str, int, str]
_kept: dict[_Key, ReadValues] = {}
_lock = Lock()


def values_read(sweep: Sweep, reading: Reading) -> ReadValues:
    """Return the values of all runs of a sweep, as its row says they are (`sweep.cursor`).

    One query; one more for a step, which reads the reports unless they were read lately.
    """
    key = (sweep.public_id, sweep.cursor, reading.key)
    with _lock:
        if key in _kept:
            _kept[key] = _kept.pop(key)  # the last one asked for goes last
            return _kept[key]
    found = _read(sweep, reading)
    with _lock:
        _kept[key] = found
        while len(_kept) > _MOST_KEPT:
            del _kept[next(iter(_kept))]
    return found


def best_under(
    sweep: Sweep, reading: Reading, *, include_failed: bool, include_canceled: bool
) -> dict[str, Any] | None:
    """Return the JSON form of the best own run under a reading; None when none has a value."""
    left_out = [
        state
        for state, is_in in (
            (RunState.FAILED, include_failed),
            (RunState.CANCELED, include_canceled),
        )
        if not is_in
    ]
    away = Run.objects.filter(sweep=sweep, state__in=left_out).values_list("number", flat=True)
    values = dict(values_read(sweep, reading).values)
    for number in away:
        values.pop(number, None)
    best = best_number(values, sweep.goal)
    if best is None:
        return None
    run = Run.objects.select_related("sweep", "resumption").get(sweep=sweep, number=best)
    return {**(found_run_json(run) or {}), "value": values[best], "reading": reading.key}


def _read(sweep: Sweep, reading: Reading) -> ReadValues:
    rows = Run.objects.filter(sweep=sweep).order_by("number")
    best: dict[int, float | None] = {}
    values: dict[int, float | None] = {}
    for number, best_value, last_value in rows.values_list("number", "best_value", "last_value"):
        best[number] = finite(best_value)
        values[number] = best[number] if reading.is_best else finite(last_value)
    if reading.step is not None:
        values = dict.fromkeys(values)
        for number, curve in whole_curves(sweep, sweep.metric_name):
            if number in values:
                values[number] = value_at(curve.steps, curve.values, reading.step)
    return ReadValues(
        reading=reading,
        values=values,
        best=best_number(values, sweep.goal),
        lacking=frozenset(n for n, v in values.items() if v is None and best[n] is not None),
    )
