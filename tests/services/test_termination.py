"""The policy judges where reports arrive: due intervals in order, receipts, curves kept up."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.models import Decision, Event, Run
from experiments.services.compaction import compact_series
from experiments.services.runs import RunOutcome, begin_finalizing, finish_run
from experiments.services.termination import SweepCurves, apply_policy
from experiments.spec import SweepSpec
from tests.factories import make_running_run, make_sweep, report

pytestmark = pytest.mark.django_db
BANDIT = {"type": "bandit", "slack_factor": 0.2, "evaluation_interval": 1, "delay_evaluation": 0}


def judge(run: Run, curves: SweepCurves):
    """Let the policy of a run's sweep judge it as its executor does."""
    run.refresh_from_db()
    spec = SweepSpec.from_stored(run.sweep.spec)
    return apply_policy(run.pk, run.fence, curves=curves, spec=spec)


def runs_of(count: int, **spec) -> list[Run]:
    """Return running runs of a new sweep."""
    sweep = make_sweep(**{"early_termination": BANDIT, "max_concurrent_runs": 4, **spec})
    return [make_running_run(sweep) for _ in range(count)]


def test_a_stopped_run_has_its_receipt_its_reason_and_its_line_in_the_log():
    leader, other, victim = runs_of(3)
    curves = SweepCurves(leader.sweep_id)
    report(leader, [0.70, 0.75, 0.80])
    report(other, [0.60, 0.66, 0.67])
    report(victim, [0.64, 0.66, 0.65])

    assert not judge(leader, curves).stop
    assert not judge(other, curves).stop
    decision = judge(victim, curves)

    assert decision.stop
    victim.refresh_from_db()
    assert (victim.state, victim.end_reason) == ("CancelRequested", "policy")
    assert victim.reason == decision.reason
    assert "at interval 3" in victim.reason
    row = Decision.objects.get(run=victim)
    assert (row.policy, row.interval, row.own, row.leader, row.leader_value) == (
        "bandit",
        3,
        0.66,
        0,
        0.80,
    )
    assert row.limit == pytest.approx(0.8 / 1.2)
    event = Event.objects.get(run=victim, kind="decision")
    assert event.message == f"Run 2: stopped by the {decision.reason}"
    assert event.payload["limit"] == row.limit
    assert victim.last_decision["stop"] is True
    finish_run(victim.pk, victim.fence, RunOutcome(signal=15, stopped_by_us=True))
    victim.refresh_from_db()
    assert (victim.state, victim.end_reason, victim.reason) == (
        "Canceled",
        "policy",
        decision.reason,
    )


def test_a_run_that_goes_on_keeps_its_last_decision():
    leader, other = runs_of(2)
    curves = SweepCurves(leader.sweep_id)
    report(leader, [0.8])
    report(other, [0.75])

    decision = judge(other, curves)

    other.refresh_from_db()
    assert other.last_decision == {
        "interval": 1,
        "stop": False,
        "own": 0.75,
        "limit": decision.limit,
        "leader": 0,
        "leader_value": 0.8,
        "reason": decision.reason,
    }
    assert not Decision.objects.exists()
    assert other.state == "Running"


def test_every_interval_of_a_big_flush_is_judged_in_order():
    leader, victim = runs_of(2)
    curves = SweepCurves(leader.sweep_id)
    report(leader, [0.5, 0.9, 0.9, 0.9])
    report(victim, [0.5, 0.6, 0.95, 0.99])

    decision = judge(victim, curves)

    assert (decision.stop, decision.interval) == (True, 2)


def test_intervals_are_judged_once_and_only_when_due():
    leader, other = runs_of(
        2, early_termination={**BANDIT, "evaluation_interval": 2, "delay_evaluation": 3}
    )
    curves = SweepCurves(leader.sweep_id)
    report(leader, [0.8] * 6)
    report(other, [0.7])
    assert judge(other, curves) is None
    report(other, [0.7, 0.7])
    assert judge(other, curves) is None
    report(other, [0.7])

    assert judge(other, curves).interval == 4
    assert judge(other, curves) is None
    report(other, [0.7, 0.7, 0.7])
    assert judge(other, curves).interval == 6


