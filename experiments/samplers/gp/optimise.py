"""Where the acquisition is largest: draws and neighbours of good runs, then local refinement.

Numbers are refined along the gradient (L-BFGS-B), counted values and options by trying each of
them in turn; both alternate until neither helps. Small finite spaces are listed completely.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from experiments.samplers.gp.encoding import Encoding

Floats = NDArray[np.float64]
_MAX_TRIED: Final = 25


class Surface(Protocol):
    """What is maximised."""

    def values(self, Z: Floats) -> Floats:
        """Return the acquisition at `Z`, `(m, d)`: `(m,)`."""

    def slope(self, z: Floats) -> tuple[float, Floats]:
        """Return the acquisition at one place and its derivatives: `(d,)`."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to search."""

    draws: int = 400
    steps: tuple[float, ...] = (0.02, 0.1, 0.3)
    neighbours: int = 20
    centres: int = 5
    starts: int = 3
    rounds: int = 3
    gradient_steps: int = 15
    max_listed: int = 2000


# Where each look at the model costs milliseconds.
SPARING: Final = Effort(draws=250, neighbours=12, starts=2, rounds=2, gradient_steps=6)


def maximise(
    surface: Surface,
    encoding: Encoding,
    centres: Floats,
    is_fresh: Callable[[Floats], NDArray[np.bool_]],
    rng: np.random.Generator,
    effort: Effort,
) -> tuple[Floats, float] | None:
    """Return the place with the largest acquisition among those not tried, and its value.

    `centres`: `(c, d)`, the places of good runs, best first. None when nothing fresh was met.
    """
    Z = candidates(encoding, centres, rng, effort)
    Z = Z[is_fresh(Z)]
    if not len(Z):
        return None
    values = surface.values(Z)
    order = np.argsort(-values, kind="stable")
    best, top = Z[order[0]], float(values[order[0]])
    total = encoding.space.cardinality()
    if total is not None and total <= effort.max_listed:
        return best, top
    for start in order[: effort.starts]:
        place, value = _refine(surface, encoding, Z[start], float(values[start]), is_fresh, effort)
        if value > top:
            best, top = place, value
    return best, top


def candidates(
    encoding: Encoding, centres: Floats, rng: np.random.Generator, effort: Effort
) -> Floats:
    """Return places to look at first: `(m, d)`, snapped to values that exist."""
    total = encoding.space.cardinality()
    if total is not None and total <= effort.max_listed:
        return encoding.grid()
    found = [encoding.from_unit(rng.random((effort.draws, encoding.dimension)))]
    for centre in centres[: effort.centres]:
        found += [_around(encoding, centre, step, rng, effort.neighbours) for step in effort.steps]
    return encoding.snap(np.vstack(found))


def _around(
    encoding: Encoding, centre: Floats, step: float, rng: np.random.Generator, count: int
) -> Floats:
    """Return `count` places that differ from `centre` in a few parameters."""
    d = encoding.dimension
    Z = np.repeat(centre[None, :], count, axis=0)
    change = rng.random(Z.shape) < max(1.5 / d, 0.3)
    moved = np.clip(Z + rng.normal(0.0, step, Z.shape), 0.0, 1.0)
    Z = np.where(change & ~encoding.is_option, moved, Z)
    for j, axis in enumerate(encoding.axes):
        if axis.kind == "options":
            other = rng.random(count) < 0.25
            Z[other, j] = rng.integers(len(axis.levels), size=int(other.sum()))
        elif axis.kind == "levels":
            # A step of its own: small ones would be rounded away.
            at = np.array([axis.nearest(v) for v in Z[:, j]]) + rng.choice([-1, 0, 0, 1], count)
            Z[:, j] = axis.levels[np.clip(at, 0, len(axis.levels) - 1)]
    return Z


def _refine(
    surface: Surface,
    encoding: Encoding,
    start: Floats,
    value: float,
    is_fresh: Callable[[Floats], NDArray[np.bool_]],
    effort: Effort,
) -> tuple[Floats, float]:
    x, best = start.copy(), value
    for _ in range(effort.rounds):
        before = best
        x, best = _climb(surface, encoding, x, best, is_fresh, effort)
        x, best = _try_levels(surface, encoding, x, best, is_fresh)
        if best <= before + 1e-6:
            break
    return x, best


def _climb(
    surface: Surface,
    encoding: Encoding,
    x: Floats,
    value: float,
    is_fresh: Callable[[Floats], NDArray[np.bool_]],
    effort: Effort,
) -> tuple[Floats, float]:
    """Follow the gradient of the numbers."""
    numbers = np.flatnonzero(encoding.is_number)
    if not len(numbers):
        return x, value

    def negative(part: Floats) -> tuple[float, Floats]:
        z = x.copy()
        z[numbers] = part
        found, slope = surface.slope(z)
        return -found, -slope[numbers]

    found = scipy.optimize.minimize(
        negative,
        x[numbers],
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1.0)] * len(numbers),
        options={"maxiter": effort.gradient_steps},
    )
    if not math.isfinite(found.fun) or -found.fun <= value + 1e-6:
        return x, value
    z = x.copy()
    z[numbers] = found.x
    if not is_fresh(z[None, :])[0]:
        return x, value
    return z, float(-found.fun)


def _try_levels(
    surface: Surface,
    encoding: Encoding,
    x: Floats,
    value: float,
    is_fresh: Callable[[Floats], NDArray[np.bool_]],
) -> tuple[Floats, float]:
    """Try every option and the nearest counted values of each parameter in turn."""
    for j, axis in enumerate(encoding.axes):
        if axis.kind == "number":
            continue
        levels = axis.levels
        if len(levels) > _MAX_TRIED:
            levels = levels[np.argsort(np.abs(levels - x[j]), kind="stable")[:_MAX_TRIED]]
        Z = np.repeat(x[None, :], len(levels), axis=0)
        Z[:, j] = levels
        Z = Z[is_fresh(Z)]
        if not len(Z):
            continue
        values = surface.values(Z)
        top = int(values.argmax())
        if values[top] > value + 1e-6:
            x, value = Z[top], float(values[top])
    return x, value
