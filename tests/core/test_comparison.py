"""The winner beside the other runs of its sweep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.comparison import (
    Compared,
    Result,
    compare,
    judge_optimum,
    median_of,
    nearest_results,
    rank_results,
)
from experiments.space.space import SearchSpace

SPACE = SearchSpace.parse({"lr": "uniform(0, 1)", "act": "choice('relu', 'tanh')"})
values = st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30)
goals = st.sampled_from(["maximize", "minimize"])


def result(number, value, lr=0.5, act="relu"):
    return Result(number, f"HD_x_{number}", value, {"lr": lr, "act": act})


def test_results_are_ranked_by_the_goal_and_of_equals_the_first_leads():
    results = [result(2, 0.5), result(0, 0.1), result(1, 0.5)]

    assert [r.number for r in rank_results(results, "maximize")] == [1, 2, 0]
    assert [r.number for r in rank_results(results, "minimize")] == [0, 1, 2]


@given(values=values, goal=goals)
def test_median_parts_the_results_and_the_winner_never_loses(values, goal):
    ranked = rank_results((result(n, v) for n, v in enumerate(values)), goal)
    middle = median_of(ranked)

    assert middle is not None
    assert all(compare(ranked[0], other, goal).gain >= 0 for other in ranked)
    at_least_as_good = sum(compare(middle, other, goal).gain <= 0 for other in ranked)
    assert at_least_as_good >= len(ranked) / 2


def test_gain_follows_the_goal():
    assert compare(result(0, 0.9), result(1, 0.7), "maximize").gain == pytest.approx(0.2)
    assert compare(result(0, 0.1), result(1, 0.7), "minimize").gain == pytest.approx(0.6)


def test_nearest_results_come_with_their_distance():
    results = [result(0, 1, 0.9), result(1, 1, 0.5, "tanh"), result(2, 1, 0.6), result(3, 1, 0.4)]

    found = nearest_results(SPACE, {"lr": 0.5, "act": "relu"}, results, limit=3)

    assert [r.number for r, _ in found] == [2, 3, 0]
    assert [d for _, d in found] == pytest.approx([0.1 / 2**0.5, 0.1 / 2**0.5, 0.4 / 2**0.5])


def test_only_known_parameters_count():
    results = [result(0, 1, 0.9, "tanh"), result(1, 1, 0.1)]

    assert nearest_results(SPACE, {"lr": 0.9}, results, limit=1)[0][1] == 0
    assert nearest_results(SPACE, {"other": 1}, results, limit=1) == []


def judged(near_values):
    ranked = [result(n, v) for n, v in enumerate([1.0, 0.9, 0.8, 0.5, 0.2, 0.1])]
    near = [Compared(result(9, v), 1.0 - v) for v in near_values]
    return judge_optimum(ranked[0], ranked, near)


def test_neighbours_tell_a_broad_optimum_from_a_lone_peak():
    assert judged([0.95, 0.9, 0.9]) == "a broad optimum"
    assert judged([0.5, 0.4, 0.5]).startswith("a narrow optimum: repeat the best run")


def test_too_few_runs_say_nothing():
    assert judged([0.9, 0.9]) == ""
    same = [result(n, 0.5) for n in range(4)]
    assert judge_optimum(same[0], same, [Compared(r, 0.0) for r in same[1:]]) == ""
