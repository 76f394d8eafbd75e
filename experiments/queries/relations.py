"""How the value of ended runs goes with their parameters, for charts; kept while it is the same.

The last few answers are kept in the process: importance and correlation of a page ask together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from threading import Lock
from typing import Final

import numpy as np

from experiments.charts.base import RunView
from experiments.models import Sweep
from experiments.relations import Relations, relate
from experiments.states import RUN_TERMINAL, RunState

_MOST_KEPT: Final = 8
_Key = tuple[str, tuple[tuple[int, float], ...]]


_kept: dict[_Key, Relations] = {}
_lock = Lock()


def relations_of(sweep: Sweep, names: Sequence[str], runs: Sequence[RunView]) -> Relations:
    """Return what the ended runs among these say of each parameter; no query.

    Failed runs are left out; those that were stopped early count with what they had until then.
    """
    ended = [
        run
        for run in runs
        if run.state in RUN_TERMINAL and run.state != RunState.FAILED and not math.isnan(run.value)
    ]
    # Hyperparameters of a run never change: number and value say all.
    key = (sweep.public_id, tuple((run.number, run.value) for run in ended))
    with _lock:
        if key not in _kept:
            _kept[key] = _relate(sweep, names, ended)
        found = _kept[key] = _kept.pop(key)  # the last one asked for goes last
        while len(_kept) > _MOST_KEPT:
            del _kept[next(iter(_kept))]
    return found


def _relate(sweep: Sweep, names: Sequence[str], ended: Sequence[RunView]) -> Relations:
    return relate(
        names,
        [run.params for run in ended],
        np.array([run.value for run in ended], np.float64),
        goal=sweep.goal,
        stopped=sum(run.state == RunState.CANCELED for run in ended),
    )
