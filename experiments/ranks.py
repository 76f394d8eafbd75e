"""Ranks, and the tests for two groups that need no more than counts and ranks. Pure.

With numpy alone: `scipy.stats` has the same and would stay in every web process, where it takes as
much memory as all of Django.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from experiments.curves import FloatArray, IntArray

# Up to so many members of the smaller group, and without equal values, chances are counted.
_FEW: Final = 8


def ranks_of(values: FloatArray) -> FloatArray:
    """Return the rank of each finite value from 1 on; equal values share the mean of theirs.

    >>> ranks_of(np.array([3.0, 1.0, 3.0, 2.0])).tolist()
    [3.5, 1.0, 3.5, 2.0]
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    found: FloatArray = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    return found


def fisher(inside: IntArray, elsewhere: IntArray, failed: int, others: int) -> FloatArray:
    """Return the one-sided p of Fisher's exact test for each of `k` regions: `(k,)`.

    `inside` of `failed` runs and `elsewhere` of `others` lie in a region; p is the chance of as
    many of the first or more, were it drawn blindly: the tail of a hypergeometric distribution.
    """
    log = np.log(np.arange(1, failed + others + 1))
    factorial = np.concatenate([[0.0], np.cumsum(log)])

    def ways(n: int | IntArray, k: IntArray) -> FloatArray:
        chosen: FloatArray = factorial[n] - factorial[k] - factorial[n - k]
        return chosen

    p = np.empty(len(inside))
    for place, (a, c) in enumerate(zip(inside.tolist(), elsewhere.tolist(), strict=True)):
        drawn = a + c
        more = np.arange(a, min(failed, drawn) + 1)
        all_ways = float(ways(failed + others, np.array([drawn]))[0])
        p[place] = np.exp(ways(failed, more) + ways(others, drawn - more) - all_ways).sum()
    return np.minimum(p, 1.0)


def mann_whitney(one: FloatArray, other: FloatArray) -> float:
    """Return the two-sided p of the rank test of Mann and Whitney, every value finite.

    Counted where one group is small and no values are equal, otherwise by the normal law with the
    corrections for equal values and for continuity (Mann and Whitney 1947; Hollander and Wolfe
    1999, section 4.1).
    """
    n, m = one.size, other.size
    both = np.concatenate([one, other])
    first = float(ranks_of(both)[:n].sum()) - n * (n + 1) / 2.0
    larger = max(first, n * m - first)
    ties = np.unique(both, return_counts=True)[1].astype(np.float64)
    if min(n, m) <= _FEW and not bool((ties > 1).any()):
        ways = _ways(n, m)
        return min(1.0, 2.0 * sum(ways[int(larger) :]) / sum(ways))
    size = n + m
    equal = float((ties**3 - ties).sum()) / (size * (size - 1))
    spread = math.sqrt(n * m / 12.0 * (size + 1 - equal))
    distance = larger - n * m / 2.0 - 0.5
    if not spread:
        return 1.0
    return min(1.0, math.erfc(distance / spread / math.sqrt(2.0)))


def _ways(n: int, m: int) -> Sequence[int]:
    """Return in how many orders of n and m values the statistic is 0, 1, ... n * m.

    The coefficients of the Gaussian binomial: products of 1 - x^(m + i), divided by 1 - x^i.
    """
    n, m = min(n, m), max(n, m)
    ways = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for at in range(n * m, m + i - 1, -1):
            ways[at] -= ways[at - m - i]
        for at in range(i, n * m + 1):
            ways[at] += ways[at - i]
    return ways
