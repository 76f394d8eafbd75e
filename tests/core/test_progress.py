"""How far a sweep is: counts, time left, time saved, by hand-made facts."""

from datetime import UTC, datetime, timedelta

import pytest

from experiments.progress import RunFact, measure_progress
from experiments.states import EndReason, RunState

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
START = NOW - timedelta(minutes=10)


def fact(state, *, reason="", start=None, end=None, best=None, reports=0, is_retry=False):
    """A run that started and ended so many seconds after the sweep."""
    at = [None if s is None else START + timedelta(seconds=s) for s in (start, end)]
    return RunFact(state, reason, at[0], at[1], best, reports, is_retry)


def measure(facts, **changes):
    options = {
        "total": 10, "concurrency": 2, "started": START, "ended": None, "deadline": None,
    } | changes  # fmt: skip
    return measure_progress(facts, now=NOW, **options)


COMPLETED = fact(RunState.COMPLETED, start=0, end=100, best=0.5, reports=40)
STOPPED = fact(RunState.CANCELED, reason=EndReason.POLICY, start=0, end=20, best=0.25)
RUNNING = fact(RunState.RUNNING, start=580)


def test_counts_tell_stopped_early_among_the_canceled():
    canceled = fact(RunState.CANCELED, reason=EndReason.USER, start=0, end=5)

    counts = measure([COMPLETED, STOPPED, canceled, RUNNING]).counts

    assert counts == {"stopped_early": 1, "Completed": 1, "Canceled": 2, "Running": 1}


def test_lost_and_repeated_runs_count_once():
    lost = fact(RunState.FAILED, reason=EndReason.WORKER_LOST, start=0, end=50)
    repeated = fact(RunState.COMPLETED, start=50, end=150, is_retry=True)

    assert measure([lost, repeated, COMPLETED]).ended == 2


def test_remaining_time_is_the_mean_run_over_the_slots_in_use():
    # Two ended runs took 60 s in the mean; 7 more of 10 wait, one runs since 20 s.
    progress = measure([COMPLETED, STOPPED, RUNNING])

    assert progress.remaining == pytest.approx((7 * 60 + 40) / 1)
    assert measure([COMPLETED, STOPPED, RUNNING, RUNNING]).remaining == pytest.approx(
        (6 * 60 + 2 * 40) / 2
    )


def test_run_that_takes_longer_than_usual_leaves_no_negative_time():
    long_one = fact(RunState.RUNNING, start=0)

    assert measure([COMPLETED, long_one], total=2).remaining == 0


def test_remaining_time_never_goes_beyond_the_deadline():
    deadline = NOW + timedelta(seconds=30)

    assert measure([COMPLETED, RUNNING], deadline=deadline).remaining == 30


@pytest.mark.parametrize(
    ("facts", "changes"),
    [([RUNNING], {}), ([COMPLETED], {"ended": NOW}), ([], {"started": None})],
    ids=["no run ended", "sweep ended", "not started"],
)
def test_remaining_time_is_unknown_without_anything_to_go_by(facts, changes):
    assert measure(facts, **changes).remaining is None


def test_saved_time_is_what_stopped_runs_had_left_of_a_usual_run():
    progress = measure([COMPLETED, STOPPED, STOPPED])

    assert progress.saved == pytest.approx(2 * 80)
    assert progress.spent == pytest.approx(140)


def test_nothing_is_saved_before_a_run_has_completed():
    assert measure([STOPPED, RUNNING]).saved == 0


def test_elapsed_time_stops_at_the_end():
    assert measure([], ended=START + timedelta(seconds=90)).elapsed == 90
    assert measure([RUNNING]).elapsed == 600
    assert measure([], started=None).elapsed is None


def test_usual_number_of_reports_is_that_of_completed_runs():
    running = fact(RunState.RUNNING, start=0, reports=70)

    assert measure([COMPLETED, running]).usual_reports == 40
    assert measure([running]).usual_reports == 0


def test_digits_tell_the_values_apart():
    close = fact(RunState.COMPLETED, start=0, end=1, best=0.50012)

    assert measure([COMPLETED, close]).digits == 7
