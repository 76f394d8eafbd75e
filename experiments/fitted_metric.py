"""A model of the samplers as charts ask for it: arrays, slices through the best run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.charts.metric_model import LeftOut, Prediction, Slice, Surface
from experiments.samplers.gp import inspect


class FittedMetric:
    """A model of one sweep; see `experiments.charts.model_view.MetricModel`."""

    def __init__(self, view: inspect.View, best: Mapping[str, Any] | None) -> None:
        self._view = view
        # A best run from outside the search space, queued by hand, is no place for slices.
        is_inside = best is not None and view.encoding.encode(best) is not None
        self._at = best if is_inside else None
        rows = view.surrogate.rows
        self.numbers = rows.numbers[np.isfinite(rows.values)].tolist()

    def along(self, name: str) -> Slice | None:
        """Return what is expected when one parameter changes."""
        found = self._view.along(name, self._at)
        return None if found is None else Slice(found.values, _arrays(found.prediction))

    def over(self, x: str, y: str) -> Surface | None:
        """Return what is expected when two parameters change; rows are values of `y`."""
        found = self._view.over(y, x, self._at)
        if found is None:
            return None
        return Surface(found.values_b, found.values_a, _arrays(found.prediction))

    def left_out(self) -> LeftOut:
        """Return what is expected of each run from all others."""
        rows = [row for row in self._view.leave_one_out() if row.number is not None]
        mean = np.array([row.mean for row in rows])
        std = np.array([row.std for row in rows])
        return LeftOut(
            numbers=tuple(row.number for row in rows if row.number is not None),
            observed=np.array([row.observed for row in rows]),
            expected=Prediction(mean, mean - std, mean + std),
        )


def _arrays(found: inspect.Prediction) -> Prediction:
    return Prediction(np.array(found.mean), np.array(found.low), np.array(found.high))
