"""Made-up tuning problems for measuring samplers: mixed, noisy, rugged, flat, log-shaped, tabular.

Every problem follows from its seed. Seeds up to 499 are for choosing settings, those from 500 on
only for reporting: nothing may be tuned to them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.space.discrete import Choice
from experiments.space.space import SearchSpace

KINDS = (
    "smooth", "rugged", "flat", "noisy", "valley", "moving", "table", "sparse", "cliff",
)  # fmt: skip
UNSEEN = 500
# Smaller spaces are soon used up.
_MIN_SIZE = 400


@dataclass(frozen=True)
class Problem:
    """A function to minimise (`loss`); `goal` says how its metric is reported."""

    name: str
    kind: str
    space: SearchSpace
    goal: str
    loss: Callable[[Mapping[str, Any]], float]
    noise: float = 0.0

    def metric(self, params: Mapping[str, Any], standard_normal: float) -> float:
        """Return what a run would report."""
        value = self.loss(params) + self.noise * standard_normal
        return value if self.goal == "minimize" else -value


def make_problem(seed: int) -> Problem:
    """Return the problem of a seed; its kind goes round."""
    kind = KINDS[seed % len(KINDS)]
    rng = np.random.default_rng([4711, seed])
    space = SearchSpace.parse(_space(kind, rng))
    while (space.cardinality() or _MIN_SIZE) < _MIN_SIZE:
        space = SearchSpace.parse(_space(kind, rng))
    units = _Units(space)
    loss = _LOSSES.get(kind, _bowl)(kind, space, units, rng)
    goal = "maximize" if rng.random() < 0.4 else "minimize"
    noise = 0.0
    if kind == "noisy":
        sample = [loss(space.sample(rng)) for _ in range(300)]
        noise = float(rng.choice([0.03, 0.1, 0.2]) * np.std(sample))
    return Problem(f"{kind}-{seed}", kind, space, goal, loss, noise)


def make_problems(first: int, count: int) -> list[Problem]:
    """Return the problems of `count` seeds in a row."""
    return [make_problem(seed) for seed in range(first, first + count)]


class _Units:
    """Places of configurations in [0, 1]^d; options by their number."""

    def __init__(self, space: SearchSpace) -> None:
        self.names = list(space.expressions)
        self.expressions = list(space.expressions.values())
        self.counts = [
            len(e.values()) if isinstance(e, Choice) and isinstance(e.values()[0], str) else 0
            for e in self.expressions
        ]

    def of(self, params: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        found = []
        for name, e, count in zip(self.names, self.expressions, self.counts, strict=True):
            value = params[name]
            if count:
                found.append(float(e.index_of(value) or 0))
            elif isinstance(e, Choice):
                found.append((e.index_of(value) or 0) / max(len(e.values()) - 1, 1))
            else:
                low, high = e.bounds() or (0.0, 1.0)
                found.append((float(value) - low) / (high - low))
        return np.array(found)


def _space(kind: str, rng: np.random.Generator) -> dict[str, Any]:
    d = int(rng.integers(9, 15)) if kind == "sparse" else int(rng.integers(2, 8))
    if kind == "table":
        d = int(rng.integers(3, 6))
    weights = {"table": (0.0, 0.4, 0.3, 0.3), "valley": (0.9, 0.1, 0.0, 0.0)}
    chances = weights.get(kind, (0.5, 0.2, 0.1, 0.2))
    found = {f"p{j}": _expression(rng, str(rng.choice(list("uqnc"), p=chances))) for j in range(d)}
    if kind == "moving":
        found["p0"] = f"choice({', '.join(repr(c) for c in 'abcdef'[: int(rng.integers(2, 6))])})"
    return found


def _expression(rng: np.random.Generator, letter: str) -> str:
    if letter == "u":
        low = int(rng.integers(-6, 2))
        return f"uniform({low}, {low + int(rng.integers(1, 10))})"
    if letter == "q":
        q = int(rng.choice([1, 1, 2, 32]))
        low = q * int(rng.integers(0, 4))
        return f"quniform({low}, {low + q * int(rng.integers(3, 20))}, {q})"
    if letter == "n":
        low = int(rng.integers(0, 6))
        return f"choice({', '.join(str(2**k) for k in range(low, low + int(rng.integers(3, 8))))})"
    options = "abcdef"[: int(rng.integers(2, 6))]
    return f"choice({', '.join(repr(option) for option in options)})"


Loss = Callable[[Mapping[str, Any]], float]


def _bowl(kind: str, space: SearchSpace, units: _Units, rng: np.random.Generator) -> Loss:
    """A bowl in some parameters, with interactions; waves, a flat top or a log on it by kind."""
    d = len(units.names)
    weight = rng.choice([0.05, 0.3, 1.0, 1.0, 2.0], size=d)
    if kind == "sparse":
        weight = np.where(np.arange(d) < 3, rng.uniform(0.5, 2.0, d), 0.01)
        weight = rng.permutation(weight)
    centre = rng.uniform(0.05, 0.95, d)
    skew = rng.uniform(0.3, 3.0, d)
    waves = rng.integers(2, 6, d)
    table = rng.uniform(0.0, 1.0, (d, 6))
    shift = rng.uniform(-0.35, 0.35, (6, d)) if kind == "moving" else np.zeros((6, d))
    pairs = [(int(a), int(b)) for a, b in rng.integers(0, d, (d, 2))]
    twist = rng.uniform(-1.0, 1.0, d) * 0.8
    is_option = np.array(units.counts) > 0

    def loss(params: Mapping[str, Any]) -> float:
        x = units.of(params)
        moved = shift[int(x[0])] if is_option[0] else shift[0] * 0.0
        z = np.where(is_option, 0.0, x - centre - moved)
        parts = weight * np.where(z > 0, skew, 1.0) * 4.0 * z * z
        if kind == "rugged":
            parts = parts + 0.3 * weight * (1.0 - np.cos(2.0 * np.pi * waves * z))
        value = float(parts[~is_option].sum())
        value += float(
            sum(0.5 * weight[j] * table[j, int(x[j])] for j in np.flatnonzero(is_option))
        )
        value += float(
            sum(
                t * min(weight[a], weight[b]) * z[a] * z[b]
                for t, (a, b) in zip(twist, pairs, strict=True)
            )
        )
        if kind == "flat":
            return round(1.0 / (1.0 + math.exp(2.0 - 2.5 * value)), 3)
        return value

    return loss


def _valley(kind: str, space: SearchSpace, units: _Units, rng: np.random.Generator) -> Loss:
    """A narrow bent valley of huge range, seen through a logarithm or as it is."""
    d = len(units.names)
    scale = rng.uniform(1.5, 4.0, d)
    centre = rng.uniform(0.2, 0.8, d)
    bend = rng.uniform(0.3, 1.2, d)
    steep = float(rng.choice([3.0, 10.0, 30.0]))
    is_option = np.array(units.counts) > 0
    is_log = rng.random() < 0.6

    def loss(params: Mapping[str, Any]) -> float:
        x = units.of(params)
        z = np.where(is_option, x * 0.2, scale * (x - centre) * 2.0)
        value = float(((z[:-1]) ** 2).sum()) + float(z[-1] ** 2) * 0.2
        value += steep * float(((z[1:] - bend[1:] * z[:-1] ** 2) ** 2).sum())
        return math.log1p(value) if is_log else value

    return loss


def _table(kind: str, space: SearchSpace, units: _Units, rng: np.random.Generator) -> Loss:
    """The error of a model on a few hundred cases, from listed values only: steps and roughness."""
    smooth = _bowl("smooth", space, units, rng)
    sample = np.array([smooth(space.sample(rng)) for _ in range(400)])
    low, span = float(sample.min()), float(np.quantile(sample, 0.6) - sample.min()) or 1.0
    cases = int(rng.choice([60, 150, 400]))
    rough = float(rng.choice([0.0, 0.02, 0.06]))
    floor = float(rng.uniform(0.06, 0.2))
    salt = int(rng.integers(1 << 30))

    def loss(params: Mapping[str, Any]) -> float:
        z = (smooth(params) - low) / span
        error = floor + (0.6 - floor) * (1.0 - math.exp(-0.9 * max(z, 0.0) ** 1.3))
        place = space.index_of(params) or 0
        error += rough * float(np.random.default_rng([salt, place]).normal())
        return round(max(error, 0.0) * cases) / cases

    return loss


def _cliff(kind: str, space: SearchSpace, units: _Units, rng: np.random.Generator) -> Loss:
    """Training that gets better along one direction until it falls apart."""
    smooth = _bowl("smooth", space, units, rng)
    d = len(units.names)
    direction = np.where(np.array(units.counts) > 0, 0.0, rng.uniform(-1.0, 1.0, d))
    direction /= float(np.abs(direction).sum()) or 1.0
    edge = float(rng.uniform(0.1, 0.35))
    worst = float(rng.choice([1.0, 3.0, 30.0]))

    def loss(params: Mapping[str, Any]) -> float:
        x = units.of(params)
        along = float(direction @ (x - 0.5))
        if along > edge:
            return worst + 0.5 * along
        return 0.3 * smooth(params) + (edge - along) * 0.8

    return loss


_LOSSES = {"valley": _valley, "table": _table, "cliff": _cliff}
