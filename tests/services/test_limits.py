"""Changing the limits of a live sweep: obeyed at once, or refused without a change."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from experiments.models import Sweep
from experiments.problems import ProblemsError
from experiments.services.limits import change_limits
from experiments.services.refused import Refused
from experiments.services.retries import retry_failed
from experiments.services.runs import RunOutcome, finish_run
from experiments.services.sweeps import cancel_sweep
from tests.executed import numbers, work, work_all
from tests.factories import claim, make_sweep, make_user
from tests.services.live_sweeps import started

pytestmark = pytest.mark.django_db


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
