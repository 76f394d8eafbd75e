"""Families of learning curves for simulations: power laws with noise, crossings, divergence.

Pure. Values are to be minimised, like a loss; `as_score` turns them into something to maximise.
The same arguments give the same curve on any machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Family = Callable[[float, int, np.random.Generator], FloatArray]

_START: Final = 1.0
_BEST: Final = 0.05
_NOISE: Final = 0.01


def power_law(quality: float, reports: int, rng: np.random.Generator) -> FloatArray:
    """Return a loss that falls from 1 towards its end as `end + (1 - end) n^-rate`, with noise.

    `quality` in [0, 1] says how low it ends; good runs also fall faster.
    """
    end = _end(quality)
    rate = 0.35 + 0.5 * quality
    return _with_noise(end + (_START - end) * _intervals(reports) ** -rate, rng)


def crossing(quality: float, reports: int, rng: np.random.Generator) -> FloatArray:
    """Return a loss whose good runs start late: they lead at the end and not before.

    A policy that stops what is behind early loses them.
    """
    end = _end(quality)
    waiting = reports * (0.1 + 0.5 * quality)
    fallen = 1 / (1 + np.exp(-8 * (_intervals(reports) - waiting) / reports))
    return _with_noise(_START - (_START - end) * fallen, rng)


def diverging(quality: float, reports: int, rng: np.random.Generator) -> FloatArray:
    """Return a power law that blows up at a random place: it grows, then it is NaN."""
    values = power_law(quality, reports, rng)
    at = int(rng.integers(reports // 4, max(reports // 4 + 1, reports)))
    grown = min(at + max(1, reports // 20), reports)
    values[at:grown] *= np.geomspace(1.5, 1e6, grown - at)
    values[grown:] = np.nan
    return values


FAMILIES: Final[dict[str, Family]] = {
    "power_law": power_law,
    "crossing": crossing,
    "diverging": diverging,
}


def learning_curve(
    family: str, quality: float, reports: int, *, seed: int, number: int
) -> FloatArray:
    """Return the curve `(reports,)` of a family for run `number` of a simulation with `seed`.

    Raises:
        KeyError: no family has this name.
    """
    return FAMILIES[family](quality, reports, np.random.default_rng((seed, number)))


def as_score(loss: FloatArray) -> FloatArray:
    """Return `1 - loss`, for goals that are to be maximised."""
    return 1.0 - loss


def _intervals(reports: int) -> FloatArray:
    return np.arange(1, reports + 1, dtype=np.float64)


def _end(quality: float) -> float:
    return _BEST + (0.8 - _BEST) * (1.0 - min(max(quality, 0.0), 1.0))


def _with_noise(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    noisy: FloatArray = values + _NOISE * rng.standard_normal(values.size) * values
    return noisy