def test_another_process_goes_on_where_the_last_decision_stands():
    leader, other = runs_of(2)
    report(leader, [0.8, 0.8])
    report(other, [0.7, 0.7])
    judge(other, SweepCurves(leader.sweep_id))
    report(other, [0.7])

    decision = judge(other, SweepCurves(leader.sweep_id))

    assert decision.interval == 3


def test_no_policy_decides_nothing_and_reads_nothing(django_assert_num_queries):
    (run,) = runs_of(1, early_termination=None)
    curves = SweepCurves(run.sweep_id)
    report(run, [0.1])
    spec = SweepSpec.from_stored(run.sweep.spec)

    with django_assert_num_queries(0):
        assert apply_policy(run.pk, run.fence, curves=curves, spec=spec) is None


def test_a_run_that_has_ended_is_not_stopped_any_more():
    leader, victim = runs_of(2)
    curves = SweepCurves(leader.sweep_id)
    report(leader, [0.9])
    report(victim, [0.1])
    begin_finalizing(victim.pk, victim.fence)

    assert judge(victim, curves) is None

    victim.refresh_from_db()
    assert victim.state == "Finalizing"
    assert not Decision.objects.exists()
    assert not Event.objects.filter(kind="decision").exists()


def test_an_old_attempt_stops_nothing():
    leader, victim = runs_of(2)
    report(leader, [0.9])
    report(victim, [0.1])
    spec = SweepSpec.from_stored(victim.sweep.spec)
    curves = SweepCurves(leader.sweep_id)

    assert apply_policy(victim.pk, victim.fence - 1, curves=curves, spec=spec) is None

    assert not Decision.objects.exists()


def test_curves_that_are_kept_up_equal_curves_that_are_loaded():
    rng = np.random.default_rng(3)
    runs = runs_of(3, max_total_runs=10)
    kept = SweepCurves(runs[0].sweep_id)
    for turn in range(30):
        run = runs[int(rng.integers(3))]
        report(run, rng.random(int(rng.choice([1, 2, 400]))).tolist())
        if turn % 7 == 0:
            compact_series(run.pk)
        if turn % 2:
            kept.refresh()
    finish_run(runs[2].pk, runs[2].fence, RunOutcome(exit_code=0))

    kept.refresh()
    loaded = SweepCurves(runs[0].sweep_id).refresh()

    for run in runs:
        np.testing.assert_array_equal(
            kept.curves.best_curve(run.number), loaded.best_curve(run.number)
        )
        np.testing.assert_allclose(
            kept.curves.mean_curve(run.number), loaded.mean_curve(run.number)
        )
        assert kept.curves.is_finished(run.number) == loaded.is_finished(run.number)
    assert loaded.is_finished(2)
    assert not loaded.is_finished(0)


def test_a_refresh_without_news_costs_one_query(django_assert_num_queries):
    (run,) = runs_of(1)
    report(run, [0.5])
    curves = SweepCurves(run.sweep_id)
    curves.refresh()

    with django_assert_num_queries(1):
        curves.refresh()


@pytest.mark.parametrize(
    ("policy", "curves", "stops"),
    [
        (
            {"type": "median_stopping"},
            [[0.6, 0.7, 0.8], [0.5, 0.55, 0.6], [0.4, 0.42, 0.41]],
            [False, False, True],
        ),
        (
            {"type": "truncation_selection", "truncation_percentage": 34},
            [[0.9], [0.8], [0.7]],
            [False, False, True],
        ),
    ],
)
def test_the_other_policies_decide_on_the_same_curves(policy, curves, stops):
    runs = runs_of(3, early_termination=policy)
    view = SweepCurves(runs[0].sweep_id)
    for run, values in zip(runs, curves, strict=True):
        report(run, values)

    assert [judge(run, view).stop for run in runs] == stops
