"""A run that is asked to end from outside is no failure: it says so and is repeated."""

from __future__ import annotations

import pytest

from experiments.models import Run, Sweep
from experiments.services.outcome import RunOutcome
from experiments.services.runs import begin_finalizing, claim_run, finish_run, start_run
from experiments.states import badge
from tests.factories import make_running_run, make_sweep

pytestmark = pytest.mark.django_db
SENTENCE = "Preempted: it was asked to end (SIGTERM), and not by the studio."


def finish(run: Run, **outcome) -> Run:
    """End a run as its executor does."""
    begin_finalizing(run.pk, run.fence)
    return finish_run(run.pk, run.fence, RunOutcome(**outcome))


def begin(run: Run) -> Run:
    """Let a worker take a queued run and start its process."""
    claimed = claim_run(run.pk, worker_name="w", host="here", pid=1, process_started=1.0)
    return start_run(claimed.run_id, claimed.fence, arguments=["x"], directory="/nowhere")


@pytest.mark.parametrize("outcome", [{"signal": 15}, {"exit_code": 143}], ids=["signal", "code"])
def test_a_preempted_run_says_so_and_is_repeated_at_once(outcome):
    sweep = make_sweep(max_total_runs=1)
    run = make_running_run(sweep, lr=0.25, layers=3)

    ended = finish(run, **outcome)

    assert (ended.state, ended.end_reason, ended.reason) == ("Failed", "preempted", SENTENCE)
    assert badge(ended.state, ended.end_reason).label == "Preempted"
    retry = Run.objects.get(retry_of=run)
    assert (retry.state, retry.params) == ("Queued", {"lr": 0.25, "layers": 3})
    assert Sweep.objects.get(pk=sweep.pk).sampled == 1


@pytest.mark.parametrize(
    "outcome",
    [
        {"signal": 9},
        {"exit_code": 1},
        {"signal": 15, "killed_for": "its outputs are too large", "stopped_by_us": True},
    ],
    ids=["killed", "failed", "too large"],
)
def test_other_ends_are_failures_of_the_run(outcome):
    run = make_running_run(make_sweep(max_total_runs=1))

    ended = finish(run, **outcome)

    assert (ended.state, ended.end_reason) == ("Failed", "nonzero_exit")
    assert not Run.objects.filter(retry_of=run).exists()


def test_a_run_is_repeated_twice_and_the_sweep_counts_it_apart():
    sweep = make_sweep(max_total_runs=2, max_concurrent_runs=1)
    run = make_running_run(sweep)
    for _ in range(2):
        finish(run, signal=15)
        run = begin(Run.objects.get(retry_of=run))
    finish(run, signal=15)
    last = begin(Run.objects.get(sweep=sweep, state="Queued"))
    assert last.retry_of is None

    finish(last, exit_code=0)

    ended = Sweep.objects.get(pk=sweep.pk)
    assert ended.state == "Completed"
    assert ended.reason.startswith("All 2 runs ended: 1 completed, 1 preempted.")


def test_preemptions_are_no_failures_in_a_row():
    sweep = make_sweep(max_total_runs=5, max_concurrent_runs=1, max_failed_runs=2)
    run = make_running_run(sweep)
    for _ in range(3):
        finish(run, signal=15)
        run = begin(Run.objects.get(sweep=sweep, state="Queued"))

    assert Sweep.objects.get(pk=sweep.pk).state == "Running"


def test_a_preempted_run_of_a_paused_sweep_waits_for_the_resume():
    sweep = make_sweep(max_total_runs=2, max_concurrent_runs=1)
    run = make_running_run(sweep)
    Sweep.objects.filter(pk=sweep.pk).update(state="Paused")

    finish(run, signal=15)

    assert Run.objects.get(retry_of=run).state == "NotStarted"
