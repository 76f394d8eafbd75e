"""Ranks and tests on them against scipy, which the web process does without."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.ranks import fisher, mann_whitney, ranks_of

RNG = np.random.default_rng(5)


def test_ranks_are_those_of_scipy():
    for values in (RNG.normal(size=200), RNG.integers(0, 9, 200) / 4.0, np.ones(3), np.zeros(0)):
        assert ranks_of(values).tolist() == stats.rankdata(values).tolist()


@pytest.mark.parametrize(("n", "m"), [(3, 3), (8, 40), (2, 300), (9, 9), (60, 900)])
@pytest.mark.parametrize("ties", [False, True])
def test_rank_test_is_that_of_scipy(n, m, ties):
    for shift in (0.0, 1.0, 3.0):
        one, other = RNG.normal(shift, 1.0, n), RNG.normal(size=m)
        if ties:
            one, other = np.round(one), np.round(other)
        expected = stats.mannwhitneyu(one, other, alternative="two-sided").pvalue
        assert mann_whitney(one, other) == pytest.approx(expected, rel=1e-9)


def test_equal_values_are_no_difference():
    assert mann_whitney(np.ones(20), np.ones(30)) == 1.0


def test_counts_are_judged_as_scipy_does():
    failed, others = 40, 960
    inside = np.array([0, 5, 20, 40, 13])
    elsewhere = np.array([100, 5, 0, 960, 300])

    found = fisher(inside, elsewhere, failed, others)

    expected = stats.hypergeom.sf(inside - 1, failed + others, failed, inside + elsewhere)
    assert found == pytest.approx(expected, rel=1e-9)
