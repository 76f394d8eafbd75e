"""Compare-and-set moves: every pair of the table, one event and one cursor step each."""

from __future__ import annotations

import itertools

import pytest
from django.db import IntegrityError, transaction

from experiments.models import Event, Run, Sweep
from experiments.services.transitions import StaleState, move_run, move_sweep
from experiments.states import (
    RUN_REASONS,
    RUN_TERMINAL,
    RUN_TRANSITIONS,
    SWEEP_REASONS,
    SWEEP_TERMINAL,
    SWEEP_TRANSITIONS,
    EndReason,
    RunState,
    SweepState,
)
from tests.factories import make_run, make_running_run, make_sweep

pytestmark = pytest.mark.django_db


def put(row, state, reasons):
    """Write a state behind the back of the services."""
    reason = next(iter(sorted(reasons.get(state, [""]))))
    ended = "2026-01-01T00:00:00Z" if state in RUN_TERMINAL | SWEEP_TERMINAL else None
    type(row).objects.filter(pk=row.pk).update(
        state=state, end_reason=reason, reason="why" if reason else "", ended_at=ended
    )


def why(state, reasons):
    """Return the arguments that a move to `state` needs."""
    if state not in reasons:
        return {}
    return {"end_reason": sorted(reasons[state])[0], "reason": "A sentence."}


@pytest.mark.parametrize(("before", "to"), list(itertools.product(RunState, RunState)))
def test_move_run_follows_the_table(before, to):
    run = make_run(make_sweep())
    put(run, before, RUN_REASONS)

    if to in RUN_TRANSITIONS[before]:
        assert move_run(run.pk, to, **why(to, RUN_REASONS)).state == to
    else:
        with pytest.raises(StaleState):
            move_run(run.pk, to, **why(to, RUN_REASONS))
        assert Run.objects.get(pk=run.pk).state == before


@pytest.mark.parametrize(("before", "to"), list(itertools.product(SweepState, SweepState)))
def test_move_sweep_follows_the_table(before, to):
    sweep = make_sweep()
    put(sweep, before, SWEEP_REASONS)

    if to in SWEEP_TRANSITIONS[before]:
        # An ended sweep moves only for who names its state.
        named = {"sources": {before}} if before in SWEEP_TERMINAL else {}
        assert move_sweep(sweep.pk, to, **why(to, SWEEP_REASONS), **named).state == to
    else:
        with pytest.raises(StaleState):
            move_sweep(sweep.pk, to, **why(to, SWEEP_REASONS))
        assert Sweep.objects.get(pk=sweep.pk).state == before


@pytest.mark.parametrize("before", sorted(SWEEP_TERMINAL))
def test_an_ended_sweep_is_reopened_only_by_name(before):
    sweep = make_sweep()
    put(sweep, before, SWEEP_REASONS)

    with pytest.raises(StaleState):
        move_sweep(sweep.pk, SweepState.RUNNING)

    moved = move_sweep(sweep.pk, SweepState.RUNNING, sources={before})
    assert (moved.ended_at, moved.end_reason, moved.reason) == (None, "", "")


def test_move_run_bumps_stamps_and_logs_once():
    run = make_run(make_sweep())
    before = Sweep.objects.get(pk=run.sweep_id).cursor

    moved = move_run(run.pk, RunState.STARTING, message="Run 0: Starting on here")

    assert moved.sweep.cursor == before + 1
    assert moved.stamp == before + 1
    event = Event.objects.get(sweep=run.sweep_id, cursor=before + 1)
    assert (event.kind, event.run_id, event.message) == (
        "run",
        run.pk,
        "Run 0: Starting on here",
    )
    assert event.payload == {"number": 0, "state": "Starting", "end_reason": ""}


def test_a_refused_move_leaves_no_trace():
    run = make_run(make_sweep())
    before = Sweep.objects.get(pk=run.sweep_id).cursor
    events = Event.objects.count()

    with pytest.raises(StaleState, match="cannot become Completed any more"):
        move_run(run.pk, RunState.COMPLETED, end_reason=EndReason.FINISHED, reason="Done.")

    assert Sweep.objects.get(pk=run.sweep_id).cursor == before
    assert Event.objects.count() == events


def test_a_terminal_state_stamps_the_end_and_takes_lease_and_token_away():
    run = make_running_run(make_sweep())
    assert run.lease_expires_at is not None
    assert len(run.token_digest) == 64

    ended = move_run(
        run.pk, RunState.FAILED, end_reason=EndReason.NONZERO_EXIT, reason="Exit code 1."
    )

    assert ended.ended_at is not None
    assert ended.lease_expires_at is None
    assert ended.token_digest == ""
    event = Event.objects.filter(run=run).latest("cursor")
    assert event.message == "Run 0: Failed. Exit code 1."


def test_sources_narrow_where_a_run_may_come_from():
    run = make_running_run(make_sweep())

    with pytest.raises(StaleState):
        move_run(
            run.pk,
            RunState.CANCEL_REQUESTED,
            end_reason=EndReason.USER,
            reason="Canceled by alice.",
            sources={RunState.STARTING},
        )


@pytest.mark.parametrize(
    ("to", "end_reason", "reason", "text"),
    [
        (RunState.FAILED, "", "Broken.", "bad_command, nonzero_exit, preempted, worker_lost"),
        (RunState.COMPLETED, "policy", "Stopped.", "allowed here: finished"),
        (RunState.FAILED, "nonzero_exit", "", "needs a sentence"),
        (RunState.STARTING, "user", "", "is no end"),
        (RunState.STARTING, "", "Because.", "is no end"),
    ],
)
def test_an_end_needs_its_reason_and_its_sentence(to, end_reason, reason, text):
    run = make_run(make_sweep())

    with pytest.raises(ValueError, match=text):
        move_run(run.pk, to, end_reason=end_reason, reason=reason)


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": RunState.COMPLETED, "end_reason": "finished"},
        {"ended_at": "2026-01-01T00:00:00Z"},
        {"end_reason": "policy"},
        {"state": RunState.CANCEL_REQUESTED},
    ],
)
def test_the_database_refuses_runs_that_contradict_themselves(wrong):
    run = make_run(make_sweep())

    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": SweepState.COMPLETED, "end_reason": "max_runs"},
        {"ended_at": "2026-01-01T00:00:00Z"},
        {"end_reason": "user"},
        {"state": SweepState.CANCEL_REQUESTED},
    ],
)
def test_the_database_refuses_sweeps_that_contradict_themselves(wrong):
    sweep = make_sweep()

    with pytest.raises(IntegrityError), transaction.atomic():
        Sweep.objects.filter(pk=sweep.pk).update(**wrong)
