"""What the model learns from: the runs of a history as places and metrics.

A failed run, and one that ended without a finite metric, counts as bad as the worst run known,
unless the same configuration has done better. Canceled runs without a metric say nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.samplers.base import History, Observation
from experiments.samplers.gp.encoding import Encoding

Floats = NDArray[np.float64]
PRIOR = -1


@dataclass(frozen=True, slots=True)
class Rows:
    """Ended runs in order, those of earlier sweeps first, and the places of pending ones.

    `values` holds nan for bad runs; `numbers` is PRIOR for runs of earlier sweeps; the first
    `n_settled` rows can get no new neighbours: every run before them has ended.
    """

    X: Floats  # (n, d)
    values: Floats  # (n,), metrics
    is_censored: NDArray[np.bool_]  # (n,): stopped early, might have become better
    numbers: NDArray[np.int64]  # (n,)
    pending: Floats  # (p, d)
    n_settled: int
    tried: frozenset[bytes]  # keys of this sweep's runs, whatever became of them

    @property
    def n_valued(self) -> int:
        """How many rows have a metric."""
        return int(np.isfinite(self.values).sum())


def rows_of(history: History, encoding: Encoding) -> Rows:
    """Return what a history says about the space of `encoding`."""
    places: list[Floats] = []
    values: list[float] = []
    censored: list[bool] = []
    numbers: list[int] = []
    pending: list[Floats] = []
    n_settled = None
    known = _known(history, encoding)
    answered = {row.key for row in known if not math.isnan(row.value)}
    for row in known:
        if row.state == "pending":
            if row.number != PRIOR:
                n_settled = len(places) if n_settled is None else n_settled
                pending.append(row.x)
            continue
        if math.isnan(row.value) and (row.state == "canceled" or row.key in answered):
            continue
        places.append(row.x)
        values.append(row.value)
        censored.append(row.state == "canceled")
        numbers.append(row.number)
    shape = (-1, encoding.dimension)
    return Rows(
        X=np.array(places, dtype=float).reshape(shape),
        values=np.array(values, dtype=float),
        is_censored=np.array(censored, dtype=bool),
        numbers=np.array(numbers, dtype=np.int64),
        pending=np.array(pending, dtype=float).reshape(shape),
        n_settled=len(places) if n_settled is None else n_settled,
        tried=frozenset(row.key for row in known if row.number != PRIOR),
    )


def number_of(rows: Rows, row: int) -> int | None:
    """Return the number of a run of this sweep; None for one of an earlier sweep."""
    number = int(rows.numbers[row])
    return None if number == PRIOR else number


@dataclass(frozen=True, slots=True)
class _Known:
    """One run inside the space; `value` is nan without a metric that counts."""

    x: Floats
    key: bytes
    value: float
    state: str
    number: int


def _known(history: History, encoding: Encoding) -> list[_Known]:
    """Return the runs in order, those of earlier sweeps first."""
    own = sorted(history.observations, key=lambda o: o.number)
    numbered = [*((o, PRIOR) for o in history.prior), *((o, o.number) for o in own)]
    placed = [(encoding.encode(o.params), o, number) for o, number in numbered]
    inside = [(x, o, number) for x, o, number in placed if x is not None]
    if not inside:
        return []
    keys = encoding.keys(np.array([x for x, _, _ in inside]))
    return [
        _Known(x, key, _value_of(o), o.state, number)
        for key, (x, o, number) in zip(keys, inside, strict=True)
    ]


def _value_of(observation: Observation) -> float:
    """Return the metric that counts, or nan."""
    value = observation.value
    if observation.state in ("pending", "failed") or value is None or not math.isfinite(value):
        return math.nan
    return float(value)
