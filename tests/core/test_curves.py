"""Curves: best so far, running mean, rank, and cutting long lines."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import curves
from experiments.curves import CurveSet, best_so_far, downsample, is_better, running_mean
from experiments.policies.known_curves import KnownCurves

NAN, INF = math.nan, math.inf
VALUES = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.sampled_from([NAN, INF, -INF])), min_size=1, max_size=30
)
GOALS = st.sampled_from(["maximize", "minimize"])


def test_curves_docstrings_are_true():
    assert doctest.testmod(curves) == doctest.TestResults(failed=0, attempted=2)


def test_best_so_far_ignores_nan_and_infinity():
    assert best_so_far([0.5, INF, NAN, 0.4, 0.6], "maximize").tolist() == [0.5, 0.5, 0.5, 0.5, 0.6]
    assert best_so_far([0.5, -INF, 0.4], "minimize").tolist() == [0.5, 0.5, 0.4]


def test_best_so_far_is_nan_before_the_first_finite_value():
    np.testing.assert_array_equal(best_so_far([NAN, INF, 2.0], "minimize"), [NAN, NAN, 2.0])


def test_best_so_far_of_nothing_is_empty():
    assert best_so_far([], "maximize").shape == (0,)
    assert running_mean([]).shape == (0,)


def test_running_mean_counts_only_finite_values():
    np.testing.assert_array_equal(running_mean([NAN, 1.0, INF, 2.0]), [NAN, 1.0, 1.0, 1.5])


def test_running_mean_of_huge_values_gives_no_warning():
    assert not np.isfinite(running_mean([1e308, 1e308, 1e308])[-1])


def test_direction_refuses_an_unknown_goal():
    with pytest.raises(ValueError, match="goal is 'max'; use 'maximize' or 'minimize'"):
        best_so_far([1.0], "max")


def test_is_better_follows_the_goal_and_never_prefers_nan():
    assert is_better("maximize", 2, 1)
    assert is_better("minimize", 1, 2)
    assert not is_better("minimize", 1, 1)
    assert not is_better("maximize", NAN, 1)
    assert not is_better("maximize", 1, NAN)


@given(VALUES, GOALS, st.integers(0, 30))
def test_curve_set_does_not_depend_on_the_batches(values, goal, cut):
    whole, parts = CurveSet(goal), CurveSet(goal)

    whole.append(0, values)
    parts.append(0, values[:cut])
    parts.append(0, iter(values[cut:]))

    np.testing.assert_array_equal(parts.best_curve(0), whole.best_curve(0))
    np.testing.assert_array_equal(parts.mean_curve(0), whole.mean_curve(0))


@given(VALUES, GOALS)
def test_curve_set_agrees_with_the_functions(values, goal):
    runs = CurveSet(goal)

    runs.append(7, values)

    np.testing.assert_array_equal(runs.best_curve(7), best_so_far(values, goal))
    np.testing.assert_array_equal(runs.mean_curve(7), running_mean(values))
    assert runs.count(7) == len(values)


def test_curve_set_at_an_interval_takes_what_short_runs_have():
    runs = CurveSet("maximize")
    runs.append(4, [0.1, 0.3, 0.2])
    runs.append(-1, [0.5])
    runs.set_finished(-1)

    best, mean = runs.best_at(2), runs.mean_at(2)

    assert best.numbers.tolist() == [-1, 4]
    assert best.values.tolist() == [0.5, 0.3]
    assert best.reached.tolist() == [False, True]
    assert best.finished.tolist() == [True, False]
    assert mean.values.tolist() == [0.5, 0.2]


def test_curve_set_knows_a_run_from_its_first_report():
    runs = CurveSet("minimize")
    runs.append(3, [])
    runs.set_finished(5)

    assert runs.numbers == []
    assert runs.longest() == 0
    assert runs.count(3) == 0
    assert math.isnan(runs.best_of(3, 1))
    assert runs.best_at(1).values.shape == (0,)

    runs.append(3, [1.0])

    assert runs.numbers == [3]
    assert runs.longest() == 1
    assert runs.is_finished(5)
    assert not runs.is_finished(3)


def test_curve_set_refuses_interval_zero():
    with pytest.raises(ValueError, match="interval is 0; the first report is interval 1"):
        CurveSet("maximize").best_at(0)


def test_downsample_leaves_a_short_line_alone():
    x, y = downsample([1, 2, 3], [4.0, NAN, 6.0], 6)

    assert x.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(y, [4.0, NAN, 6.0])


@given(
    st.lists(st.one_of(st.floats(-1e9, 1e9), st.just(NAN)), min_size=1, max_size=400),
    st.integers(6, 60),
)
def test_downsample_keeps_ends_extremes_gaps_and_order(values, limit):
    x = np.arange(1, len(values) + 1)
    given_values = np.array(values)

    kept_x, kept_y = downsample(x, given_values, limit)

    assert kept_x.size <= max(limit, 1)
    assert kept_x[0] == 1
    assert kept_x[-1] == len(values)
    assert np.all(np.diff(kept_x) > 0)
    np.testing.assert_array_equal(kept_y, given_values[kept_x.astype(int) - 1])
    finite = given_values[np.isfinite(given_values)]
    if finite.size:
        assert np.nanmax(kept_y) == finite.max()
        assert np.nanmin(kept_y) == finite.min()
    assert np.isnan(kept_y).any() == np.isnan(given_values).any()


def test_downsample_keeps_a_single_spike():
    y = np.zeros(10_000)
    y[6_789] = 1.0

    kept_x, kept_y = downsample(np.arange(10_000), y, 300)

    assert kept_x.size <= 300
    assert kept_x[kept_y == 1.0].tolist() == [6_789]


@pytest.mark.parametrize(
    ("x", "y", "limit", "text"),
    [
        ([1, 2], [1.0], 10, "x has 2 points and y has 1"),
        ([1], [1.0], 5, "limit is 5; a cut line needs room for at least 6 points"),
    ],
)
def test_downsample_refuses_what_it_cannot_cut(x, y, limit, text):
    with pytest.raises(ValueError, match=text):
        downsample(x, y, limit)


@given(st.lists(VALUES, min_size=1, max_size=5), GOALS)
def test_leaders_are_the_best_of_all_runs_at_each_interval(runs, goal):
    found = CurveSet(goal)
    better = max if goal == "maximize" else min
    for number, values in enumerate(runs):
        found.append(number, values)

        expected = []
        for interval in range(1, found.longest() + 1):
            best = found.best_at(interval).values
            known = best[np.isfinite(best)]
            expected.append(better(known) if known.size else NAN)
        np.testing.assert_array_equal(found.leaders(), expected)
    known = KnownCurves(goal, dict(enumerate(runs)))
    for row, values in enumerate(runs):
        known.show(np.full(len(values), row))
    np.testing.assert_array_equal(known.leaders(), found.leaders())
