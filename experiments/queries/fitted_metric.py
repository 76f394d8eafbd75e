"""A fitted Gaussian process as charts ask for it: metrics in their own unit, values by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from experiments.charts.model_view import LeftOut, Prediction
from experiments.samplers.base import History, Observation
from experiments.samplers.gp.encoding import Encoding
from experiments.samplers.gp.model import factor
from experiments.samplers.gp.reasons import relevance
from experiments.samplers.gp.rows import rows_of
from experiments.samplers.gp.surrogate import Settings, Surrogate, fit_surrogate
from experiments.space.space import SearchSpace

Floats = NDArray[np.float64]
# Of a normal distribution, 95 % lies within so many deviations.
_DEVIATIONS: Final = 1.96
# Quantiles between which a law without ends is drawn.
_ENDS: Final = (0.005, 0.995)


class FittedMetric:
    """A model of one sweep; see `experiments.charts.model_view.MetricModel`."""

    def __init__(self, space: SearchSpace, goal: str, observations: Sequence[Observation]) -> None:
        self._space = space
        self._encoding = Encoding(space)
        rows = rows_of(History(0, observations), self._encoding)
        self._surrogate: Surrogate = fit_surrogate(rows, self._encoding, goal, Settings())
        self._is_measured = np.isfinite(rows.values)
        self.numbers = [int(number) for number in rows.numbers[self._is_measured]]
        best = self._best(goal)
        self.centre: Mapping[str, Any] = next(
            o.params for o in observations if o.number == int(rows.numbers[best])
        )

    def values_along(self, name: str, count: int) -> list[Any]:
        """Return values of a parameter from end to end, or all of a category."""
        expression = self._space.expressions[name]
        if expression.scale == "category":
            return expression.values()
        total = expression.cardinality()
        if total is not None and total <= count:
            return sorted(expression.values())
        values = [expression.from_unit(float(u)) for u in np.linspace(*_ENDS, count)]
        return sorted(dict.fromkeys([*values, self.centre[name]]))

    def predict(self, configurations: Sequence[Mapping[str, Any]]) -> Prediction:
        """Return what is expected of configurations; one from outside the space gives NaN."""
        places = [self._encoding.encode(params) for params in configurations]
        known = [at for at, place in enumerate(places) if place is not None]
        mean, spread = np.full(len(places), np.nan), np.full(len(places), np.nan)
        if known:
            Z = np.array([places[at] for at in known], dtype=float)  # noqa: N806
            mean[known], spread[known] = self._surrogate.posterior.predict(Z)
        return self._prediction(mean, spread)

    def left_out(self) -> LeftOut:
        """Return what is expected of each run from all others (Rasmussen and Williams, 5.12)."""
        model = self._surrogate
        kernel = model.posterior.kernel
        noise = np.full(len(model.y), model.posterior.pending_noise)
        L = factor(kernel, model.rows.X, noise)  # noqa: N806
        inverse = cho_solve((L, True), np.eye(len(L)))
        variance = 1.0 / inverse.diagonal()
        mean = model.y - (inverse @ model.y) * variance
        picked = self._is_measured
        return LeftOut(
            numbers=tuple(self.numbers),
            observed=model.rows.values[picked],
            expected=self._prediction(mean[picked], np.sqrt(variance[picked])),
        )

    def relevance(self) -> list[tuple[str, float]]:
        """Return each parameter with its share of the inverse length scales, largest first."""
        shares = relevance(self._surrogate, self._encoding)
        return sorted(shares.items(), key=lambda item: -item[1])

    def _best(self, goal: str) -> int:
        values = self._surrogate.rows.values
        return int(np.nanargmax(values) if goal == "maximize" else np.nanargmin(values))

    def _prediction(self, mean: Floats, spread: Floats) -> Prediction:
        invert = self._surrogate.transform.invert
        ends = [invert(mean - _DEVIATIONS * spread), invert(mean + _DEVIATIONS * spread)]
        return Prediction(invert(mean), np.minimum(*ends), np.maximum(*ends))
