"""Pausing, repeating runs, queueing by hand and changing limits: what people do to live sweeps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from experiments.models import Event, Run, Sweep
from experiments.problems import ProblemsError
from experiments.services.advance import advance_sweep
from experiments.services.by_hand import queue_by_hand
from experiments.services.limits import change_limits
from experiments.services.refused import Refused
from experiments.services.retries import retry_failed, retry_run
from experiments.services.runs import RunOutcome, cancel_run, finish_run, lose_run
from experiments.services.sweeps import cancel_sweep, pause_sweep, resume_sweep
from experiments.states import RunState
from tests.factories import claim, make_sweep, make_user
from tests.services.test_advance import CHOICES, numbers, work, work_all

pytestmark = pytest.mark.django_db


def started(**spec) -> Sweep:
    """Return a sweep whose first runs are queued."""
    sweep = make_sweep(**spec)
    advance_sweep(sweep.pk)
    return sweep


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


def test_a_configuration_by_hand_is_next_counts_and_moves_no_sample():
    def sampled(*, by_hand: bool) -> list:
        sweep = started(max_total_runs=5, max_concurrent_runs=1)
        if by_hand:
            run = queue_by_hand(sweep, {"layers": 3, "lr": 0.5}, user=make_user())
            assert (run.number, run.origin, run.state) == (1, "hand", "NotStarted")
            assert run.note == "Queued by hand by alice."
            assert run.arguments == ["--lr", "0.5", "--layers", "3"]
            work(sweep.runs.get(number=0))
            assert numbers(sweep, "Queued") == [1]
        sweep = work_all(sweep)
        assert (sweep.state, sweep.sampled) == ("Completed", 5)
        rows = sweep.runs.filter(origin="sampler").order_by("number")
        return list(rows.values_list("params", flat=True))

    assert sampled(by_hand=True) == sampled(by_hand=False)[:4]


@pytest.mark.parametrize("sampling", ["random", "sobol", "grid"])
def test_samplers_do_not_repeat_what_was_queued_by_hand(sampling):
    sweep = started(
        search_space=CHOICES, sampling=sampling, max_total_runs=20, max_concurrent_runs=1
    )
    taken = sweep.runs.get(number=0).params
    mine = next(
        {"lr": lr, "layers": layers}
        for lr in (0.1, 0.2, 0.3)
        for layers in (1, 2)
        if {"lr": lr, "layers": layers} != taken
    )
    queue_by_hand(sweep, mine, user=make_user())

    sweep = work_all(sweep)

    tried = [tuple(sorted(run.params.items())) for run in sweep.runs.all()]
    assert len(tried) == len(set(tried)) == 6
    assert (sweep.state, sweep.end_reason) == ("Completed", "space_exhausted")
    assert sweep.reason.startswith(
        "Every configuration of the search space was run; one run was queued by hand "
        "(max_total_runs is 20)."
    )


def test_a_value_outside_the_space_is_asked_about_not_refused():
    sweep = started()

    with pytest.raises(ProblemsError) as caught:
        queue_by_hand(sweep, {"lr": 2.0, "layers": 9}, user=make_user())

    assert [(p.path, p.message) for p in caught.value.problems] == [
        (
            "params.lr",
            'lr is 2.0, outside uniform(0.0, 1.0). Send "outside": true to run it all the same.',
        ),
        (
            "params.layers",
            'layers is 9, outside choice(1, 2, 3). Send "outside": true to run it all the same.',
        ),
    ]
    assert numbers(sweep) == [0, 1]
    params = {"lr": 2.0, "layers": 9}
    run = queue_by_hand(sweep, params, user=make_user(), may_be_outside=True)
    assert run.params == params
    assert run.note.endswith("layers is 9, outside choice(1, 2, 3).")
    assert work_all(sweep).state == "Completed"


@pytest.mark.parametrize("may_be_outside", [False, True])
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, {"params": "params is None; give a mapping of hyperparameters to values."}),
        ({"lr": 0.1}, {"params.layers": "layers is missing; give every value."}),
        (
            {"lr": "fast", "layers": 1, "layer": 2},
            {
                "params.layer": 'The search space has no "layer". Did you mean layers?',
                "params.lr": 'lr is "fast"; use a number.',
            },
        ),
        ({"lr": True, "layers": 1}, {"params.lr": "lr is True; use a number."}),
        ({"lr": 0.1, "layers": "two"}, {"params.layers": 'layers is "two"; use a number.'}),
        (
            {"lr": float("nan"), "layers": 1},
            {"params.lr": "lr is nan, which is not a finite number."},
        ),
    ],
)
def test_wrong_names_and_kinds_are_refused_whatever_was_said(params, expected, may_be_outside):
    sweep = started()

    with pytest.raises(ProblemsError) as caught:
        queue_by_hand(sweep, params, user=make_user(), may_be_outside=may_be_outside)

    assert {p.path: p.message for p in caught.value.problems} == expected
    assert numbers(sweep) == [0, 1]


def test_nothing_is_queued_beyond_the_total_or_after_the_end():
    sweep = started(max_total_runs=1)
    values = {"lr": 0.5, "layers": 1}

    with pytest.raises(ProblemsError, match="All 1 runs of max_total_runs have been created"):
        queue_by_hand(sweep, values, user=make_user())

    work(sweep.runs.get(number=0))
    with pytest.raises(Refused, match="has ended"):
        queue_by_hand(sweep, values, user=make_user())
    assert numbers(sweep) == [0]


def test_a_higher_total_and_concurrency_are_obeyed_at_once():
    sweep = started(max_total_runs=2, max_concurrent_runs=1)
    work(sweep.runs.get(number=0))

    changed = change_limits(
        sweep, {"max_total_runs": 6, "max_concurrent_runs": 3}, user=make_user("bob")
    )

    assert numbers(sweep, "Queued") == [1, 2, 3]
    assert (changed.spec["max_total_runs"], changed.spec_version) == (6, 2)
    version = changed.versions.get()
    assert (version.number, version.author.username) == (2, "bob")
    assert version.changes == {
        "max_total_runs": {"from": 2, "to": 6},
        "max_concurrent_runs": {"from": 1, "to": 3},
    }
    event = sweep.events.filter(kind="sweep", message__contains="changed").get()
    assert event.message == (
        "Sweep: bob changed max_total_runs from 2 to 6, max_concurrent_runs from 1 to 3 (version 2)"
    )
    assert work_all(sweep).sampled == 6


def test_a_lower_concurrency_takes_waiting_runs_back_and_lets_live_ones_go_on():
    sweep = started(max_total_runs=8, max_concurrent_runs=4)
    live = [claim(sweep.runs.get(number=n)) for n in (0, 1)]

    change_limits(sweep, {"max_concurrent_runs": 1}, user=make_user())

    assert numbers(sweep, "NotStarted") == [2, 3]
    finish_run(live[0].run_id, live[0].fence, RunOutcome(exit_code=0))
    assert numbers(sweep, "Queued") == []
    finish_run(live[1].run_id, live[1].fence, RunOutcome(exit_code=0))
    assert (numbers(sweep, "Queued"), numbers(sweep, "NotStarted")) == ([2], [3])


def test_no_limit_of_concurrency_is_that_of_the_total():
    sweep = started(max_total_runs=3, max_concurrent_runs=1)

    changed = change_limits(sweep, {"max_concurrent_runs": None}, user=make_user())

    assert (changed.spec["max_concurrent_runs"], changed.max_concurrent_runs) == (None, 3)
    assert numbers(sweep, "Queued") == [0, 1, 2]
    changed = change_limits(sweep, {"max_total_runs": 9}, user=make_user())
    assert changed.max_concurrent_runs == 9


def test_another_duration_moves_the_deadline():
    sweep = started(max_duration_minutes=60)
    before = Sweep.objects.get(pk=sweep.pk).deadline_at

    changed = change_limits(sweep, {"max_duration_minutes": 90.5}, user=make_user())

    assert changed.deadline_at - before == timedelta(minutes=30.5)
    waiting = make_sweep(is_running=False)
    change_limits(waiting, {"max_duration_minutes": 5}, user=make_user())
    waiting.refresh_from_db()
    assert waiting.deadline_at - waiting.started_at == timedelta(minutes=5)


def test_limits_below_what_happened_are_refused_and_change_nothing():
    sweep = started(max_total_runs=4, max_concurrent_runs=3)
    now = timezone.now()
    Sweep.objects.filter(pk=sweep.pk).update(
        started_at=now - timedelta(minutes=30), deadline_at=now + timedelta(minutes=30)
    )
    before = Sweep.objects.get(pk=sweep.pk)

    with pytest.raises(ProblemsError) as caught:
        change_limits(sweep, {"max_total_runs": 2, "max_duration_minutes": 20}, user=make_user())

    assert [(p.path, p.message) for p in caught.value.problems] == [
        (
            "max_total_runs",
            "max_total_runs is 2, but 3 runs have been created; use 3 or more.",
        ),
        (
            "max_duration_minutes",
            "max_duration_minutes is 20, but 30.0 minutes have passed; use more, "
            "or cancel the sweep.",
        ),
    ]
    after = Sweep.objects.get(pk=sweep.pk)
    assert (after.cursor, after.spec, after.deadline_at) == (
        before.cursor,
        before.spec,
        before.deadline_at,
    )
    assert not after.versions.exists()


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, [""]),
        ({"max_total_runs": 0}, ["max_total_runs"]),
        ({"max_total_runs": 1001, "max_concurrent_runs": 0}, None),
        ({"max_total_runs": "5"}, ["max_total_runs"]),
        ({"max_total_runs": None}, ["max_total_runs"]),
        ({"max_duration_minutes": 0.5}, ["max_duration_minutes"]),
        ({"seed": 3, "max_total_runs": 5}, ["seed"]),
    ],
)
def test_wrong_limits_name_their_paths(changes, paths):
    sweep = started()

    with pytest.raises(ProblemsError) as caught:
        change_limits(sweep, changes, user=make_user())

    assert [p.path for p in caught.value.problems] == (list(changes) if paths is None else paths)


def test_the_same_limits_are_no_edit():
    sweep = started()
    before = Sweep.objects.get(pk=sweep.pk).cursor

    change_limits(sweep, {"max_total_runs": 4}, user=make_user())

    after = Sweep.objects.get(pk=sweep.pk)
    assert (after.cursor, after.spec_version) == (before, 1)


def test_limits_of_an_ended_sweep_stay():
    sweep = started(max_total_runs=1)
    work(sweep.runs.get(number=0))

    with pytest.raises(Refused, match="has ended"):
        change_limits(sweep, {"max_total_runs": 5}, user=make_user())


def test_a_canceled_sweep_that_repeats_runs_takes_no_new_ones():
    sweep = started(max_total_runs=9, max_concurrent_runs=1)
    work(sweep.runs.get(number=0), exit_code=1)
    cancel_sweep(sweep, user=make_user())
    retry_failed(sweep, user=make_user())

    with pytest.raises(Refused, match="only repeats runs"):
        change_limits(sweep, {"max_total_runs": 10}, user=make_user())
