"""Median stopping: sentences, population and numeric edges."""

from __future__ import annotations

import math

import pytest

from experiments.curves import CurveSet
from experiments.policies.base import RunCurve, Snapshot
from experiments.policies.median_stopping import MedianStopping


def decide(goal, runs, *, run, interval):
    curves = [RunCurve(number, values) for number, values in runs.items()]
    return MedianStopping().decide(Snapshot.of(goal, curves, run=run, interval=interval))


def test_median_stopping_reason_is_the_sentence_with_all_numbers():
    runs = {0: [0.6, 0.7, 0.8], 1: [0.5, 0.55, 0.6], 2: [0.40, 0.42, 0.41]}

    decision = decide("maximize", runs, run=2, interval=3)

    assert decision.reason == (
        "median stopping policy at interval 3: best 0.42 < 0.55, "
        "the median of the running averages of 3 runs"
    )


def test_median_stopping_reason_of_a_lone_run():
    assert decide("minimize", {0: [3.0, 1.0]}, run=0, interval=2).reason == (
        "median stopping policy at interval 2: best 1 <= 2, "
        "the median of the running averages of 1 run"
    )


def test_median_stopping_spares_constant_curves_whose_mean_is_not_exact():
    # 0.1 + 0.1 + 0.1 is 0.30000000000000004, so the mean lies above every single value.
    runs = {number: [0.1] * 3 for number in range(3)}

    assert [decide("maximize", runs, run=n, interval=3).stop for n in runs] == [False] * 3
    assert [decide("minimize", runs, run=n, interval=3).stop for n in runs] == [False] * 3


def test_median_stopping_leaves_runs_without_a_finite_value_out_of_the_median():
    runs = {0: [0.9], 1: [math.nan], 2: [math.inf], 3: [0.5]}

    decision = decide("maximize", runs, run=3, interval=1)

    assert decision.limit == pytest.approx(0.7)
    assert decision.stop


def test_median_stopping_uses_the_first_reports_only():
    runs = {0: [0.5, 0.99, 0.99], 1: [0.55]}

    assert not decide("maximize", runs, run=1, interval=1).stop


def test_median_stopping_cannot_compare_averages_beyond_every_number():
    decision = decide("maximize", {0: [1e308, 1e308]}, run=0, interval=2)

    assert (decision.stop, decision.limit) == (False, None)
    assert "too large" in decision.reason


def test_median_stopping_limit_at_is_none_where_nothing_is_judged_or_known():
    policy, curves = MedianStopping(delay_evaluation=2), CurveSet("maximize")
    curves.append(0, [math.nan, math.nan, 4.0])

    assert policy.limit_at("maximize", 1, curves) is None
    assert policy.limit_at("maximize", 2, curves) is None
    assert policy.limit_at("maximize", 3, curves) == 4.0
