"""Bandit: sentences, slack settings, leaders below zero and other edges."""

from __future__ import annotations

import math

import pytest

from experiments.curves import CurveSet
from experiments.policies.bandit import Bandit
from experiments.policies.base import RunCurve, Snapshot


def decide(policy, goal, runs, *, run, interval=1):
    curves = [RunCurve(number, values) for number, values in runs.items()]
    return policy.decide(Snapshot.of(goal, curves, run=run, interval=interval))


def test_bandit_reason_is_the_sentence_with_all_numbers():
    runs = {12: [0.8] * 6, 3: [0.61] * 6}

    decision = decide(Bandit(slack_factor=0.2), "maximize", runs, run=3, interval=6)

    assert decision.stop
    assert decision.reason == (
        "bandit policy at interval 6: best 0.61 < 0.8 / (1 + 0.2) = 0.667 of run 12"
    )
    assert (decision.own, decision.leader, decision.leader_value) == (0.61, 12, 0.8)
    assert decision.policy == "bandit"


@pytest.mark.parametrize(
    ("settings", "goal", "leader", "own", "text"),
    [
        ({"slack_factor": 0.2}, "maximize", 0.8, 0.7, "best 0.7 >= 0.8 / (1 + 0.2) = 0.667"),
        ({"slack_factor": 0.2}, "minimize", 0.5, 0.7, "best 0.7 > 0.5 * (1 + 0.2) = 0.6"),
        ({"slack_amount": 0.2}, "maximize", 0.8, 0.5, "best 0.5 < 0.8 - 0.2 = 0.6"),
        ({"slack_amount": 0.2}, "minimize", 0.5, 0.6, "best 0.6 <= 0.5 + 0.2 = 0.7"),
        (
            {"slack_factor": 0.2},
            "maximize",
            -0.4,
            -0.5,
            "best -0.5 < -0.4 - 0.4 * 0.2 / (1 + 0.2) = -0.467",
        ),
        ({"slack_factor": 0.2}, "minimize", -0.5, -0.1, "best -0.1 > -0.5 + 0.5 * 0.2 = -0.4"),
    ],
)
def test_bandit_reason_shows_the_formula_that_was_used(settings, goal, leader, own, text):
    decision = decide(Bandit(**settings), goal, {0: [leader], 1: [own]}, run=1)

    assert decision.reason == f"bandit policy at interval 1: {text} of run 0"


def test_bandit_reason_names_a_leader_of_an_earlier_sweep():
    decision = decide(Bandit(slack_factor=0), "maximize", {-4: [0.9], 0: [0.8]}, run=0)

    assert decision.stop
    assert decision.leader == -4
    assert decision.reason.endswith("= 0.9 of a run of an earlier sweep")


def test_bandit_never_stops_the_leader():
    decision = decide(Bandit(slack_factor=0), "minimize", {0: [0.2], 1: [0.1]}, run=1)

    assert not decision.stop
    assert decision.reason == "bandit policy at interval 1: best 0.1 is the best of 2 runs"


def test_bandit_spares_a_run_that_equals_the_limit_in_decimals():
    assert not decide(Bandit(slack_amount=0.2), "maximize", {0: [0.8], 1: [0.6]}, run=1).stop
    assert not decide(Bandit(slack_amount=0.1), "minimize", {0: [0.2], 1: [0.3]}, run=1).stop


def test_bandit_without_slack_stops_everything_behind_the_leader():
    runs = {0: [0.9], 1: [0.9], 2: [0.8999]}

    assert not decide(Bandit(slack_factor=0), "maximize", runs, run=1).stop
    assert decide(Bandit(slack_factor=0), "maximize", runs, run=2).stop


def test_bandit_counts_short_and_finished_runs_as_leaders():
    runs = [RunCurve(0, [0.9], "finished"), RunCurve(1, [0.1, 0.2])]

    decision = Bandit(slack_factor=0.1).decide(
        Snapshot.of("maximize", runs, run=1, interval=2),
    )

    assert decision.stop
    assert decision.leader == 0


def test_bandit_ignores_infinite_leaders():
    runs = {0: [math.inf], 1: [0.5], 2: [0.49]}

    decision = decide(Bandit(slack_factor=0.1), "maximize", runs, run=2)

    assert not decision.stop
    assert decision.leader == 1


def test_bandit_with_a_slack_beyond_every_number_stops_nothing():
    runs = {0: [-1e308], 1: [1e308]}

    decision = decide(Bandit(slack_amount=1e308), "maximize", {0: [-1e308], 1: [-1.1e308]}, run=1)
    assert (decision.stop, decision.limit) == (False, None)

    curves = CurveSet("minimize")
    curves.append(0, runs[1])
    assert Bandit(slack_factor=1).limit_at("minimize", 1, curves) is None


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        ({"slack_factor": 0.1}, []),
        ({"slack_factor": 0}, []),
        ({"slack_amount": 3}, []),
        ({"slack_factor": 0.1, "slack_amount": None}, []),
        ({}, ["slack_factor"]),
        ({"slack_factor": None, "slack_amount": None}, ["slack_factor"]),
        ({"slack_factor": 0.1, "slack_amount": 0.1}, ["slack_amount"]),
        ({"slack_factor": 0, "slack_amount": 0}, ["slack_amount"]),
        ({"slack_factor": -0.1}, ["slack_factor"]),
        ({"slack_factor": math.nan}, ["slack_factor"]),
        ({"slack_amount": math.inf}, ["slack_amount"]),
        ({"slack_amount": True}, ["slack_amount"]),
        ({"slack_factor": "0.1"}, ["slack_factor"]),
        ({"slack_factor": 10**400}, ["slack_factor"]),
        ({"slack_factor": 0.1, "slack_facto": 1, "evaluation_interval": 0}, None),
    ],
)
def test_bandit_check_wants_exactly_one_good_slack(config, paths):
    found = [problem.path for problem in Bandit.check(config, "p")]

    wanted = ["slack_facto", "evaluation_interval"] if paths is None else paths
    assert found == [f"p.{name}" for name in wanted]


def test_bandit_limit_at_is_none_where_nothing_is_judged_or_known():
    policy, curves = Bandit(slack_factor=0.1, delay_evaluation=2), CurveSet("maximize")
    curves.append(0, [math.nan, math.nan, 1.1])

    assert policy.limit_at("maximize", 1, curves) is None
    assert policy.limit_at("maximize", 2, curves) is None
    assert policy.limit_at("maximize", 3, curves) == pytest.approx(1.0)
