"""The worked examples of tests/golden/policies.json, one test each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.policies import make_policy
from experiments.policies.base import RunCurve, Snapshot

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "policies.json").read_text("utf-8"))


@pytest.mark.parametrize(
    "row", GOLDEN["due"], ids=lambda r: f"{r['evaluation_interval']}/{r['delay_evaluation']}"
)
@pytest.mark.parametrize(
    "settings",
    [
        {"type": "bandit", "slack_factor": 0.1},
        {"type": "median_stopping"},
        {"type": "truncation_selection", "truncation_percentage": 20},
    ],
    ids=lambda s: s["type"],
)
def test_policy_is_due_at_the_published_intervals(settings, row):
    timing = {key: row[key] for key in ("evaluation_interval", "delay_evaluation")}
    policy = make_policy({**settings, **timing})

    assert [n for n in range(1, 13) if policy.is_due(n)] == row["due"]
    assert policy.first_due() == row["due"][0]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda c: c["id"])
def test_policy_stops_the_runs_of_the_worked_example(case):
    decisions = decide_all(case)

    assert [name for name, d in decisions.items() if d.stop] == case["stopped"]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda c: c["id"])
def test_policy_states_the_numbers_of_the_worked_example(case):
    leader = list(case["runs"]).index(case["leader"])

    judged = [d for d in decide_all(case).values() if d.own is not None]

    assert judged
    for decision in judged:
        assert decision.limit == pytest.approx(case["limit"], abs=1e-9)
        assert decision.leader == leader
        assert decision.leader_value == case["leader_value"]


# A slack factor is a ratio, so it has no mirror image; amounts, averages and ranks do.
MIRRORED = [case for case in GOLDEN["cases"] if "slack_factor" not in case["policy"]]


@pytest.mark.parametrize("case", MIRRORED, ids=lambda c: c["id"])
def test_policy_mirrors_the_worked_example_for_the_other_goal(case):
    mirrored = {
        **case,
        "goal": "minimize" if case["goal"] == "maximize" else "maximize",
        "runs": {name: [-v for v in values] for name, values in case["runs"].items()},
    }

    decisions = decide_all(mirrored)

    assert [name for name, d in decisions.items() if d.stop] == case["stopped"]


def decide_all(case):
    """Judge every run of a golden case at its interval; runs are numbered in order."""
    names = list(case["runs"])
    finished = case.get("finished", [])
    runs = [
        RunCurve(i, case["runs"][name], "finished" if name in finished else "running")
        for i, name in enumerate(names)
    ]
    policy = make_policy(case["policy"])
    return {
        name: policy.decide(Snapshot.of(case["goal"], runs, run=i, interval=case["interval"]))
        for i, name in enumerate(names)
    }
