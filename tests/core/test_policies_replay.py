"""Replay: what a policy would have done to known curves."""

from __future__ import annotations

import math

import pytest

from experiments.policies import make_policy
from experiments.policies.replay import replay

BANDIT = {"type": "bandit", "slack_factor": 0.1}


def test_replay_tells_who_stops_when_and_what_is_saved():
    histories = [
        (0, [0.5, 0.6, 0.9, 0.9], [1, 2, 3, 4]),
        (1, [0.3, 0.4, 0.5, 0.6], [1.5, 2.5, 3.5, 4.5]),
    ]

    result = replay(make_policy(BANDIT), "maximize", histories)

    assert {n: d.interval for n, d in result.stops.items()} == {1: 1}
    assert result.stops[1].leader == 0
    assert (result.reports_total, result.reports_kept) == (8, 5)
    assert (result.best_number, result.best_value) == (0, 0.9)
    assert result.best_survives


def test_replay_takes_reports_in_order_of_time():
    slow_winner = (0, [0.2, 0.3, 0.99], [10, 20, 30])
    early_other = (1, [0.5, 0.5, 0.5], [1, 2, 3])

    result = replay(make_policy(BANDIT), "maximize", [slow_winner, early_other])

    assert list(result.stops) == [0]
    assert not result.best_survives
    assert (result.best_number, result.best_value) == (0, 0.99)
    assert (result.kept_number, result.kept_value) == (1, 0.5)


def test_replay_reproduces_that_a_later_leader_does_not_judge_an_earlier_interval():
    histories = [(0, [0.91, 0.99], [1, 2]), (1, [0.85], [9])]

    assert replay(make_policy(BANDIT), "maximize", histories).stops == {}


def test_replay_counts_a_run_as_finished_after_its_last_report():
    config = {
        "type": "truncation_selection",
        "truncation_percentage": 50,
        "exclude_finished_jobs": True,
    }
    histories = [(0, [0.1], [1]), (1, [0.5], [2]), (2, [0.4], [2])]

    result = replay(make_policy(config), "maximize", histories)

    assert result.stops == {}
    counted = replay(make_policy({**config, "exclude_finished_jobs": False}), "maximize", histories)
    assert list(counted.stops) == []


def test_replay_compares_with_earlier_sweeps_but_never_stops_them():
    histories = [(-1, [0.1, 0.9], [0, 1]), (0, [0.5, 0.5], [2, 3])]

    result = replay(make_policy(BANDIT), "maximize", histories)

    assert {n: d.interval for n, d in result.stops.items()} == {0: 2}
    assert (result.reports_total, result.reports_kept) == (2, 2)


def test_replay_keeps_the_order_of_a_run_whose_clock_went_back():
    histories = [(0, [0.1, 0.9], [5, 1]), (1, [0.5, 0.5], [6, 7])]

    result = replay(make_policy(BANDIT), "maximize", histories)

    assert {n: d.interval for n, d in result.stops.items()} == {1: 2}


def test_replay_of_nothing_saves_nothing():
    result = replay(make_policy(BANDIT), "minimize", [])

    assert (result.reports_total, result.reports_kept) == (0, 0)
    assert (result.best_number, result.best_survives) == (None, True)


def test_replay_of_runs_without_a_value_has_no_best():
    result = replay(make_policy(BANDIT), "minimize", [(0, [math.nan], [0]), (1, [], [])])

    assert (result.best_number, result.best_value, result.stops) == (None, None, {})


def test_replay_refuses_values_without_times():
    with pytest.raises(ValueError, match="run 3 has 2 values and 1 times"):
        replay(make_policy(BANDIT), "minimize", [(3, [1.0, 2.0], [0.0])])


def test_replay_of_long_curves_judges_early_reports_all_and_later_ones_rarely():
    policy = make_policy({"type": "bandit", "slack_amount": 0.3, "delay_evaluation": 2})
    # The second run falls behind for good at report 150.
    leader = (0, [0.5] * 200, range(200))
    late = (1, [0.1 if n < 150 else 0.9 for n in range(200)], [n + 0.5 for n in range(200)])

    whole = replay(policy, "minimize", [leader, late])
    thinned = replay(policy, "minimize", [leader, late], most_checks=20)

    assert (whole.checks, whole.checks_due) == (199, 199)
    assert thinned.checks_due == 199
    assert thinned.checks <= 20
    assert {number: stop.interval for number, stop in whole.stops.items()} == {0: 2}
    assert thinned.stops == whole.stops
    assert thinned.curves.count(0) == 2
