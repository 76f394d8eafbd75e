"""What the model learns from: the runs of a history as places and metrics.

A failed run, and one that ended without a finite metric, counts as bad as the worst run known,
unless the same configuration has done better. Canceled runs without a metric say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
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
    own = sorted(history.observations, key=lambda o: o.number)
    answered = _answered([*history.prior, *own], encoding)
    numbered = [*((o, PRIOR) for o in history.prior), *((o, o.number) for o in own)]
    for observation, number in numbered:
        x = encoding.encode(observation.params)
        if x is None:
            continue
        if observation.state == "pending":
            if number != PRIOR:
                n_settled = len(places) if n_settled is None else n_settled
                pending.append(x)
            continue
        value = _value_of(observation)
        if math.isnan(value) and (
            observation.state == "canceled" or encoding.keys(x[None, :])[0] in answered
        ):
            continue
        places.append(x)
        values.append(value)
        censored.append(observation.state == "canceled")
        numbers.append(number)
    shape = (-1, encoding.dimension)
    return Rows(
        X=np.array(places, dtype=float).reshape(shape),
        values=np.array(values, dtype=float),
        is_censored=np.array(censored, dtype=bool),
        numbers=np.array(numbers, dtype=np.int64),
        pending=np.array(pending, dtype=float).reshape(shape),
        n_settled=len(places) if n_settled is None else n_settled,
    )


def number_of(rows: Rows, row: int) -> int | None:
    """Return the number of a run of this sweep; None for one of an earlier sweep."""
    number = int(rows.numbers[row])
    return None if number == PRIOR else number


def _answered(observations: Iterable[Observation], encoding: Encoding) -> set[bytes]:
    """Return the keys of configurations that some run has a metric for."""
    found = [encoding.encode(o.params) for o in observations if not math.isnan(_value_of(o))]
    places = [x for x in found if x is not None]
    return set(encoding.keys(np.array(places))) if places else set()


def _value_of(observation: Observation) -> float:
    """Return the metric that counts, or nan."""
    value = observation.value
    if observation.state in ("pending", "failed") or value is None or not math.isfinite(value):
        return math.nan
    return float(value)
