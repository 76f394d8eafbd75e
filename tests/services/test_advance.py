"""The controller: limits, ends and their sentences; calling it again never does harm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from experiments.models import Event, Sweep
from experiments.samplers.random_search import RandomSearch
from experiments.services.advance import advance_sweep
from experiments.services.runs import RunOutcome, cancel_run, finish_run, lose_run, start_run
from experiments.services.sweeps import cancel_sweep, pause_sweep, resume_sweep
from tests.executed import CHOICES, numbers, work, work_all
from tests.factories import claim, make_sweep, make_user

pytestmark = pytest.mark.django_db


def test_a_new_sweep_starts_and_fills_its_slots():
    sweep = make_sweep(is_running=False, max_total_runs=5, max_concurrent_runs=2)

    advance_sweep(sweep.pk)

    sweep.refresh_from_db()
    assert (sweep.state, sweep.sampled, sweep.next_number) == ("Running", 2, 2)
    assert sweep.deadline_at - sweep.started_at == timedelta(minutes=60)
    assert numbers(sweep, "Queued") == [0, 1]
    run = sweep.runs.get(number=0)
    assert set(run.params) == {"lr", "layers"}
    assert run.arguments == ["--lr", repr(run.params["lr"]), "--layers", str(run.params["layers"])]
    assert "seed 7" in run.note


def test_calling_it_again_changes_nothing():
    sweep = make_sweep(is_running=False)
    advance_sweep(sweep.pk)
    before = Sweep.objects.values().get(pk=sweep.pk)

    advance_sweep(sweep.pk)
    advance_sweep(sweep.pk)

    assert Sweep.objects.values().get(pk=sweep.pk) == before


def test_a_run_that_ends_frees_its_slot_at_once_until_the_total_is_reached():
    sweep = make_sweep(max_total_runs=3, max_concurrent_runs=2)
    advance_sweep(sweep.pk)

    work(sweep.runs.get(number=0))

    assert numbers(sweep, "Queued") == [1, 2]
    work(sweep.runs.get(number=1), values=[0.75])
    assert numbers(sweep) == [0, 1, 2]
    sweep.refresh_from_db()
    assert sweep.state == "Running"
    work(sweep.runs.get(number=2))
    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason) == ("Completed", "max_runs")
    assert sweep.reason == "All 3 runs ended. Best accuracy 0.75 by run 1."
    assert sweep.ended_at is not None


def test_the_same_seed_gives_the_same_runs_in_whatever_order_they_end():
    one = make_sweep(max_total_runs=6, max_concurrent_runs=1)
    other = make_sweep(max_total_runs=6, max_concurrent_runs=3)
    for sweep in (one, other):
        advance_sweep(sweep.pk)
        work_all(sweep)

    params = [
        list(s.runs.order_by("number").values_list("params", flat=True)) for s in (one, other)
    ]
    assert params[0] == params[1]
    assert len({str(values) for values in params[0]}) == 6


def test_a_lost_and_repeated_run_does_not_change_what_follows():
    plain = make_sweep(max_total_runs=4, max_concurrent_runs=1)
    faulty = make_sweep(max_total_runs=4, max_concurrent_runs=1)
    for sweep in (plain, faulty):
        advance_sweep(sweep.pk)
    claimed = claim(faulty.runs.get(number=0))
    lose_run(claimed.run_id, reason="Its worker died.")
    for sweep in (plain, faulty):
        work_all(sweep)

    expected = list(plain.runs.order_by("number").values_list("params", flat=True))
    first = list(
        faulty.runs.filter(retry_of=None).order_by("number").values_list("params", flat=True)
    )
    assert first == expected
    assert faulty.state == "Completed"
    assert numbers(faulty) == [0, 1, 2, 3, 4]


def test_a_space_with_nothing_left_ends_the_sweep_well():
    sweep = make_sweep(
        search_space=CHOICES, sampling="grid", max_total_runs=100, max_concurrent_runs=4
    )
    advance_sweep(sweep.pk)

    work_all(sweep)

    assert (sweep.state, sweep.end_reason) == ("Completed", "space_exhausted")
    assert sweep.reason == (
        "The search space has only 6 configurations, and all of them were run "
        "(max_total_runs is 100). Best accuracy 0.5 by run 0."
    )
    assert sweep.sampled == 6
    assert [r.params for r in sweep.runs.order_by("number")][:3] == [
        {"lr": 0.1, "layers": 1},
        {"lr": 0.1, "layers": 2},
        {"lr": 0.2, "layers": 1},
    ]
    assert Event.objects.filter(sweep=sweep, kind="sampler").count() == 1


def test_the_total_may_be_smaller_than_the_grid():
    sweep = make_sweep(search_space=CHOICES, sampling="grid", max_total_runs=5)
    advance_sweep(sweep.pk)

    work_all(sweep)

    assert (sweep.state, sweep.end_reason, sweep.sampled) == ("Completed", "max_runs", 5)


def test_a_sweep_whose_runs_all_fail_names_the_most_frequent_reason_and_the_metrics():
    sweep = make_sweep(max_total_runs=3, max_concurrent_runs=3)
    advance_sweep(sweep.pk)
    runs = list(sweep.runs.order_by("number"))

    work(runs[0], name="acc", exit_code=1, error_line="ValueError: bad")
    work(runs[1], name="loss", exit_code=1, error_line="ValueError: bad")
    work(runs[2], values=(), exit_code=2)

    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason) == ("Failed", "all_runs_failed")
    assert sweep.reason == (
        "All 3 runs failed, 2 of them with: Exit code 1: ValueError: bad. "
        'No run logged "accuracy". They logged: acc, loss. The name must match exactly.'
    )


def test_a_sweep_whose_only_run_fails_after_reports_does_not_blame_the_metric():
    sweep = make_sweep(max_total_runs=1)
    advance_sweep(sweep.pk)

    work(sweep.runs.get(), exit_code=1)

    sweep.refresh_from_db()
    assert (sweep.state, sweep.reason) == ("Failed", "The only run failed: Exit code 1.")


def test_one_run_that_ends_well_is_enough_for_completed():
    sweep = make_sweep(max_total_runs=2)
    advance_sweep(sweep.pk)
    work(sweep.runs.get(number=0), exit_code=1)

    work(sweep.runs.get(number=1))

    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason) == ("Completed", "max_runs")
    assert sweep.reason == ("All 2 runs ended: 1 completed, 1 failed. Best accuracy 0.5 by run 0.")


def test_a_sweep_that_never_saw_its_metric_says_what_was_logged():
    sweep = make_sweep(max_total_runs=2)
    advance_sweep(sweep.pk)

    work_all(sweep, name="Accuracy")

    assert sweep.state == "Completed"
    assert sweep.reason == (
        'All 2 runs ended. No run logged "accuracy". They logged: Accuracy. '
        "The name must match exactly."
    )


def test_a_sweep_with_nan_only_says_so():
    sweep = make_sweep(max_total_runs=1)
    advance_sweep(sweep.pk)

    work_all(sweep, values=[float("nan")])

    assert sweep.reason == 'The only run ended. No run logged a finite value of "accuracy".'


def test_canceling_ends_waiting_runs_at_once_and_waits_for_live_ones():
    sweep = make_sweep(max_total_runs=9, max_concurrent_runs=3)
    advance_sweep(sweep.pk)
    live = claim(sweep.runs.get(number=0))
    start_run(live.run_id, live.fence, arguments=["x"], directory="")

    assert cancel_sweep(sweep, user=make_user())
    assert not cancel_sweep(sweep, user=make_user("bob"))

    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason) == ("CancelRequested", "user")
    assert numbers(sweep, "Canceled") == [1, 2]
    assert numbers(sweep, "CancelRequested") == [0]
    finish_run(live.run_id, live.fence, RunOutcome(signal=15, stopped_by_us=True))
    sweep.refresh_from_db()
    assert (sweep.state, sweep.reason) == ("Canceled", "Canceled by alice.")
    run = sweep.runs.get(number=0)
    assert (run.end_reason, run.reason) == ("sweep_canceled", "The sweep was canceled.")
    assert numbers(sweep) == [0, 1, 2]


def test_a_sweep_that_was_never_started_can_be_canceled():
    sweep = make_sweep(is_running=False)

    cancel_sweep(sweep, user=make_user())
    advance_sweep(sweep.pk)

    sweep.refresh_from_db()
    assert (sweep.state, sweep.next_number) == ("Canceled", 0)


def test_the_deadline_cancels_children_and_sweep_with_the_limit():
    sweep = make_sweep(max_total_runs=9, max_concurrent_runs=3, max_duration_minutes=90)
    advance_sweep(sweep.pk)
    work(sweep.runs.get(number=0))
    live = claim(sweep.runs.get(number=1))
    Sweep.objects.filter(pk=sweep.pk).update(deadline_at=timezone.now() - timedelta(seconds=1))

    advance_sweep(sweep.pk)

    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason) == ("CancelRequested", "timeout")
    assert numbers(sweep, "Canceled") == [2, 3]
    finish_run(live.run_id, live.fence, RunOutcome(signal=9, stopped_by_us=True))
    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason) == ("Canceled", "timeout")
    assert sweep.reason == "Stopped after max_duration_minutes 90; 1 of 9 runs had ended by then."
    reasons = set(sweep.runs.exclude(number=0).values_list("end_reason", "reason"))
    assert reasons == {("sweep_timeout", "The sweep reached max_duration_minutes 90.")}
    assert sweep.best_value == 0.5


def test_no_run_is_repeated_after_the_deadline():
    sweep = make_sweep()
    advance_sweep(sweep.pk)
    live = claim(sweep.runs.get(number=0))
    Sweep.objects.filter(pk=sweep.pk).update(deadline_at=timezone.now() - timedelta(seconds=1))

    assert lose_run(live.run_id, reason="Its worker died.") is None


def test_a_sampler_that_breaks_lets_live_runs_end_and_then_fails_the_sweep(monkeypatch):
    sweep = make_sweep(max_total_runs=5, max_concurrent_runs=2)
    advance_sweep(sweep.pk)

    def explode(self, history, count):
        raise ZeroDivisionError("no more luck")

    monkeypatch.setattr(RandomSearch, "suggest", explode)
    work(sweep.runs.get(number=0))

    sweep.refresh_from_db()
    assert sweep.state == "Running"
    assert sweep.sampler_error == "The random sampler failed: ZeroDivisionError: no more luck"
    work(sweep.runs.get(number=1))
    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason) == ("Failed", "sampler_error")
    assert sweep.reason == sweep.sampler_error
    assert Event.objects.filter(sweep=sweep, kind="sampler").count() == 1


def test_a_pause_starts_nothing_new_and_a_resume_goes_on():
    user = make_user()
    sweep = make_sweep(max_total_runs=4, max_concurrent_runs=1)
    advance_sweep(sweep.pk)

    claimed = claim(sweep.runs.get(number=0))

    assert pause_sweep(sweep, user=user)
    finish_run(claimed.run_id, claimed.fence, RunOutcome(exit_code=0))

    sweep.refresh_from_db()
    assert (sweep.state, sweep.reason) == ("Paused", "Paused by alice.")
    assert numbers(sweep) == [0]
    assert resume_sweep(sweep, user=user)
    assert not resume_sweep(sweep, user=user)
    sweep.refresh_from_db()
    assert (sweep.state, sweep.reason) == ("Running", "")
    assert numbers(sweep) == [0, 1]


def test_failures_in_a_row_pause_the_sweep_until_it_is_resumed():
    sweep = make_sweep(max_total_runs=20, max_concurrent_runs=1, max_failed_runs=2)
    advance_sweep(sweep.pk)
    work(sweep.runs.get(number=0), exit_code=1)
    work(sweep.runs.get(number=1))
    work(sweep.runs.get(number=2), exit_code=1)
    sweep.refresh_from_db()
    assert sweep.state == "Running"

    work(sweep.runs.get(number=3), exit_code=1, error_line="OSError: disk")

    sweep.refresh_from_db()
    assert sweep.state == "Paused"
    assert sweep.reason == (
        "The last 2 runs failed in a row (max_failed_runs is 2), "
        "run 3 with: Exit code 1: OSError: disk"
    )
    resume_sweep(sweep, user=make_user())
    sweep.refresh_from_db()
    assert sweep.state == "Running"
    work(sweep.runs.get(number=4), exit_code=1)
    sweep.refresh_from_db()
    assert sweep.state == "Running"


def test_canceled_runs_count_towards_the_total():
    sweep = make_sweep(max_total_runs=2, max_concurrent_runs=1)
    advance_sweep(sweep.pk)

    cancel_run(sweep.runs.get(number=0), user=make_user())
    cancel_run(sweep.runs.get(number=1), user=make_user())

    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason, sweep.sampled) == ("Completed", "max_runs", 2)


def test_every_change_has_a_cursor_of_its_own():
    sweep = make_sweep(max_total_runs=6, max_concurrent_runs=3)
    advance_sweep(sweep.pk)
    work_all(sweep)

    cursors = list(
        Event.objects.filter(sweep=sweep).order_by("cursor").values_list("cursor", flat=True)
    )
    assert len(cursors) == len(set(cursors))
    assert cursors[-1] == sweep.cursor
