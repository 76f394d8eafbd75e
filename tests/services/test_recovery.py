"""Runs that were lost to a fault that is not their own: given up, and repeated up to twice."""

from __future__ import annotations

import pytest
from django.utils import timezone

from experiments.models import Event
from experiments.services.runs import cancel_run, lose_run, start_run
from experiments.states import RunState
from tests.factories import claim, make_running_run, make_sweep, make_user, report

pytestmark = pytest.mark.django_db


def test_a_lost_run_is_repeated_as_a_new_one_that_does_not_count():
    sweep = make_sweep(max_total_runs=2)
    run = make_running_run(sweep, lr=0.125)
    report(run, [0.5])

    retry = lose_run(run.pk, reason="Its worker died.")

    run.refresh_from_db()
    assert (run.state, run.end_reason, run.reason) == ("Failed", "worker_lost", "Its worker died.")
    assert run.reports == 1
    assert (retry.retry_of, retry.params, retry.arguments) == (run, {"lr": 0.125}, run.arguments)
    sweep.refresh_from_db()
    assert sweep.runs.exclude(retry_of=None).count() == 1
    assert sweep.sampled == 2
    assert sorted(sweep.runs.values_list("number", flat=True)) == [0, 1, 2]
    event = Event.objects.get(run=retry)
    assert event.message == "Run 1: Queued. It repeats run 0."
    assert retry.public_id == f"{sweep.public_id}_1"


def test_a_run_is_repeated_twice_and_no_more():
    sweep = make_sweep(max_total_runs=1)
    run = make_running_run(sweep)

    for _ in range(2):
        retry = lose_run(run.pk, reason="Its worker died.")
        assert retry is not None
        claimed = claim(retry)
        run = start_run(claimed.run_id, claimed.fence, arguments=[], directory="")
    assert lose_run(run.pk, reason="Its worker died.") is None

    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason) == ("Failed", "all_runs_failed")
    assert sweep.reason == (
        "All 3 runs failed, each with: Its worker died. "
        'No run logged "accuracy", nor any other metric.'
    )


def test_a_lost_run_that_was_asked_to_stop_is_canceled_and_not_repeated():
    run = make_running_run(make_sweep())
    cancel_run(run, user=make_user())

    assert lose_run(run.pk, reason="Its worker died.") is None

    run.refresh_from_db()
    assert (run.state, run.end_reason, run.reason) == ("Canceled", "user", "Canceled by alice.")


def test_losing_a_run_does_nothing_when_the_belief_is_out_of_date():
    run = make_running_run(make_sweep())
    now = timezone.now()

    assert lose_run(run.pk, reason="Gone.", fence=run.fence + 1) is None
    assert lose_run(run.pk, reason="Gone.", expired_before=now) is None

    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_late_reports_of_a_lost_run_are_kept():
    run = make_running_run(make_sweep())
    lose_run(run.pk, reason="Its worker died.")

    report(run, [0.75])

    run.refresh_from_db()
    assert (run.state, run.reports, run.best_value) == ("Failed", 1, 0.75)
