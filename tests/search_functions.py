"""Classic test functions as tuning problems: shifted, with mixed types, noise, plateaus, logs.

Every problem follows from its seed, as in `tests.search_problems`: seeds up to 499 are for choosing
settings, those from 500 on for reporting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from experiments.space.space import SearchSpace
from tests.search_problems import Problem

Place = np.ndarray[Any, np.dtype[np.float64]]
_MIN_SIZE = 400


def _ackley(x: Place) -> float:
    z = 8 * (x - 0.5)
    waves = np.exp(np.cos(np.pi * z).mean())
    return float(20 + np.e - 20 * np.exp(-0.2 * np.sqrt((z * z).mean())) - waves)


def _levy(x: Place) -> float:
    w = 1 + 5 * (x - 0.5)
    middle = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)
    last = (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)
    return float(np.sin(np.pi * w[0]) ** 2 + middle.sum() + last)


def _rastrigin(x: Place) -> float:
    z = 6 * (x - 0.5)
    return float((z * z + 4 - 4 * np.cos(1.4 * np.pi * z)).sum())


def _griewank(x: Place) -> float:
    z = 50 * (x - 0.5)
    waves = np.prod(np.cos(z / np.sqrt(np.arange(1, len(z) + 1))))
    return float(1 + (z * z).sum() / 400 - waves)


def _rosenbrock(x: Place) -> float:
    z = 4 * x - 2
    return float((z[1:] - z[:-1] ** 2) @ (z[1:] - z[:-1] ** 2) + ((1 - z[:-1]) ** 2).sum() / 100)


def _styblinski(x: Place) -> float:
    z = 10 * x - 5
    return float((z**4 - 16 * z * z + 5 * z).sum() / 2)


def _schwefel(x: Place) -> float:
    z = 400 * (2 * np.clip(x, 0, 1) - 1)
    return float(418.98 * len(z) - (z * np.sin(np.sqrt(np.abs(z)))).sum())


def _michalewicz(x: Place) -> float:
    z = np.pi * np.clip(x, 0, 1)
    return float(-(np.sin(z) * np.sin(np.arange(1, len(z) + 1) * z * z / np.pi) ** 6).sum())


def _dixon(x: Place) -> float:
    z = 8 * x - 4
    return float((z[0] - 1) ** 2 + np.arange(2, len(z) + 1) @ (2 * z[1:] ** 2 - z[:-1]) ** 2)


def _zakharov(x: Place) -> float:
    z = 10 * x - 4
    s = float((0.5 * np.arange(1, len(z) + 1) * z).sum())
    return float(z @ z) + s**2 + s**4 / 100


def _branin(x: Place) -> float:
    a, b = 15 * x[0] - 5, 15 * x[1]
    bent = b - 5.1 / (4 * np.pi**2) * a * a + 5 / np.pi * a - 6
    rest = 30 * ((x[2:] - 0.4) ** 2).sum()
    return float(bent**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10 + rest)


def _shekel(x: Place) -> float:
    centres = np.array([[4, 4, 4, 4], [1, 1, 1, 1], [8, 8, 8, 8], [6, 6, 6, 6], [3, 7, 3, 7]])
    distances = ((10 * np.resize(x, 4) - centres) ** 2).sum(1)
    return float(-(1 / (distances + np.array([0.4, 0.8, 0.8, 1.6, 1.6]))).sum())


FUNCTIONS: tuple[Callable[[Place], float], ...] = (
    _ackley, _levy, _rastrigin, _griewank, _rosenbrock, _styblinski,
    _schwefel, _michalewicz, _dixon, _zakharov, _branin, _shekel,
)  # fmt: skip


def make_function(seed: int) -> Problem:
    """Return the problem of a seed; the function goes round."""
    function = FUNCTIONS[seed % len(FUNCTIONS)]
    rng = np.random.default_rng([815, seed])
    raw, shift, options = _space(rng)
    while (SearchSpace.parse(raw).cardinality() or _MIN_SIZE) < _MIN_SIZE:
        raw, shift, options = _space(rng)
    space = SearchSpace.parse(raw)

    def plain(params: Mapping[str, Any]) -> float:
        x = -shift
        added = 0.0
        for j in range(len(shift)):
            x[j] += space.expressions[f"p{j}"].to_unit(params[f"p{j}"])
        for name, table in options.items():
            offset, moved = table[params[name]]
            x, added = x - moved, added + offset
        return (function(np.clip(x, -0.25, 1.25)) - low) / span + added

    low, span = 0.0, 1.0
    sample = np.array([plain(space.sample(rng)) for _ in range(300)])
    low, span = float(sample.min()), float(np.median(sample) - sample.min()) or 1.0
    bend = _BENDS[int(rng.integers(len(_BENDS)))]
    goal = "maximize" if rng.random() < 0.4 else "minimize"
    noise = float(rng.choice([0.0, 0.0, 0.0, 0.0, 0.03, 0.1]))
    noise *= float(np.std([min(bend(plain(space.sample(rng))), 3.0) for _ in range(200)]))
    kind = "noisy" if noise else "function"
    name = f"{function.__name__[1:]}-{seed}"
    return Problem(name, kind, space, goal, lambda params: bend(plain(params)), noise)


Options = dict[str, dict[str, tuple[float, Place]]]


def _space(rng: np.random.Generator) -> tuple[dict[str, str], Place, Options]:
    """Return expressions, where the optimum is moved to, and what every option adds and moves."""
    d = int(rng.integers(4, 7))
    raw: dict[str, str] = {}
    for j, letter in enumerate(rng.choice(list("uuuuuqqn"), size=d)):
        low = int(rng.integers(0, 5))
        raw[f"p{j}"] = {
            "u": f"uniform({low - 5}, {low - 5 + int(rng.integers(1, 9))})",
            "q": f"quniform({low}, {low + int(rng.integers(8, 30))}, 1)",
            "n": f"choice({', '.join(str(2 ** (k + 3)) for k in range(int(rng.integers(4, 8))))})",
        }[str(letter)]
    options: Options = {}
    for k in range(int(rng.choice([0, 0, 1, 1, 2]))):
        names = "abcde"[: int(rng.integers(2, 6))]
        raw[f"c{k}"] = f"choice({', '.join(repr(name) for name in names)})"
        reach = 0.15 * float(rng.random() < 0.6)
        options[f"c{k}"] = {n: (float(rng.uniform(0, 0.6)), rng.normal(0, reach, d)) for n in names}
    return raw, rng.uniform(-0.18, 0.18, d), options


_BENDS: tuple[Callable[[float], float], ...] = (
    lambda y: y,
    lambda y: y,
    lambda y: 3.0 * math.log(max(y, -0.9) + 1.001),
    lambda y: -1.0 / (1.0 + math.exp(min(2.5 * (y - 0.6), 50.0))),
    lambda y: round(40.0 * y) / 40.0,
)
