"""The words of a receipt come from the stored sentence of the decision itself."""

from __future__ import annotations

import pytest

from experiments.policies import make_policy
from experiments.policies.base import RunCurve, Snapshot
from experiments.receipt import Judged, saving_of

RUNS = [
    RunCurve(0, [0.7, 0.75, 0.8]),
    RunCurve(1, [0.6, 0.66, 0.67], "finished"),
    RunCurve(2, [0.5, 0.5, 0.5]),
]


@pytest.mark.parametrize(
    ("config", "source", "formula"),
    [
        ({"type": "bandit", "slack_factor": 0.2}, "run 0", "0.8 / (1 + 0.2)"),
        ({"type": "bandit", "slack_amount": 0.2}, "run 0", "0.8 - 0.2"),
        ({"type": "median_stopping"}, "the median of the running averages of 3 runs", ""),
        (
            {"type": "truncation_selection", "truncation_percentage": 50},
            "3 of 3, and the worst 50 % are the last 1",
            "",
        ),
    ],
)
def test_limit_says_where_it_came_from(config, source, formula):
    policy = make_policy(config)
    made = policy.decide(Snapshot.of("maximize", RUNS, run=2, interval=3))
    assert made.stop

    judged = Judged(
        policy.name,
        made.interval,
        made.own,
        made.limit,
        made.leader,
        made.leader_value,
        made.reason,
    )

    assert (judged.source, judged.formula) == (source, formula)


def test_saving_is_estimated_from_the_median_of_completed_runs():
    saving = saving_of(40.0, 4, [(100.0, 10), (120.0, 10), (500.0, 30)])

    assert (saving.seconds, saving.reports) == (80.0, 6)
    assert saving.method == "An estimate: the median of 3 completed runs less what this run took."
    assert saving_of(40.0, 4, []).method == "Not known: no run of this sweep has completed."
    assert saving_of(900.0, 90, [(100.0, 10)]).seconds == 0
