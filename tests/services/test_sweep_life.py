"""Pausing sweeps and repeating runs: what people do to live sweeps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from experiments.models import Event, Run, Sweep
from experiments.services.advance import advance_sweep
from experiments.services.refused import Refused
from experiments.services.retries import retry_failed, retry_run
from experiments.services.runs import RunOutcome, cancel_run, finish_run, lose_run
from experiments.services.sweeps import cancel_sweep, pause_sweep, resume_sweep
from experiments.states import RunState
from tests.executed import CHOICES, numbers, work, work_all
from tests.factories import claim, make_user
from tests.services.live_sweeps import started

pytestmark = pytest.mark.django_db


def test_a_pause_takes_waiting_runs_out_of_the_queue_until_the_resume():
    sweep = started(max_total_runs=4, max_concurrent_runs=3)
    live = claim(sweep.runs.get(number=0))

    pause_sweep(sweep, user=make_user())

    assert numbers(sweep, "NotStarted") == [1, 2]
    assert "It waits: the sweep is paused." in sweep.events.get(run__number=2, cursor__gt=6).message
    finish_run(live.run_id, live.fence, RunOutcome(exit_code=0))
    assert numbers(sweep, "NotStarted") == [1, 2]
    resume_sweep(sweep, user=make_user())
    assert numbers(sweep, "Queued") == [1, 2, 3]


def test_a_run_lost_during_a_pause_is_repeated_after_it():
    sweep = started(max_total_runs=2, max_concurrent_runs=1)
    claimed = claim(sweep.runs.get(number=0))
    pause_sweep(sweep, user=make_user())

    retry = lose_run(claimed.run_id, reason="Its worker died.")

    assert retry is not None
    assert numbers(sweep, "NotStarted") == [1]
    resume_sweep(sweep, user=make_user())
    assert numbers(sweep, "Queued") == [1]


def test_a_paused_sweep_can_be_canceled_with_its_waiting_runs():
    sweep = started()
    pause_sweep(sweep, user=make_user())

    cancel_sweep(sweep, user=make_user())

    sweep.refresh_from_db()
    assert (sweep.state, numbers(sweep, "Canceled")) == ("Canceled", [0, 1])


def test_a_failed_run_of_a_live_sweep_is_repeated_before_anything_new():
    sweep = started(max_total_runs=3, max_concurrent_runs=1)
    work(sweep.runs.get(number=0), exit_code=1)

    retry = retry_run(sweep.runs.get(number=0), user=make_user())

    assert (retry.number, retry.origin, retry.state) == (2, "retry", "NotStarted")
    assert retry.retry_of == sweep.runs.get(number=0)
    assert (retry.params, retry.arguments) == (retry.retry_of.params, retry.retry_of.arguments)
    work(sweep.runs.get(number=1))
    assert numbers(sweep, "Queued") == [2]  # not a new sample
    sweep = work_all(sweep)
    assert (sweep.sampled, sweep.next_number) == (3, 4)
    assert sweep.reason.startswith("All 3 runs ended. Best accuracy")


@pytest.mark.parametrize("sampling", ["random", "sobol", "grid"])
def test_repeating_does_not_change_what_the_sampler_gives(sampling):
    def configurations(*, is_repeated: bool) -> list:
        sweep = started(
            search_space=CHOICES,
            sampling=sampling if sampling == "grid" else {"type": sampling, "seed": 7},
            max_total_runs=6,
            max_concurrent_runs=1,
        )
        work(sweep.runs.get(number=0), exit_code=1)
        if is_repeated:
            retry_run(sweep.runs.get(number=0), user=make_user())
        sweep = work_all(sweep)
        assert sweep.state == "Completed"
        rows = sweep.runs.filter(origin="sampler").order_by("number")
        return list(rows.values_list("params", flat=True))

    assert configurations(is_repeated=True) == configurations(is_repeated=False)


def test_runs_that_cannot_be_repeated_say_why():
    sweep = started(max_total_runs=2, max_concurrent_runs=2)
    user = make_user()
    with pytest.raises(Refused, match="Run 0 cannot be repeated: it has not ended"):
        retry_run(sweep.runs.get(number=0), user=user)
    work(sweep.runs.get(number=0))
    with pytest.raises(Refused, match="it went well"):
        retry_run(sweep.runs.get(number=0), user=user)
    work(sweep.runs.get(number=1), exit_code=1)
    retry_run(sweep.runs.get(number=1), user=user)
    with pytest.raises(Refused, match="Run 1 is repeated by run 2 already"):
        retry_run(sweep.runs.get(number=1), user=user)
    assert Run.objects.filter(sweep=sweep).count() == 3


def test_a_sweep_that_is_being_canceled_repeats_nothing_until_it_has_ended():
    sweep = started(max_total_runs=2, max_concurrent_runs=2)
    user = make_user()
    live = claim(sweep.runs.get(number=1))
    work(sweep.runs.get(number=0), exit_code=1)
    cancel_sweep(sweep, user=user)

    with pytest.raises(Refused, match="being canceled"):
        retry_run(sweep.runs.get(number=0), user=user)

    finish_run(live.run_id, live.fence, RunOutcome(exit_code=0))
    assert retry_run(sweep.runs.get(number=0), user=user).state == "Queued"


def test_a_completed_sweep_goes_on_for_a_repetition_and_ends_again():
    sweep = started(max_total_runs=2, max_concurrent_runs=2)
    work(sweep.runs.get(number=0), exit_code=1)
    work(sweep.runs.get(number=1))
    sweep.refresh_from_db()
    assert sweep.reason.startswith("All 2 runs ended: 1 completed, 1 failed.")

    retry_run(sweep.runs.get(number=0), user=make_user())

    sweep.refresh_from_db()
    assert (sweep.state, sweep.ended_at, sweep.end_reason) == ("Running", None, "")
    assert sweep.deadline_at > timezone.now() + timedelta(minutes=59)
    message = "Sweep: Running again. alice repeats run 0."
    assert Event.objects.filter(sweep=sweep, message=message).count() == 1
    sweep = work_all(sweep)
    assert (sweep.state, sweep.end_reason) == ("Completed", "max_runs")
    assert sweep.reason.startswith("All 2 runs ended. Best")


def test_all_failed_runs_are_repeated_within_the_limit():
    sweep = started(max_total_runs=5, max_concurrent_runs=5)
    for run in sweep.runs.order_by("number"):
        work(run, exit_code=1)
    sweep.refresh_from_db()
    assert sweep.end_reason == "all_runs_failed"
    Sweep.objects.filter(pk=sweep.pk).update(max_concurrent_runs=2)

    made = retry_failed(sweep, user=make_user())

    assert [run.retry_of.number for run in made] == [0, 1, 2, 3, 4]
    assert (numbers(sweep, "Queued"), numbers(sweep, "NotStarted")) == ([5, 6], [7, 8, 9])
    assert retry_failed(sweep, user=make_user()) == []
    sweep = work_all(sweep)
    assert (sweep.state, sweep.end_reason) == ("Completed", "max_runs")
    assert sweep.sampled == 5


def test_a_canceled_sweep_repeats_without_new_samples_and_stays_canceled():
    sweep = started(max_total_runs=20, max_concurrent_runs=2)
    work(sweep.runs.get(number=0), exit_code=1)
    cancel_sweep(sweep, user=make_user())
    sweep.refresh_from_db()
    assert sweep.state == "Canceled"

    retry_failed(sweep, user=make_user("bob"))
    sweep = work_all(sweep)

    assert (sweep.state, sweep.end_reason) == ("Canceled", "user")
    assert sweep.reason == "Canceled by alice. Runs repeated since: 1 completed."
    assert numbers(sweep) == [0, 1, 2, 3]
    retry_run(sweep.runs.get(number=1), user=make_user())
    sweep = work_all(sweep, exit_code=1)
    assert sweep.reason == "Canceled by alice. Runs repeated since: 1 failed."


def test_a_sweep_that_ran_out_of_time_has_its_time_again_for_repetitions():
    sweep = started(max_total_runs=20, max_concurrent_runs=1)
    work(sweep.runs.get(number=0), exit_code=1)
    Sweep.objects.filter(pk=sweep.pk).update(deadline_at=timezone.now())
    advance_sweep(sweep.pk)
    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason) == ("Canceled", "timeout")

    retry_failed(sweep, user=make_user())
    sweep = work_all(sweep)

    assert (sweep.state, sweep.end_reason) == ("Canceled", "timeout")
    assert sweep.reason.endswith("Runs repeated since: 1 completed.")


def test_a_canceled_run_can_be_repeated():
    sweep = started(max_total_runs=1)
    cancel_run(sweep.runs.get(number=0), user=make_user())

    retry_run(sweep.runs.get(number=0), user=make_user())

    sweep = work_all(sweep)
    assert (sweep.state, sweep.runs.get(number=1).state) == ("Completed", RunState.COMPLETED)


def test_repeating_in_a_paused_sweep_waits_for_the_resume():
    sweep = started(max_total_runs=9, max_concurrent_runs=1, max_failed_runs=1)
    work(sweep.runs.get(number=0), exit_code=1)
    sweep.refresh_from_db()
    assert sweep.state == "Paused"

    retry_failed(sweep, user=make_user())

    assert numbers(sweep, "NotStarted") == [1]
    resume_sweep(sweep, user=make_user())
    assert numbers(sweep, "Queued") == [1]
