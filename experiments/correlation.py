"""How the value of a run goes with each parameter alone: Spearman's rank correlation for numbers,
epsilon squared of Kruskal and Wallis for options without an order. Pure; the same every time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from experiments.curves import FloatArray, IntArray
from experiments.ranks import ranks_of

LEAST_RUNS: Final = 10
SPEARMAN: Final = "Spearman"
EPSILON: Final = "epsilon squared"
_NORMAL_95: Final = 1.959964
_RESAMPLES: Final = 400
_SEED: Final = 21
# As many options as runs would explain everything.
_MOST_OPTIONS: Final = 50


@dataclass(frozen=True, slots=True)
class Correlation:
    """One parameter against the value of the runs; `low` to `high` is a 95 % interval.

    `value` None: it cannot be said, and `note` says why. Spearman's goes from -1 to 1, epsilon
    squared from 0 to 1 and has no direction; `note` then names the best and the worst option.
    """

    name: str
    measure: str
    runs: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""


def correlations_of(
    names: Sequence[str], params: Sequence[Mapping[str, Any]], values: FloatArray, goal: str
) -> list[Correlation]:
    """Return one entry for each parameter, in their order; every value is finite."""
    return [_one(name, [run.get(name) for run in params], values, goal) for name in names]


def _one(name: str, given: Sequence[Any], values: FloatArray, goal: str) -> Correlation:
    has = np.array([value is not None for value in given], bool)
    known = [value for value in given if value is not None]
    mine = values[has]
    are_numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in known)
    measure = SPEARMAN if are_numbers else EPSILON
    runs = len(known)
    if runs < LEAST_RUNS:
        return Correlation(name, measure, runs, note=f"needs {LEAST_RUNS} runs with a value")
    options = [str(value) for value in known]
    distinct = len(set(options))
    if distinct < 2:
        return Correlation(name, measure, runs, note="has the same value in all runs")
    if np.ptp(mine) == 0:
        return Correlation(name, measure, runs, note="all runs have the same value")
    if are_numbers:
        return _spearman(name, np.array(known, np.float64), mine)
    if distinct > min(_MOST_OPTIONS, runs // 2):
        return Correlation(name, measure, runs, note=f"has {distinct} options for {runs} runs")
    return _epsilon(name, options, mine, goal)


def _spearman(name: str, given: FloatArray, values: FloatArray) -> Correlation:
    rho = float(np.corrcoef(ranks_of(given), ranks_of(values))[0, 1])
    # Fisher's transform with the variance of Bonett and Wright (2000) for ranks.
    error = math.sqrt((1 + rho * rho / 2) / (values.size - 3))
    centre = math.atanh(min(max(rho, -1 + 1e-12), 1 - 1e-12))
    low, high = (math.tanh(centre + side * _NORMAL_95 * error) for side in (-1, 1))
    return Correlation(name, SPEARMAN, int(values.size), rho, low, high)


def _epsilon(name: str, options: Sequence[str], values: FloatArray, goal: str) -> Correlation:
    labels, codes = np.unique(np.array(options), return_inverse=True)
    ranks = ranks_of(values)
    size, groups = ranks.size, labels.size
    whole = _epsilon_of(codes[None, :], ranks[None, :], groups)[0]
    rows = np.random.default_rng(_SEED).integers(0, size, (_RESAMPLES, size))
    drawn = _epsilon_of(codes[rows], ranks[rows], groups)
    low, high = np.quantile(drawn, [0.025, 0.975])
    means = np.bincount(codes, ranks) / np.bincount(codes)
    best, worst = (means.argmax(), means.argmin())
    if goal == "minimize":
        best, worst = worst, best
    note = f"best {labels[best]}, worst {labels[worst]} by mean rank"
    return Correlation(
        name, EPSILON, size, float(whole), float(min(low, whole)), float(max(high, whole)), note
    )


def _epsilon_of(codes: IntArray, ranks: FloatArray, groups: int) -> FloatArray:
    """Return the share of the spread in rank that groups explain, corrected for chance: `(k,)`."""
    count, size = codes.shape
    cells = (codes + np.arange(count)[:, None] * groups).ravel()
    many = np.bincount(cells, minlength=count * groups).reshape(count, groups)
    sums = np.bincount(cells, ranks.ravel(), minlength=count * groups).reshape(count, groups)
    mean = ranks.mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.where(many > 0, many * (sums / many - mean) ** 2, 0.0).sum(axis=1)
    total = ((ranks - mean) ** 2).sum(axis=1)
    present = (many > 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 1 - (total - between) / total * (size - 1) / np.maximum(1, size - present)
    found: FloatArray = np.clip(np.nan_to_num(share), 0.0, 1.0)
    return found
