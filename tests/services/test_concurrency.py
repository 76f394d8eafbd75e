"""Many writers at once, each with a connection of its own: nothing twice, nothing lost, no lock."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from experiments import queries
from experiments.models import Event, Run, Sweep
from experiments.problems import ProblemsError
from experiments.services.advance import advance_sweep
from experiments.services.by_hand import queue_by_hand
from experiments.services.limits import change_limits
from experiments.services.metrics import Report, record_reports
from experiments.services.refused import Refused
from experiments.services.retries import retry_run
from experiments.services.runs import RunOutcome, cancel_run, claim_run, finish_run, lose_run
from experiments.services.sweeps import cancel_sweep, pause_sweep
from experiments.services.transitions import StaleState
from experiments.states import RUN_TERMINAL
from tests.at_once import at_once
from tests.factories import make_run, make_running_run, make_sweep, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_controllers_at_once_create_no_run_twice_and_keep_the_limit():
    sweep = make_sweep(is_running=False, max_total_runs=50, max_concurrent_runs=7)

    at_once(*[lambda: advance_sweep(sweep.pk)] * 6)

    sweep.refresh_from_db()
    assert sorted(sweep.runs.values_list("number", flat=True)) == list(range(7))
    assert (sweep.sampled, sweep.next_number) == (7, 7)
    assert Event.objects.filter(sweep=sweep, kind="sweep", message="Sweep: Running").count() == 1


def test_workers_at_once_claim_a_run_once():
    run = make_run(make_sweep())

    claims = at_once(
        *[
            lambda n=n: claim_run(run.pk, worker_name=f"w{n}", host="h", pid=n, process_started=1.0)
            for n in range(6)
        ]
    )

    winners = [claim for claim in claims if claim is not None]
    assert len(winners) == 1
    run.refresh_from_db()
    assert (run.fence, run.state) == (1, "Starting")


def test_executors_that_end_at_once_leave_a_whole_sweep_behind():
    sweep = make_sweep(is_running=False, max_total_runs=12, max_concurrent_runs=4)
    advance_sweep(sweep.pk)

    def work() -> None:
        while True:
            waiting = Run.objects.filter(sweep=sweep, state="Queued").order_by("?").first()
            if waiting is None:
                if Sweep.objects.get(pk=sweep.pk).is_terminal:
                    return
                continue
            claim = claim_run(waiting.pk, worker_name="w", host="h", pid=1, process_started=1.0)
            if claim is not None:
                record_reports(claim.run_id, claim.fence, [Report(1, "accuracy", 0.5, None, 1.0)])
                active = Run.objects.filter(sweep=sweep).exclude(state__in=RUN_TERMINAL).count()
                assert active <= 4
                finish_run(claim.run_id, claim.fence, RunOutcome(exit_code=0))

    at_once(*[work] * 4)

    sweep.refresh_from_db()
    assert (sweep.state, sweep.end_reason, sweep.sampled) == ("Completed", "max_runs", 12)
    assert sorted(sweep.runs.values_list("number", flat=True)) == list(range(12))
    assert Event.objects.filter(sweep=sweep, kind="sweep", payload__state="Completed").count() == 1


def test_canceling_while_runs_end_and_controllers_look_ends_everything():
    sweep = make_sweep(max_total_runs=30, max_concurrent_runs=6)
    user = make_user()
    runs = [make_running_run(sweep) for _ in range(4)]

    def end(run: Run) -> None:
        with suppress(StaleState):
            finish_run(run.pk, run.fence, RunOutcome(exit_code=0))

    at_once(
        lambda: cancel_sweep(sweep, user=user),
        *[lambda run=run: end(run) for run in runs],
        lambda: cancel_run(runs[0], user=user),
        lambda: lose_run(runs[1].pk, reason="Its worker died."),
        lambda: advance_sweep(sweep.pk),
    )
    for run in Run.objects.filter(sweep=sweep, state="CancelRequested"):
        finish_run(run.pk, run.fence, RunOutcome(signal=15, stopped_by_us=True))
    advance_sweep(sweep.pk)

    sweep.refresh_from_db()
    assert sweep.state == "Canceled"
    assert not sweep.runs.exclude(state__in=RUN_TERMINAL).exists()
    assert sweep.runs.count() == sweep.next_number


def test_a_reader_beside_many_writers_misses_nothing_and_sees_nothing_twice():
    sweep = make_sweep(max_total_runs=10, max_concurrent_runs=10)
    runs = [make_running_run(sweep) for _ in range(4)]
    done = threading.Event()
    seen: dict[int, list[Any]] = {run.number: [] for run in runs}

    def write(run: Run) -> int:
        rng = random.Random(run.number)
        seq = 0
        for _ in range(25):
            size = rng.choice([1, 2, 10, 300])
            record_reports(
                run.pk,
                run.fence,
                [
                    Report(seq + i, "accuracy", float(seq + i), None, 1.0)
                    for i in range(1, size + 1)
                ],
            )
            seq += size
        return seq

    def read() -> int:
        cursor = 0
        while True:
            is_last = done.is_set()
            upto, events = queries.events_after(sweep, cursor, limit=13)
            for event in events:
                assert cursor < event["cursor"] <= upto
                if event["type"] == "metrics":
                    assert event["first"] == len(seen[event["number"]])
                    seen[event["number"]] += event["values"]
            if is_last and upto == cursor:
                return cursor
            cursor = upto

    def write_all() -> list[int]:
        try:
            return at_once(*[lambda run=run: write(run) for run in runs])
        finally:
            done.set()

    totals, cursor = at_once(write_all, read)

    assert [len(seen[run.number]) for run in runs] == totals
    for run, total in zip(runs, totals, strict=True):
        assert seen[run.number] == [float(i) for i in range(1, total + 1)]
        run.refresh_from_db()
        assert (run.reports, run.best_value) == (total, float(total))
    sweep.refresh_from_db()
    assert cursor == sweep.cursor
    assert sweep.best_value == max(totals)


def test_a_journal_sent_by_two_executors_at_once_is_stored_once():
    run = make_running_run(make_sweep())
    journal = [Report(i, "accuracy", float(i), None, 1.0) for i in range(1, 201)]

    def send() -> int:
        stored = 0
        for upto in range(20, 201, 20):
            try:
                stored += record_reports(run.pk, run.fence, journal[:upto]).stored
            except StaleState:
                continue
        return stored

    stored = at_once(send, send)

    values = queries.series_of(run, "accuracy").values.tolist()
    assert values == [float(i) for i in range(1, len(values) + 1)]
    assert sum(stored) == len(values)


def refused(task: Callable[[], Any]) -> bool:
    """Do something that may be refused; tell whether it was."""
    try:
        task()
    except (Refused, ProblemsError):
        return True
    return False


def test_people_at_once_repeat_a_run_once():
    sweep = make_sweep(max_total_runs=1)
    run = make_running_run(sweep)
    finish_run(run.pk, run.fence, RunOutcome(exit_code=1))
    user = make_user()

    answers = at_once(*[lambda: refused(lambda: retry_run(run, user=user))] * 5)

    assert sorted(answers) == [False, True, True, True, True]
    sweep.refresh_from_db()
    assert (sweep.state, sweep.runs.count(), sweep.next_number) == ("Running", 2, 2)
    assert sweep.events.filter(message__startswith="Sweep: Running again").count() == 1


def test_people_and_controllers_at_once_keep_the_total():
    sweep = make_sweep(is_running=False, max_total_runs=6, max_concurrent_runs=2)
    advance_sweep(sweep.pk)
    user = make_user()
    values = {"lr": 0.5, "layers": 1}

    by_hand = [lambda: refused(lambda: queue_by_hand(sweep, values, user=user))] * 6
    at_once(*by_hand, lambda: advance_sweep(sweep.pk), lambda: advance_sweep(sweep.pk))

    sweep.refresh_from_db()
    assert (sweep.sampled, sweep.next_number, sweep.runs.count()) == (6, 6, 6)
    assert sweep.runs.filter(state="Queued").count() == 2
    assert sweep.runs.filter(origin="hand").count() == 4


def test_edits_at_once_are_versions_one_after_the_other():
    sweep = make_sweep(max_total_runs=10)
    user = make_user()

    at_once(
        *[
            lambda n=n: change_limits(sweep, {"max_total_runs": 100 + n}, user=user)
            for n in range(5)
        ]
    )

    sweep.refresh_from_db()
    versions = list(sweep.versions.all())
    assert [version.number for version in versions] == [2, 3, 4, 5, 6]
    totals = [version.changes["max_total_runs"] for version in versions]
    assert [total["from"] for total in totals] == [10, *(total["to"] for total in totals[:-1])]
    assert sweep.max_total_runs == sweep.spec["max_total_runs"] == totals[-1]["to"]


def test_a_pause_and_workers_at_once_leave_every_run_claimed_or_waiting():
    sweep = make_sweep(is_running=False, max_total_runs=8, max_concurrent_runs=8)
    advance_sweep(sweep.pk)
    runs = list(sweep.runs.values_list("pk", flat=True))
    user = make_user()

    at_once(
        lambda: pause_sweep(sweep, user=user),
        *[
            lambda pk=pk: claim_run(pk, worker_name="w", host="h", pid=1, process_started=1.0)
            for pk in runs
        ],
    )

    states = list(sweep.runs.values_list("state", flat=True))
    assert set(states) <= {"Starting", "NotStarted"}
    assert len(states) == 8
