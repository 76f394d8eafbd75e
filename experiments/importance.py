"""How much each parameter matters for the ranking of the runs: a forest, and what shuffling loses.

Method: regression trees on ranks, each grown on a bootstrap of the runs; the importance of a
parameter is how much worse runs that a tree has not seen are ranked when its values are shuffled
among them. Its uncertainty is that of repeating all of it on random halves of the runs. Pure, and
the same every time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.curves import FloatArray, IntArray
from experiments.ranks import ranks_of

LEAST_RUNS: Final = 20
METHOD: Final = "permutation importance of a random forest on ranks"
_TREES: Final = 64
_HALVES: Final = 16
_TREES_OF_HALF: Final = 12
_DEPTH: Final = 5
_LEAST_LEAF: Final = 3
_BINS: Final = 16
# 90 % of a normal distribution lie within so many standard deviations.
_SPREAD: Final = 1.645
_MOST_RUNS: Final = 2000
_SEED: Final = 20


@dataclass(frozen=True, slots=True)
class Share:
    """What a parameter has of all that parameters explain; `low` to `high` is a 90 % interval."""

    name: str
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares, the largest first; `explained` is of the spread in rank of runs left out, 0..1."""

    shares: tuple[Share, ...]
    explained: float
    runs: int


@dataclass(frozen=True, slots=True)
class _Trees:
    """Trees of one depth, level by level: which feature a node looks at and up to which bin."""

    features: list[IntArray]  # (trees, 2**level)
    cuts: list[IntArray]
    leaves: FloatArray  # (trees, 2**depth)


def importance_of(
    names: Sequence[str], params: Sequence[Mapping[str, Any]], values: FloatArray
) -> Importance | None:
    """Return what matters; None for too few runs, equal values, or no parameter that varies.

    `params` and `values` are of the same runs, every value finite.
    """
    varying = [name for name in names if _distinct(run.get(name) for run in params) > 1]
    if values.size < LEAST_RUNS or np.ptp(values) == 0 or not varying:
        return None
    rng = np.random.default_rng(_SEED)
    kept = np.arange(values.size)
    if values.size > _MOST_RUNS:
        kept = np.sort(rng.choice(kept, _MOST_RUNS, replace=False))
    codes = np.stack(
        [_codes([params[i].get(name) for i in kept.tolist()]) for name in varying], axis=1
    )
    ranks = ranks_of(values[kept])
    ranks = (ranks - ranks.mean()) / ranks.std()
    loss, explained = _shuffled(codes, ranks, rng, _TREES)
    shares = _shares(loss)
    spread = _spread_of(codes, ranks, rng)
    found = [
        Share(n, float(s), max(0.0, float(s - d)), min(1.0, float(s + d)))
        for n, s, d in zip(varying, shares, spread, strict=True)
    ]
    # A parameter that never varied explains nothing, for sure.
    found += [Share(name, 0.0, 0.0, 0.0) for name in names if name not in varying]
    found.sort(key=lambda share: -share.share)
    return Importance(tuple(found), max(0.0, explained), int(values.size))


def _spread_of(codes: IntArray, ranks: FloatArray, rng: np.random.Generator) -> FloatArray:
    # What half of the runs say differs from what all say as much as all differ from the truth:
    # the variance of a half's mean around that of the whole is (2/n - 1/n) of one run's.
    half = ranks.size // 2
    shares = []
    for _ in range(_HALVES):
        rows = rng.permutation(ranks.size)[:half]
        loss, _explained = _shuffled(codes[rows], ranks[rows], rng, _TREES_OF_HALF)
        shares.append(_shares(loss))
    spread: FloatArray = _SPREAD * np.std(shares, axis=0)
    return spread


def _shares(loss: FloatArray) -> FloatArray:
    known = np.clip(loss, 0.0, None)
    total = float(known.sum())
    shares: FloatArray = known / total if total > 0 else np.zeros_like(known)
    return shares


def _shuffled(
    codes: IntArray, ranks: FloatArray, rng: np.random.Generator, count: int
) -> tuple[FloatArray, float]:
    """Return what shuffling each feature loses, and the share that is explained without it."""
    runs, features = codes.shape
    samples = rng.integers(0, runs, (count, runs))
    trees = _grow(codes, ranks, samples, rng)
    out = np.ones((count, runs), bool)
    out[np.arange(count)[:, None], samples] = False
    seen = np.broadcast_to(np.arange(runs), (count, runs))
    expected = _predict(trees, codes, seen)
    error = np.where(out, (expected - ranks) ** 2, 0.0)
    base = error.sum() / max(1, out.sum())
    loss = np.empty(features)
    for feature in range(features):
        order = rng.permuted(seen, axis=1)
        moved = _predict(trees, codes, seen, feature, order)
        loss[feature] = np.where(out, (moved - ranks) ** 2, 0.0).sum() / max(1, out.sum()) - base
    votes = np.where(out, expected, 0.0).sum(axis=0) / np.maximum(1, out.sum(axis=0))
    known = out.any(axis=0)
    rest = float(((votes - ranks)[known] ** 2).mean()) if known.any() else 1.0
    return loss, 1.0 - rest / float(ranks.var() or 1.0)


