"""Whole sweeps through the real controller on simulated compute: rules that hold at any size."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from experiments.models import Event, Run
from experiments.services.limits import change_limits
from experiments.services.retries import retry_failed
from experiments.services.runs import cancel_run
from experiments.services.sweeps import cancel_sweep, pause_sweep, resume_sweep
from experiments.states import NOT_ITS_FAULT
from runner import watchdog
from runner.compute.simulated import Faults, Trace, with_faults
from tests.factories import make_user
from tests.runner.simulated import (
    BANDIT,
    BEGIN,
    check_rules,
    decided,
    most_active,
    replayed,
    script_of,
    simulate,
)

pytestmark = pytest.mark.django_db


# Transactions as they are at work: within one, PostgreSQL keeps all versions of a sweep's row.
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_thousand_runs_at_concurrency_100_keep_every_rule():
    world = simulate(
        script_of(20),
        flush=5,
        max_total_runs=1000,
        max_concurrent_runs=100,
        early_termination=BANDIT,
    )

    sweep = world.run()

    assert (sweep.state, sweep.end_reason) == ("Completed", "max_runs")
    assert len(world.runs()) == sweep.sampled == 1000
    assert len({(run.params["width"], run.params["depth"]) for run in world.runs()}) == 1000
    assert most_active(sweep) == 100
    assert decided(world) == replayed(world, 20, flush=5)
    assert {state for state, _ in world.counts()} == {"Completed", "Canceled"}
    check_rules(world)


@pytest.mark.parametrize(
    "policy",
    [
        {"type": "bandit", "slack_factor": 0.05},
        {"type": "median_stopping", "delay_evaluation": 3},
        {"type": "truncation_selection", "truncation_percentage": 30, "evaluation_interval": 4},
    ],
    ids=lambda policy: policy["type"],
)
def test_a_policy_decides_live_what_it_decides_on_the_stored_curves(policy):
    world = simulate(
        script_of(12), max_total_runs=60, max_concurrent_runs=10, early_termination=policy
    )

    world.run()

    assert len(decided(world)) > 5
    assert decided(world) == replayed(world, 12)
    check_rules(world)


def test_a_finite_space_is_run_once_and_ends_the_sweep():
    space = {"width": "choice(1, 2, 3, 4, 5, 6)", "depth": "choice(1, 2, 3, 4)"}
    world = simulate(script_of(2), search_space=space, max_total_runs=100, max_concurrent_runs=7)

    sweep = world.run()

    assert (sweep.state, sweep.end_reason) == ("Completed", "space_exhausted")
    tried = [(run.params["width"], run.params["depth"]) for run in world.runs()]
    assert sorted(tried) == [(w, d) for w in range(1, 7) for d in range(1, 5)]
    check_rules(world)


def test_faults_end_runs_as_they_should_and_the_sweep_goes_on():
    faults = Faults(seed=1, crash=0.1, nan=0.1, never_logs=0.1, preempted=0.1, lost=0.1)
    world = simulate(
        with_faults(script_of(6), faults),
        max_total_runs=80,
        max_concurrent_runs=20,
        early_termination=BANDIT,
    )

    sweep = world.run()

    assert (sweep.state, sweep.end_reason) == ("Completed", "max_runs")
    assert sweep.sampled == 80
    counts = world.counts()
    assert counts["Failed", "nonzero_exit"] >= 3
    assert counts["Failed", "worker_lost"] >= 3
    assert counts["Failed", "preempted"] >= 3
    lost = [run for run in world.runs() if run.end_reason in NOT_ITS_FAULT]
    repeated = {run.retry_of.number: run for run in world.runs() if run.retry_of}
    assert all(repeated[run.number].params == run.params for run in lost if attempt_of(run) < 3)
    silent = [run for run in world.runs() if run.state == "Completed" and not run.reports]
    assert len(silent) >= 3
    assert all("without logging" in run.reason for run in silent)
    check_rules(world)


def attempt_of(run: Run) -> int:
    """Return which attempt at its configuration a run is, from 1."""
    return 1 if run.retry_of is None else 1 + attempt_of(run.retry_of)


def test_a_run_that_is_lost_every_time_is_given_up_after_three_attempts():
    world = simulate(
        lambda params, number, attempt: Trace([0.5], is_lost=params["width"] == 2),
        search_space={"width": "choice(1, 2)"},
        sampling="grid",
        max_total_runs=2,
        max_concurrent_runs=2,
    )

    sweep = world.run()

    lost = world.runs(end_reason="worker_lost")
    assert [attempt_of(run) for run in lost] == [1, 2, 3]
    assert sweep.state == "Completed"
    check_rules(world)


def test_failures_in_a_row_pause_the_sweep_until_somebody_resumes_it():
    def script(params, number, attempt):
        trace = Trace([0.1, 0.2])
        return replace(trace, exit_code=1, values=[0.1]) if 10 <= number < 15 else trace

    world = simulate(script, max_total_runs=30, max_concurrent_runs=1, max_failed_runs=5)
    alice = make_user()
    seen = []

    def resume() -> None:
        world.sweep.refresh_from_db()
        seen.append((world.sweep.state, len(world.runs())))
        resume_sweep(world.sweep, user=alice)

    world.simulation.at(1800, resume)
    sweep = world.run()

    assert seen == [("Paused", 15)]
    assert (sweep.state, sweep.sampled) == ("Completed", 30)
    assert world.counts()["Failed", "nonzero_exit"] == 5
    check_rules(world)


def test_the_deadline_of_the_sweep_comes_by_the_virtual_clock():
    world = simulate(
        script_of(20), max_total_runs=500, max_concurrent_runs=10, max_duration_minutes=20
    )

    sweep = world.run()

    assert (sweep.state, sweep.end_reason) == ("Canceled", "timeout")
    assert sweep.started_at == BEGIN
    assert sweep.ended_at == BEGIN + timedelta(minutes=20)
    counts = world.counts()
    assert counts["Canceled", "sweep_timeout"] == 10
    assert counts["Completed", "finished"] == len(world.runs()) - 10 > 10
    check_rules(world)


def test_the_time_limit_of_a_run_comes_by_the_virtual_clock():
    world = simulate(script_of(20), max_total_runs=4, max_concurrent_runs=2, run_timeout_minutes=3)

    sweep = world.run()

    assert sweep.state == "Completed"
    assert world.counts() == {("Canceled", "run_timeout"): 4}
    assert all(run.ended_at - run.started_at == timedelta(minutes=3) for run in world.runs())
    assert {run.reports for run in world.runs()} <= {8, 9}
    check_rules(world)


def test_pause_resume_and_new_limits_in_the_middle_change_only_what_they_should():
    world = simulate(script_of(10), max_total_runs=60, max_concurrent_runs=10)
    alice, live = make_user(), []

    def look() -> None:
        live.append(sum(not run.is_terminal for run in world.runs()))

    world.simulation.at(300, lambda: pause_sweep(world.sweep, user=alice))
    world.simulation.at(1000, look)
    world.simulation.at(1100, lambda: resume_sweep(world.sweep, user=alice))
    world.simulation.at(1150, look)
    world.simulation.at(1200, lambda: change(world, max_concurrent_runs=4))
    world.simulation.at(1800, look)

    sweep = world.run()

    assert live == [0, 10, 4]
    assert (sweep.state, sweep.sampled) == ("Completed", 60)
    resumed = Event.objects.get(sweep=sweep, message__startswith="Sweep: resumed")
    assert resumed.created_at == BEGIN + timedelta(seconds=1100)
    check_rules(world, concurrent=10)


def change(world, **limits):
    """Change limits of a sweep as its owner."""
    world.sweep.refresh_from_db()
    change_limits(world.sweep, limits, user=make_user())


def test_a_canceled_sweep_ends_at_once_and_can_repeat_its_failed_runs():
    faults = Faults(seed=2, crash=0.3)
    world = simulate(with_faults(script_of(8), faults), max_concurrent_runs=5)
    alice = make_user()
    world.simulation.at(500, lambda: cancel_run(world.runs(state="Running")[0], user=alice))
    world.simulation.at(600, lambda: cancel_sweep(world.sweep, user=alice))
    world.simulation.at(700, lambda: retry_failed(world.sweep, user=alice))

    sweep = world.run()

    assert (sweep.state, sweep.end_reason) == ("Canceled", "user")
    assert world.counts()["Canceled", "user"] == 1
    assert world.counts()["Canceled", "sweep_canceled"] == 5
    assert sweep.ended_at > BEGIN + timedelta(seconds=700)
    check_rules(world)


def test_a_run_whose_worker_is_silent_for_a_while_is_taken_back():
    world = simulate(
        lambda params, number, attempt: Trace(
            [0.1, 0.2, 0.3, 0.4, 0.5], silent_after=2, silent_seconds=50
        ),
        max_total_runs=1,
        max_concurrent_runs=1,
    )

    world.run()

    (run,) = world.runs()
    assert (run.state, run.reports) == ("Completed", 5)
    states = Event.objects.filter(run=run, kind="run").order_by("cursor")
    assert [payload["state"] for payload in states.values_list("payload", flat=True)] == [
        "Queued",
        "Starting",
        "Running",
        "NotResponding",
        "Running",
        "Finalizing",
        "Completed",
    ]


def test_reports_of_a_run_that_was_given_up_are_kept_when_they_come_late():
    world = simulate(
        lambda params, number, attempt: (
            Trace([0.1, 0.9, 0.3], seconds_per_report=20, silent_after=1, silent_seconds=600)
            if attempt == 1
            else Trace([0.2])
        ),
        max_total_runs=1,
        max_concurrent_runs=1,
    )

    sweep = world.run()

    lost, retry = world.runs()
    assert (lost.state, lost.end_reason, lost.reports) == ("Failed", "worker_lost", 3)
    assert (retry.state, retry.retry_of) == ("Completed", lost)
    assert sweep.best_run == lost


def test_the_watchdog_of_a_real_studio_leaves_simulated_sweeps_alone():
    world = simulate(script_of(5), max_total_runs=6, max_concurrent_runs=2)
    before = []

    def tick() -> None:
        before.append(world.counts())
        watchdog.tick(BEGIN + timedelta(days=365))
        assert world.counts() == before[0]

    world.simulation.at(60, tick)
    sweep = world.run()

    assert before[0]["Running", ""] == 2
    assert sweep.tags == {"simulated": "true"}
    assert world.counts() == {("Completed", "finished"): 6}
