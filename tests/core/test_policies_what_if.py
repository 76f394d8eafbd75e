"""One run judged by other policies, among the others as they went."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.policies import make_policy
from experiments.policies.replay import replay
from experiments.policies.what_if import CurvesThen, PastRun, judged_alone

POLICIES = [
    {"type": "bandit", "slack_factor": 0.05},
    {"type": "median_stopping", "delay_evaluation": 2},
    {"type": "truncation_selection", "truncation_percentage": 40, "evaluation_interval": 2},
    {
        "type": "truncation_selection",
        "truncation_percentage": 50,
        "exclude_finished_jobs": True,
    },
]


def world(runs=12, reports=8):
    rng = np.random.default_rng(5)
    values = np.cumsum(rng.random((runs, reports)), axis=1)
    times = np.sort(rng.random((runs, reports)) * 100, axis=1)
    return values, times


def test_first_stop_is_the_one_of_a_replay():
    # Until the first run is stopped, a replay of all runs and one run alone are the same.
    values, times = world()
    past = [PastRun(n, values[n], times[n], float(times[n][-1])) for n in range(12)]
    for config in POLICIES:
        policy = make_policy(config)
        stops = replay(policy, "maximize", [(n, values[n], times[n]) for n in range(12)]).stops
        assert stops, config
        first = min(stops, key=lambda n: times[n][stops[n].interval - 1])
        alone = judged_alone(policy, CurvesThen("maximize", first, past), first, 8, {})
        assert alone == stops[first]


def test_runs_that_came_later_do_not_count():
    past = [
        PastRun(0, np.array([0.1, 0.2]), np.array([1.0, 2.0]), 3.0),
        PastRun(1, np.array([0.9, 0.9]), np.array([5.0, 6.0]), 7.0),
    ]
    policy = make_policy({"type": "bandit", "slack_factor": 0.1})

    assert judged_alone(policy, CurvesThen("maximize", 0, past), 0, 2, {}) is None
    earlier = [*past, PastRun(-1, np.array([0.5]), None, -np.inf)]
    found = judged_alone(
        policy, CurvesThen("maximize", 0, earlier), 0, 2, {-1: 'run 3 of the earlier sweep "x"'}
    )
    assert found is not None
    assert found.interval == 1
    assert found.reason.endswith('run 3 of the earlier sweep "x"')


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_run_without_a_number_is_not_stopped(goal):
    past = [
        PastRun(0, np.array([np.nan, np.inf]), np.array([3.0, 4.0])),
        PastRun(1, np.array([0.9]), np.array([1.0])),
    ]
    policy = make_policy({"type": "bandit", "slack_amount": 0})

    assert judged_alone(policy, CurvesThen(goal, 0, past), 0, 2, {}) is None
