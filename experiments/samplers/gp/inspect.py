"""What the model believes, for panels: slices, contours, observed against predicted, relevance.

`learn(space, goal=..., history=...)` gives a `View`, or None while there are too few metrics. All
numbers are in units of the metric. Slices go through one configuration, by default the one that is
expected to be best; every other parameter keeps its value there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.samplers.base import History
from experiments.samplers.gp.censoring import inverse_factor
from experiments.samplers.gp.encoding import Axis, Encoding
from experiments.samplers.gp.reasons import relevance
from experiments.samplers.gp.rows import number_of, rows_of
from experiments.samplers.gp.surrogate import Settings, Surrogate, fit_surrogate
from experiments.space.space import Params, SearchSpace

Floats = NDArray[np.float64]
MIN_VALUES: Final = 3
_POINTS: Final = 41
_POINTS_OF_TWO: Final = 25


@dataclass(frozen=True, slots=True)
class Prediction:
    """Expected metrics; `low` to `high` is one standard deviation of the model to both sides.

    `std` is half of that range: the bending of the metric can make the two sides differ.
    """

    mean: list[float]
    std: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True, slots=True)
class Slice:
    """The prediction along one parameter: one entry for each of `values`."""

    name: str
    values: list[Any]
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Surface:
    """The prediction over two parameters: entry `i * len(values_b) + j` is for a_i and b_j."""

    name_a: str
    name_b: str
    values_a: list[Any]
    values_b: list[Any]
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A run, and what the model expects of it when it has not seen it.

    `number` is None for runs of earlier sweeps. `std` holds the noise of a measurement as well.
    """

    number: int | None
    observed: float
    mean: float
    std: float


@dataclass(frozen=True, slots=True)
class View:
    """A fitted model, ready to be asked."""

    encoding: Encoding
    surrogate: Surrogate

    @property
    def best(self) -> Params:
        """The configuration that is expected to be best among those that have run."""
        return self.encoding.decode(self.surrogate.rows.X[self.surrogate.incumbent])

    def relevance(self) -> dict[str, float]:
        """Return how fast the metric changes along each parameter: shares that add up to 1."""
        return relevance(self.surrogate, self.encoding)

    def along(
        self, name: str, at: Mapping[str, Any] | None = None, points: int = _POINTS
    ) -> Slice | None:
        """Return the prediction along a parameter through `at`; None for one with a single value.

        Raises:
            ValueError: `at` is not a configuration of the space.
        """
        j = self._axis(name)
        if j is None:
            return None
        places = _places(self.encoding.axes[j], points)
        Z = np.repeat(self._centre(at)[None, :], len(places), axis=0)
        Z[:, j] = places
        return Slice(name, self._values(j, places), self._predict(Z))

    def over(
        self,
        name_a: str,
        name_b: str,
        at: Mapping[str, Any] | None = None,
        points: int = _POINTS_OF_TWO,
    ) -> Surface | None:
        """Return the prediction over two parameters through `at`; None as in `along`.

        Raises:
            ValueError: `at` is not a configuration of the space.
        """
        i, j = self._axis(name_a), self._axis(name_b)
        if i is None or j is None or i == j:
            return None
        a, b = (_places(self.encoding.axes[k], points) for k in (i, j))
        Z = np.repeat(self._centre(at)[None, :], len(a) * len(b), axis=0)
        Z[:, i], Z[:, j] = np.repeat(a, len(b)), np.tile(b, len(a))
        return Surface(name_a, name_b, self._values(i, a), self._values(j, b), self._predict(Z))

    def leave_one_out(self) -> list[LeftOut]:
        """Return every run that ended by itself beside what the others say about it.

        Source: Rasmussen and Williams (2006), equation 5.12, with the parameters of all runs.
        """
        surrogate = self.surrogate
        posterior, y = surrogate.posterior, surrogate.y
        inverse = inverse_factor(posterior)
        precision = np.einsum("ij,ij->j", inverse, inverse)
        mean = y - posterior.alpha / precision
        expected = self._in_metric(mean, 1.0 / np.sqrt(precision))
        rows = surrogate.rows
        return [
            LeftOut(
                number_of(rows, int(i)),
                float(rows.values[i]),
                expected.mean[i],
                expected.std[i],
            )
            for i in np.flatnonzero(np.isfinite(rows.values) & ~rows.is_censored)
        ]

    def _axis(self, name: str) -> int | None:
        names = [axis.name for axis in self.encoding.axes]
        return names.index(name) if name in names else None

    def _centre(self, at: Mapping[str, Any] | None) -> Floats:
        if at is None:
            return np.asarray(self.surrogate.rows.X[self.surrogate.incumbent])
        x = self.encoding.encode(at)
        if x is None:
            raise ValueError(f"{dict(at)} is not a configuration of the search space.")
        return x

    def _values(self, j: int, places: Floats) -> list[Any]:
        return [self.encoding.axes[j].value_of(float(place)) for place in places]

    def _predict(self, Z: Floats) -> Prediction:
        return self._in_metric(*self.surrogate.posterior.predict(Z))

    def _in_metric(self, mean: Floats, spread: Floats) -> Prediction:
        invert = self.surrogate.transform.invert
        ends = np.sort(np.stack([invert(mean - spread), invert(mean + spread)]), axis=0)
        return Prediction(
            mean=invert(mean).tolist(),
            std=((ends[1] - ends[0]) / 2.0).tolist(),
            low=ends[0].tolist(),
            high=ends[1].tolist(),
        )


def learn(
    space: SearchSpace, *, goal: str, history: History, settings: Settings | None = None
) -> View | None:
    """Return the model of a history; None with fewer than `MIN_VALUES` metrics or no choice."""
    encoding = Encoding(space)
    rows = rows_of(history, encoding)
    if rows.n_valued < MIN_VALUES or not encoding.dimension:
        return None
    return View(encoding, fit_surrogate(rows, encoding, goal, settings or Settings()))


def _places(axis: Axis, points: int) -> Floats:
    """Return where a parameter is looked at: every level, or evenly spread `points`."""
    if axis.kind == "number":
        return np.linspace(0.0, 1.0, points)
    if axis.kind == "options" or len(axis.levels) <= points:
        return np.asarray(axis.levels)
    picked = np.linspace(0, len(axis.levels) - 1, points).astype(int)
    return np.asarray(axis.levels[picked])
