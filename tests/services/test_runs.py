"""The life of a run: claim, start, lease, end with its reason, loss and retry."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from experiments.models import Artifact, Event, Run, Sweep
from experiments.services.access import run_for_token
from experiments.services.runs import (
    RunOutcome,
    add_artifacts,
    begin_finalizing,
    cancel_run,
    claim_run,
    finish_run,
    mark_not_responding,
    renew_lease,
    request_stop,
    start_run,
)
from experiments.services.transitions import StaleState
from experiments.states import EndReason, RunState
from tests.factories import claim, make_run, make_running_run, make_sweep, make_user, report

pytestmark = pytest.mark.django_db


def finish(run: Run, **outcome) -> Run:
    """End the process of a run and return the run."""
    return finish_run(run.pk, run.fence, RunOutcome(**outcome))


def expire_lease(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_claiming_gives_everything_the_executor_needs_and_a_token_for_this_run_only():
    run = make_run(make_sweep(run_timeout_minutes=2), lr=0.25)

    claimed = claim(run)

    run.refresh_from_db()
    assert (run.state, run.fence, run.worker_name) == ("Starting", 1, "worker-1")
    assert (claimed.fence, claimed.number, claimed.public_id) == (1, 0, run.public_id)
    assert claimed.params == {"lr": 0.25}
    assert claimed.timeout_seconds == 120
    assert claimed.snapshot_digest == run.sweep.snapshot.digest
    assert run_for_token(claimed.token) == run
    assert run_for_token(claimed.token[:-1]) is None
    assert claimed.token not in str(Run.objects.filter(pk=run.pk).values())


def test_a_run_is_claimed_once():
    run = make_run(make_sweep())
    claim(run)

    again = claim_run(run.pk, worker_name="w2", host="there", pid=2, process_started=2.0)

    assert again is None
    run.refresh_from_db()
    assert (run.worker_name, run.fence) == ("worker-1", 1)


def test_claiming_a_run_that_does_not_exist_gives_none():
    assert claim_run(12345, worker_name="w", host="h", pid=1, process_started=1.0) is None


def test_starting_keeps_the_command_as_it_was():
    claimed = claim(make_run(make_sweep(), lr=0.5))

    run = start_run(
        claimed.run_id,
        claimed.fence,
        arguments=["/usr/bin/python", "train.py", "--lr", "0.5"],
        directory="/runs/0",
        guard_pid=77,
    )

    assert (run.state, run.guard_pid, run.directory) == ("Running", 77, "/runs/0")
    assert run.command == ["/usr/bin/python", "train.py", "--lr", "0.5"]
    assert run.arguments == ["--lr", "0.5"]
    assert run.started_at is not None


def test_an_old_attempt_can_change_nothing():
    run = make_running_run(make_sweep())
    old = run.fence - 1

    for change in (
        lambda: start_run(run.pk, old, arguments=[], directory=""),
        lambda: begin_finalizing(run.pk, old),
        lambda: finish_run(run.pk, old, RunOutcome(exit_code=0)),
    ):
        with pytest.raises(StaleState):
            change()
    assert renew_lease(run.pk, old).lost
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_a_lease_is_written_only_when_a_heartbeat_is_due():
    run = make_running_run(make_sweep())
    fresh = run.lease_expires_at

    order = renew_lease(run.pk, run.fence)

    assert (order.state, order.lost, order.is_cancel_requested) == ("Running", False, False)
    run.refresh_from_db()
    assert run.lease_expires_at == fresh
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() + timedelta(seconds=14))
    renew_lease(run.pk, run.fence)
    run.refresh_from_db()
    assert run.lease_expires_at - timezone.now() > timedelta(seconds=18)


def test_a_silent_run_is_taken_back_when_its_worker_speaks_again():
    run = make_running_run(make_sweep())
    assert not mark_not_responding(run.pk)
    expire_lease(run)

    assert mark_not_responding(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.NOT_RESPONDING
    order = renew_lease(run.pk, run.fence)

    assert (order.state, order.lost) == (RunState.RUNNING, False)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    assert run.lease_expires_at > timezone.now()
    messages = list(Event.objects.filter(run=run).values_list("message", flat=True))[-2:]
    assert messages == [
        "Run 0: Not responding. Its worker has given no sign for 20 s.",
        "Run 0: Responding again",
    ]


def test_a_finished_run_says_its_best():
    run = make_running_run(make_sweep())
    report(run, [0.5, 0.93125, 0.7])
    assert begin_finalizing(run.pk, run.fence)

    ended = finish(run, exit_code=0, log_bytes=10, output_bytes=20)

    assert (ended.state, ended.end_reason) == ("Completed", "finished")
    assert ended.reason == "Exit code 0. Best accuracy 0.93125 at interval 2 of 3."
    assert (ended.exit_code, ended.log_bytes, ended.output_bytes) == (0, 10, 20)


def test_a_run_that_logged_other_names_says_which():
    run = make_running_run(make_sweep())
    report(run, [0.5], name="loss")
    report(run, [0.5], name="acc")

    ended = finish(run, exit_code=0)

    assert ended.state == RunState.COMPLETED
    assert ended.reason == (
        'The script ended without logging "accuracy". It logged: acc, loss. '
        "The name must match exactly."
    )


def test_a_run_that_logged_nothing_says_how_to():
    ended = finish(make_running_run(make_sweep()), exit_code=0)

    assert ended.state == RunState.COMPLETED
    assert ended.reason == (
        'The script ended without logging "accuracy". '
        'It logged no metric at all: call run.log("accuracy", value).'
    )


def test_a_run_with_only_nan_says_so():
    run = make_running_run(make_sweep())
    report(run, [math.nan, "oops"])

    ended = finish(run, exit_code=0)

    assert ended.state == RunState.COMPLETED
    assert ended.reason == (
        'Exit code 0, but no report of "accuracy" is a finite number '
        "(2 of 2 are NaN, infinite or text), so the run has no best value."
    )


@pytest.mark.parametrize(
    ("outcome", "end_reason", "reason"),
    [
        (
            {"exit_code": 1, "error_line": "ValueError: bad\ninput"},
            "nonzero_exit",
            "Exit code 1: ValueError: bad input",
        ),
        ({"exit_code": 3}, "nonzero_exit", "Exit code 3."),
        ({"signal": 9}, "nonzero_exit", "Killed by signal 9 (SIGKILL)."),
        (
            {"signal": 9, "killed_for": "out of memory"},
            "nonzero_exit",
            "Killed by signal 9 (SIGKILL): out of memory",
        ),
        ({"signal": 99}, "nonzero_exit", "Killed by signal 99 (unknown)."),
        ({}, "nonzero_exit", "The process ended without leaving an exit code."),
        (
            {"bad_command": "no such file: python9"},
            "bad_command",
            "The command could not be started: no such file: python9",
        ),
        (
            {"exit_code": 0, "killed_for": "its outputs grew beyond 10 GB"},
            "nonzero_exit",
            "Exit code 0: its outputs grew beyond 10 GB",
        ),
    ],
)
def test_a_failed_run_says_why(outcome, end_reason, reason):
    ended = finish(make_running_run(make_sweep()), **outcome)

    assert (ended.state, ended.end_reason, ended.reason) == ("Failed", end_reason, reason)


def test_a_run_can_fail_before_it_runs():
    claimed = claim(make_run(make_sweep()))

    ended = finish_run(claimed.run_id, claimed.fence, RunOutcome(bad_command="no interpreter"))

    assert (ended.state, ended.end_reason) == ("Failed", "bad_command")


def test_a_run_over_its_time_is_canceled_with_the_limit():
    run = make_running_run(make_sweep(run_timeout_minutes=1))

    ended = finish(run, signal=15, stopped_by_us=True, timed_out=True)

    assert (ended.state, ended.end_reason) == ("Canceled", "run_timeout")
    assert ended.reason == "Stopped after run_timeout_minutes 1."


def test_a_stopped_run_keeps_the_reason_of_the_request():
    run = make_running_run(make_sweep())
    assert request_stop(run.pk, end_reason=EndReason.RUN_TIMEOUT, reason="Too slow.")
    assert renew_lease(run.pk, run.fence).is_cancel_requested
    assert not begin_finalizing(run.pk, run.fence)

    ended = finish(run, exit_code=143, stopped_by_us=True)

    assert (ended.state, ended.end_reason, ended.reason) == ("Canceled", "run_timeout", "Too slow.")


def test_a_run_that_ends_well_before_the_stop_reaches_it_is_completed():
    run = make_running_run(make_sweep())
    report(run, [0.5])
    cancel_run(run, user=make_user())

    ended = finish(run, exit_code=0)

    assert (ended.state, ended.end_reason) == ("Completed", "finished")
    assert ended.reason == (
        "Exit code 0. Best accuracy 0.5 at interval 1 of 1. "
        "It ended before the request to stop reached it."
    )


def test_a_run_that_fails_before_the_stop_reaches_it_is_failed():
    run = make_running_run(make_sweep())
    cancel_run(run, user=make_user())

    ended = finish(run, exit_code=1, error_line="KeyError: 'x'")

    assert (ended.state, ended.reason) == ("Failed", "Exit code 1: KeyError: 'x'")


def test_a_run_ends_once():
    run = make_running_run(make_sweep())
    finish(run, exit_code=0)

    with pytest.raises(StaleState, match="is Completed in attempt 1"):
        finish(run, exit_code=1)


def test_canceling_a_waiting_run_ends_it_and_a_live_one_asks_it():
    user = make_user()
    sweep = make_sweep(max_total_runs=3, max_concurrent_runs=3)
    waiting, live, done = make_run(sweep), make_running_run(sweep), make_running_run(sweep)
    finish(done, exit_code=0)

    assert cancel_run(waiting, user=user)
    assert cancel_run(live, user=user)
    assert not cancel_run(live, user=user)
    assert not cancel_run(done, user=user)

    states = [(r.state, r.reason) for r in Run.objects.filter(sweep=sweep).order_by("number")]
    assert states[:2] == [
        ("Canceled", "Canceled by alice."),
        ("CancelRequested", "Canceled by alice."),
    ]


def test_canceling_a_silent_run_ends_it():
    run = make_running_run(make_sweep())
    expire_lease(run)
    mark_not_responding(run.pk)

    assert cancel_run(run, user=make_user())

    run.refresh_from_db()
    assert run.state == RunState.CANCELED
    assert renew_lease(run.pk, run.fence).lost


def test_the_token_dies_with_the_run():
    claimed = claim(make_run(make_sweep()))
    assert run_for_token(claimed.token) is not None

    finish_run(claimed.run_id, claimed.fence, RunOutcome(exit_code=1))

    assert run_for_token(claimed.token) is None


def test_artifacts_are_kept_once_by_path():
    run = make_run(make_sweep())

    add_artifacts(run.pk, [("outputs/model.pkl", 10, "aa"), ("logs/std_log.txt", 5, "bb")])
    add_artifacts(run.pk, [("logs/std_log.txt", 7, "cc")])

    assert list(Artifact.objects.filter(run=run).values_list("path", "size_bytes", "digest")) == [
        ("logs/std_log.txt", 7, "cc"),
        ("outputs/model.pkl", 10, "aa"),
    ]


def test_a_run_gets_the_next_id_of_its_sweep():
    sweep = make_sweep()

    ids = [make_run(sweep).public_id for _ in range(3)]

    assert ids == [f"{sweep.public_id}_{n}" for n in range(3)]
    assert Sweep.objects.get(pk=sweep.pk).next_number == 3
