"""Truncation selection: sentences, ranking, ties and settings."""

from __future__ import annotations

import math

import pytest

from experiments.curves import CurveSet
from experiments.policies.base import RunCurve, Snapshot
from experiments.policies.truncation_selection import TruncationSelection


def decide(percentage, goal, runs, *, run, interval=1):
    curves = [RunCurve(number, values) for number, values in runs.items()]
    policy = TruncationSelection(truncation_percentage=percentage)
    return policy.decide(Snapshot.of(goal, curves, run=run, interval=interval))


def test_truncation_reason_says_rank_and_cut():
    runs = {n: [value] for n, value in enumerate([0.9, 0.8, 0.7, 0.6, 0.5])}

    assert decide(40, "maximize", runs, run=4).reason == (
        "truncation selection policy at interval 1: "
        "best 0.5 ranks 5 of 5, and the worst 40 % are the last 2"
    )
    assert decide(10, "maximize", runs, run=4).reason.endswith(
        "best 0.5 ranks 5 of 5, and the worst 10 % are no run"
    )


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_truncation_spares_the_earlier_of_equal_runs(goal):
    runs = {5: [0.5], 2: [0.5], 9: [0.5], -1: [0.5]}

    stopped = [run for run in runs if decide(50, goal, runs, run=run).stop]

    assert stopped == [5, 9]


def test_truncation_ranks_only_runs_that_reached_the_interval_with_a_value():
    runs = {0: [0.9, 0.9], 1: [0.8, 0.8], 2: [0.1], 3: [math.nan, math.nan]}

    assert decide(50, "maximize", runs, run=1, interval=2).stop
    assert not decide(49, "maximize", runs, run=1, interval=2).stop


def test_truncation_never_stops_the_best_run():
    runs = {n: [float(n)] for n in range(100)}

    stopped = [run for run in runs if decide(99, "maximize", runs, run=run).stop]

    assert stopped == list(range(99))


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        ({"truncation_percentage": 1}, []),
        ({"truncation_percentage": 99, "exclude_finished_jobs": False}, []),
        ({}, ["truncation_percentage"]),
        ({"truncation_percentage": 0}, ["truncation_percentage"]),
        ({"truncation_percentage": 100}, ["truncation_percentage"]),
        ({"truncation_percentage": 20.0}, ["truncation_percentage"]),
        ({"truncation_percentage": True}, ["truncation_percentage"]),
        ({"truncation_percentage": 20, "exclude_finished_jobs": 1}, ["exclude_finished_jobs"]),
    ],
)
def test_truncation_check_wants_a_whole_percentage(config, paths):
    found = [problem.path for problem in TruncationSelection.check(config, "p")]

    assert found == [f"p.{name}" for name in paths]


def test_truncation_check_says_what_is_allowed():
    [missing] = TruncationSelection.check({}, "p")
    [flag] = TruncationSelection.check(
        {"truncation_percentage": 5, "exclude_finished_jobs": "yes"}, "p"
    )

    assert missing.message == "truncation_percentage is missing; use a whole number from 1 to 99."
    assert flag.message == "exclude_finished_jobs is 'yes'; use true or false."


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_truncation_limit_is_the_value_of_the_last_run_that_stays(goal):
    curves = CurveSet(goal)
    for number in range(10):
        curves.append(number, [number / 10, math.nan])
    policy = TruncationSelection(truncation_percentage=30, evaluation_interval=2)

    assert policy.limit_at(goal, 1, curves) is None
    assert policy.limit_at(goal, 2, curves) == (0.3 if goal == "maximize" else 0.6)
    assert policy.limit_at(goal, 2, CurveSet(goal)) is None
