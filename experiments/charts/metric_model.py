"""What charts ask of a model of the metric, and what it answers. Knows no chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The metric as a model expects it at m places: arrays `(m,)` in its own units.

    `low` to `high` is one standard deviation to both sides, which holds two of three values.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True)
class Slice:
    """What is expected along one parameter, at m of its values."""

    values: Sequence[Any]
    expected: Prediction


@dataclass(frozen=True, slots=True)
class Surface:
    """What is expected over two parameters: row by row, one row for each value of y."""

    x: Sequence[Any]
    y: Sequence[Any]
    expected: Prediction


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the model expected of runs that it had not seen: `numbers` and arrays `(n,)`."""

    numbers: tuple[int, ...]
    observed: FloatArray
    expected: Prediction


class MetricModel(Protocol):
    """A model of the metric over the search space, learned from the runs of one sweep."""

    @property
    def numbers(self) -> Sequence[int]:
        """Return the numbers of the runs with a value that it has learned from."""
        ...

    def along(self, name: str) -> Slice | None:
        """Return what is expected when one parameter of the best run changes.

        None for a parameter with a single value.
        """
        ...

    def over(self, x: str, y: str) -> Surface | None:
        """Return what is expected when two parameters of the best run change.

        None when they are one, or one of them has a single value.
        """
        ...

    def left_out(self) -> LeftOut:
        """Return what is expected of each run when the model learns from all others only."""
        ...