def _grow(
    codes: IntArray, ranks: FloatArray, samples: IntArray, rng: np.random.Generator
) -> _Trees:
    count, size = samples.shape
    features = codes.shape[1]
    node = np.zeros((count, size), np.int64)
    own = codes[samples]  # (trees, size, features)
    target = ranks[samples]
    chosen: list[IntArray] = []
    cuts: list[IntArray] = []
    means = np.zeros((count, 1))
    for level in range(_DEPTH):
        width = 1 << level
        feature, cut = _splits(own, target, node, width, rng, features)
        chosen.append(feature)
        cuts.append(cut)
        rows = np.arange(count)[:, None]
        looked = np.take_along_axis(own, feature[rows, node][:, :, None], axis=2)[:, :, 0]
        node = 2 * node + (looked > cut[rows, node])
        means = _means(target, node, 2 * width, means)
    return _Trees(chosen, cuts, means)


def _splits(
    own: IntArray,
    target: FloatArray,
    node: IntArray,
    width: int,
    rng: np.random.Generator,
    features: int,
) -> tuple[IntArray, IntArray]:
    """Return the best feature and cut of every node; a cut at the last bin splits nothing."""
    count = node.shape[0]
    place = (np.arange(count)[:, None] * width + node)[:, :, None] * features + np.arange(features)
    cells = (place * _BINS + own).ravel()
    shape = (count, width, features, _BINS)
    total = count * width * features * _BINS
    many = np.bincount(cells, minlength=total).reshape(shape).cumsum(axis=3)
    weights = np.repeat(target.ravel(), features)
    sums = np.bincount(cells, weights, minlength=total).reshape(shape).cumsum(axis=3)
    right, rest = many[..., -1:] - many, sums[..., -1:] - sums
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = sums**2 / many + rest**2 / right - sums[..., -1:] ** 2 / many[..., -1:]
    gain = np.where((many >= _LEAST_LEAF) & (right >= _LEAST_LEAF), gain, 0.0)
    if features > 2:  # each node looks at about half of the features
        away = rng.random((count, width, features)) < 0.5
        gain[away] *= 1e-6
    best = gain.reshape(count, width, -1).argmax(axis=2)
    feature, cut = np.divmod(best, _BINS)
    has_gain = np.take_along_axis(gain.reshape(count, width, -1), best[:, :, None], 2)[:, :, 0] > 0
    return feature, np.where(has_gain, cut, _BINS)


def _means(target: FloatArray, node: IntArray, width: int, above: FloatArray) -> FloatArray:
    count = node.shape[0]
    cells = (np.arange(count)[:, None] * width + node).ravel()
    many = np.bincount(cells, minlength=count * width).reshape(count, width)
    sums = np.bincount(cells, target.ravel(), minlength=count * width).reshape(count, width)
    # A node without runs says what the node above it says.
    found: FloatArray = np.where(many > 0, sums / np.maximum(1, many), np.repeat(above, 2, axis=1))
    return found


def _predict(
    trees: _Trees,
    codes: IntArray,
    seen: NDArray[np.int64],
    shuffled: int = -1,
    order: NDArray[np.int64] | None = None,
) -> FloatArray:
    """Return what each tree says of each run; one feature may take its values from other runs."""
    rows = np.arange(seen.shape[0])[:, None]
    node = np.zeros(seen.shape, np.int64)
    for features, cuts in zip(trees.features, trees.cuts, strict=True):
        feature = features[rows, node]
        source = seen if order is None else np.where(feature == shuffled, order, seen)
        node = 2 * node + (codes[source, feature] > cuts[rows, node])
    found: FloatArray = trees.leaves[rows, node]
    return found


def _codes(values: Sequence[Any]) -> IntArray:
    """Return the bin of each value: numbers by rank, other things by their order; 0: missing."""
    are_numbers = all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        for value in values
    )
    keys = [_key(value) for value in values] if not are_numbers else list(values)
    distinct = sorted({key for key in keys if key is not None})
    if len(distinct) < _BINS:
        places = {key: place for place, key in enumerate(distinct, 1)}
        return np.array([places.get(key, 0) if key is not None else 0 for key in keys], np.int64)
    if not are_numbers:  # more options than bins: neighbours in the order share one
        places = {key: 1 + at * (_BINS - 1) // len(distinct) for at, key in enumerate(distinct)}
        return np.array([places.get(key, 0) if key is not None else 0 for key in keys], np.int64)
    array = np.array([np.nan if key is None else float(key) for key in keys])
    known = np.isfinite(array)
    edges = np.quantile(array[known], np.linspace(0, 1, _BINS)[1:-1])
    codes: IntArray = np.where(known, 1 + np.searchsorted(edges, np.where(known, array, 0.0)), 0)
    return codes


def _key(value: Any) -> str | None:
    return None if value is None else f"{type(value).__name__} {value}"


def _distinct(values: Any) -> int:
    return len({_key(value) for value in values})
