"""What every policy must hold; a new policy adds one line to SETTINGS."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.curves import CurveSet
from experiments.policies import POLICIES, load_policy, make_policy
from experiments.policies.base import RunCurve, Snapshot
from experiments.policies.replay import replay

SETTINGS = {
    "none": [{}],
    "bandit": [{"slack_factor": 0.1}, {"slack_amount": 0.05}],
    "median_stopping": [{}],
    "truncation_selection": [
        {"truncation_percentage": 40},
        {"truncation_percentage": 40, "exclude_finished_jobs": True},
    ],
}
TIMING = {"evaluation_interval": 2, "delay_evaluation": 3}
CONFIGS = [{"type": name, **extra} for name, extras in SETTINGS.items() for extra in extras]
GOALS = ["maximize", "minimize"]

every_policy = pytest.mark.parametrize("config", CONFIGS, ids=str)
every_goal = pytest.mark.parametrize("goal", GOALS)
curve_sets = st.lists(
    st.lists(
        st.one_of(st.floats(0, 1), st.sampled_from([math.nan, math.inf, -math.inf])),
        min_size=1,
        max_size=8,
    ),
    min_size=2,
    max_size=8,
)


def with_timing(config):
    return config if config["type"] == "none" else {**config, **TIMING}


def snapshot(goal, curves, run, interval):
    runs = [RunCurve(number, values) for number, values in enumerate(curves)]
    return Snapshot.of(goal, runs, run=run, interval=interval)


def test_contract_covers_every_policy():
    assert set(SETTINGS) == set(POLICIES)


@pytest.mark.parametrize("name", POLICIES)
def test_policy_describes_itself(name):
    policy = load_policy(name)

    assert policy.name == name
    assert policy.label
    assert policy.help.endswith(".")
    assert len({field.name for field in policy.fields}) == len(policy.fields)
    for field in policy.fields:
        assert field.label
        assert field.help.endswith(".")


@every_policy
def test_policy_accepts_its_own_settings_and_names_unknown_ones(config):
    policy = load_policy(config["type"])
    given_settings = {key: value for key, value in config.items() if key != "type"}

    assert policy.check(given_settings, "p") == []
    assert [p.path for p in policy.check({**given_settings, "zzz": 1}, "p")] == ["p.zzz"]
    assert make_policy(config).summary()


@every_policy
@every_goal
def test_policy_stops_only_at_due_intervals(config, goal):
    policy = make_policy(with_timing(config))
    good, bad = (0.9, 0.1) if goal == "maximize" else (0.1, 0.9)
    curves = [[good] * 12, [good] * 12, [bad] * 12]

    stops = [n for n in range(1, 13) if policy.decide(snapshot(goal, curves, 2, n)).stop]

    due = [n for n in range(1, 13) if policy.is_due(n)]
    assert stops == due
    assert due == ([] if config["type"] == "none" else [4, 6, 8, 10, 12])


@every_policy
@settings(max_examples=30, deadline=None)
@given(curves=curve_sets, interval=st.integers(1, 8), shift=st.sampled_from([0.0, -0.5, -2.0]))
def test_policy_decisions_have_a_reason_and_finite_numbers(config, curves, interval, shift):
    curves = [[v + shift for v in values] for values in curves]
    policy = make_policy(config)

    for goal in GOALS:
        for run in range(len(curves)):
            decision = policy.decide(snapshot(goal, curves, run, interval))

            title = policy.name.replace("none", "no").replace("_", " ")
            assert decision.reason.startswith(f"{title} policy at interval {interval}: ")
            assert len(decision.reason.splitlines()) == 1
            assert decision.interval == interval
            assert decision.policy == config["type"]
            numbers = (decision.own, decision.limit, decision.leader_value)
            assert all(n is None or math.isfinite(n) for n in numbers)
            if decision.stop:
                assert None not in (decision.own, decision.limit, decision.leader)


@every_policy
@settings(max_examples=30, deadline=None)
@given(curves=curve_sets, interval=st.integers(1, 8), shift=st.sampled_from([0.0, -0.5, -2.0]))
def test_policy_never_stops_the_leader_or_a_run_without_a_value(config, curves, interval, shift):
    curves = [[v + shift for v in values] for values in curves]
    policy = make_policy(config)

    for goal in GOALS:
        for run, values in enumerate(curves):
            decision = policy.decide(snapshot(goal, curves, run, interval))

            seen = values[:interval]
            if decision.leader == run or not any(math.isfinite(v) for v in seen):
                assert not decision.stop
            if len(values) < interval:
                assert not decision.stop


@every_policy
@settings(max_examples=30, deadline=None)
@given(curves=curve_sets, interval=st.integers(1, 8))
def test_policy_mirrors_the_goal(config, curves, interval):
    # A ratio has no mirror image; its minimize form is pinned by the golden table instead.
    if "slack_factor" in config:
        config = {"type": "bandit", "slack_factor": 0}
    policy = make_policy(config)
    mirrored = [[-v for v in values] for values in curves]

    for run in range(len(curves)):
        plain = policy.decide(snapshot("maximize", curves, run, interval))
        mirror = policy.decide(snapshot("minimize", mirrored, run, interval))

        assert mirror.stop == plain.stop


@every_policy
@every_goal
@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.floats(-10, 10), min_size=1, max_size=8))
def test_policy_never_stops_a_lone_run(config, goal, values):
    policy = make_policy(config)

    for n in range(1, len(values) + 1):
        assert not policy.decide(snapshot(goal, [values], 0, n)).stop


@every_policy
@settings(max_examples=30, deadline=None)
@given(curves=curve_sets, interval=st.integers(1, 8))
def test_policy_looks_only_at_the_reports_up_to_the_interval(config, curves, interval):
    # Without finished runs, because a cut run would count as one that has not ended.
    policy = make_policy(config)
    cut = [values[:interval] for values in curves]

    for goal in GOALS:
        for run in range(len(curves)):
            assert policy.decide(snapshot(goal, curves, run, interval)) == policy.decide(
                snapshot(goal, cut, run, interval)
            )


@every_policy
@every_goal
def test_policy_decide_changes_nothing(config, goal):
    policy = make_policy(config)
    shot = snapshot(goal, [[0.2, 0.4], [0.5, 0.3]], 0, 2)

    first = policy.decide(shot)

    assert policy.decide(shot) == first
    assert shot.curves.best_at(2).values.tolist() == (
        [0.4, 0.5] if goal == "maximize" else [0.2, 0.3]
    )


@every_policy
@every_goal
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_policy_replay_equals_the_live_decisions(config, goal, seed):
    policy = make_policy(config)
    histories = simulated_histories(seed)

    live = decide_live(policy, goal, histories)

    assert replay(policy, goal, histories).stops == live


@every_policy
def test_policy_limit_is_what_its_decisions_say(config):
    policy = make_policy(config)
    shot = snapshot("maximize", [[0.2, 0.4], [0.5, 0.3], [0.1, 0.1]], 2, 2)

    limit = policy.limit_at("maximize", 2, shot.curves)

    assert limit in (None, policy.decide(shot).limit)


def simulated_histories(seed):
    rng = np.random.default_rng(seed)
    histories = []
    for number in range(6):
        count = int(rng.integers(1, 9))
        values = np.round(rng.random(count), 2)
        values[rng.random(count) < 0.1] = np.nan
        times = np.cumsum(rng.random(count)) + number
        histories.append((number, values.tolist(), times.tolist()))
    return histories


def decide_live(policy, goal, histories):
    """Serve the reports one by one as runs make them, the way an executor does."""
    curves, stops = CurveSet(goal), {}
    clock = sorted((t, number, i) for number, _, times in histories for i, t in enumerate(times))
    lengths = {number: len(values) for number, values, _ in histories}
    values_of = {number: values for number, values, _ in histories}
    for _, number, index in clock:
        if number in stops:
            continue
        curves.append(number, [values_of[number][index]])
        decision = policy.decide(Snapshot(curves, number, index + 1))
        if decision.stop:
            stops[number] = decision
        if decision.stop or index + 1 == lengths[number]:
            curves.set_finished(number)
    return stops
