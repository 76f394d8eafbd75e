"""What a check shows: marks, sentences, the pace and the estimate. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.check_facts import (
    CheckFacts,
    LoggedMetric,
    Plan,
    ReportTimes,
    TriedRun,
    span_text,
)
from experiments.check_pace import estimate_text, pace_of
from experiments.check_verdict import judge
from experiments.states import EndReason, RunState

PLAN = Plan(total_runs=20, runs_at_once=4, duration=3600)
DONE = TriedRun(
    RunState.COMPLETED, EndReason.FINISHED, "Exit code 0.", 0, "w-1", waited=0.5, elapsed=12
)
CAPPED = replace(DONE, state=RunState.CANCELED, end_reason=EndReason.RUN_TIMEOUT, elapsed=60)
ACCURACY = LoggedMetric("accuracy", 5, 0.8)
GOOD = CheckFacts(
    metric="accuracy",
    cap=60,
    plan=PLAN,
    compute="local",
    slots=4,
    is_over=True,
    end_reason=EndReason.MAX_RUNS,
    run=DONE,
    metrics=[ACCURACY, LoggedMetric("loss", 5, 0.1)],
    times=ReportTimes(5, 2.0, 10.0),
)
LONG = replace(GOOD, run=CAPPED)


def line(facts: CheckFacts, key: str) -> tuple[str, str]:
    return next((one.mark, one.text) for one in judge(facts).lines if one.key == key)


def keys(facts: CheckFacts) -> list[str]:
    return [one.key for one in judge(facts).lines]


def with_plan(facts: CheckFacts, **changes: object) -> CheckFacts:
    return replace(facts, plan=replace(facts.plan, **changes))  # type: ignore[arg-type]


def test_passed_check_has_every_line() -> None:
    assert judge(GOOD).outcome == "passed"
    assert keys(GOOD) == ["start", "arguments", "metric", "reports", "end", "estimate"]
    assert line(GOOD, "reports")[1] == "5 reports, the first after 2.0 s, then one every 2.0 s."
    assert line(GOOD, "estimate") == (
        "ok",
        "About 1 min for 20 runs, 4 at a time, at 12 s a run (measured on a full run).",
    )


@pytest.mark.parametrize(
    ("run", "slots", "outcome", "mark", "words"),
    [
        (None, 2, "waiting", "wait", "0 of 2 slots are busy"),
        (None, 0, "waiting", "warn", "No worker is attached to local"),
        (TriedRun(RunState.QUEUED), 0, "waiting", "warn", "studio worker --compute local"),
        (TriedRun(RunState.STARTING, worker="w-1"), 1, "running", "wait", "w-1 gets the files"),
    ],
)
def test_before_the_start(run, slots, outcome, mark, words):
    facts = CheckFacts("accuracy", 60, PLAN, "local", slots=slots, run=run)

    assert judge(facts).outcome == outcome
    assert line(facts, "start")[0] == mark
    assert words in line(facts, "start")[1]


def test_while_it_runs_missing_is_not_wrong_yet() -> None:
    run = TriedRun(RunState.RUNNING, worker="w-1", waited=1, elapsed=3.4)
    silent = CheckFacts("accuracy", 60, PLAN, "local", run=run)
    other = replace(silent, metrics=[LoggedMetric("acc", 1, 0.5)])

    assert judge(silent).headline == "Running: 3 s of at most 60 s…"
    assert line(silent, "metric")[0] == "wait"
    assert line(other, "metric") == (
        "warn",
        '"accuracy" was not logged so far. The script logged "acc"; the name must match exactly.',
    )
    assert judge(other).offered == ["acc"]


def test_names_most_like_the_wanted_come_first() -> None:
    names = ["loss", "val_accuracy", "Accuracy", "time"]
    facts = replace(GOOD, metrics=[LoggedMetric(name, 1, 1.0) for name in names], times=None)

    assert judge(facts).offered[:2] == ["Accuracy", "val_accuracy"]
    assert judge(facts).outcome == "failed"


def test_metric_without_a_finite_value_is_wrong() -> None:
    facts = replace(GOOD, metrics=[LoggedMetric("accuracy", 3, None), LoggedMetric("loss", 3, 1)])

    assert judge(facts).outcome == "failed"
    assert "no report of it is a finite number" in line(facts, "metric")[1]
    assert judge(facts).offered == ["loss"]


def test_limit_after_the_metric_is_fine_and_without_it_is_not() -> None:
    silent = replace(LONG, metrics=[], times=None)

    assert judge(LONG).outcome == "passed"
    assert line(LONG, "end") == ("ok", "It was still running after 1 min: fine.")
    assert judge(silent).outcome == "failed"
    assert line(silent, "metric")[1].startswith("No metric was logged within 1 min.")


@pytest.mark.parametrize(
    "log",
    [
        ["usage: train.py [-h]", "train.py: error: unrecognized arguments: --lr 1"],
        ["Usage: train.py [OPTIONS]", "Try 'train.py --help' for help.", "", "Error: No such o"],
    ],
)
def test_refused_arguments_are_told_from_other_ends_with_2(log):
    failed = replace(
        DONE,
        state=RunState.FAILED,
        end_reason=EndReason.NONZERO_EXIT,
        exit_code=2,
        reason="Exit code 2: it says",
    )
    facts = replace(GOOD, run=failed, metrics=[], times=None, log_lines=log)

    assert line(facts, "arguments") == (
        "bad",
        f"The script refused its arguments: {log[-1]}",
    )
    assert "arguments" not in keys(replace(facts, log_lines=["I end with 2"]))


def test_canceled_check_proves_nothing() -> None:
    run = replace(DONE, state=RunState.CANCELED, end_reason=EndReason.SWEEP_CANCELED)
    facts = replace(
        GOOD, run=run, metrics=[LoggedMetric("loss", 1, 1.0)], times=None, reason="Canceled by al."
    )

    assert judge(facts).outcome == "canceled"
    assert line(facts, "end") == ("warn", "Canceled by al.")


@pytest.mark.parametrize(
    ("end_reason", "reason", "outcome"),
    [
        (EndReason.USER, "Canceled by alice.", "canceled"),
        (EndReason.SAMPLER_ERROR, "The sampler failed.", "failed"),
    ],
)
def test_end_without_a_run(end_reason, reason, outcome):
    facts = CheckFacts(
        "accuracy", 60, PLAN, "local", is_over=True, end_reason=end_reason, reason=reason
    )

    assert judge(facts).outcome == outcome
    assert line(facts, "start")[1] == reason


def test_nobody_took_it_in_time() -> None:
    run = TriedRun(RunState.CANCELED, EndReason.SWEEP_TIMEOUT, "The sweep reached its end.")
    facts = CheckFacts(
        "accuracy", 60, PLAN, "gpu", is_over=True, end_reason=EndReason.TIMEOUT, run=run
    )

    assert judge(facts).outcome == "failed"
    assert line(facts, "start") == ("bad", "No worker of gpu took it in time.")


def test_policy_that_begins_after_the_last_report_is_warned_of() -> None:
    policy = {"type": "bandit", "slack_factor": 0.1, "delay_evaluation": 10}
    late = with_plan(GOOD, policy=policy)
    early = with_plan(GOOD, policy=policy | {"delay_evaluation": 2})

    assert line(late, "policy")[1].startswith("The policy will never judge a run: it begins at")
    assert judge(late).outcome == "passed"
    assert "policy" not in keys(early)
    assert "Runs that are stopped early make it shorter." in line(early, "estimate")[1]


def test_own_limit_of_each_run_is_told() -> None:
    facts = with_plan(replace(LONG, run=replace(CAPPED, elapsed=30)), run_timeout=30)

    assert line(facts, "end") == (
        "warn",
        "It was stopped after 30 s, the time limit that every run has.",
    )
    assert "the time limit of each run" in line(facts, "estimate")[1]


@pytest.mark.parametrize(
    ("words", "times", "seconds"),
    [
        # 60 s, of which 5 reports took 8 s.
        (["--epochs", "101"], ReportTimes(5, 2.0, 10.0), 202),
        (["--num-epochs=101"], ReportTimes(5, 2.0, 10.0), 202),
        (["--max_steps", "1000"], ReportTimes(5, 2.0, 10.0, 0, 80), 10 + 920 * 0.1),
        # Steps are no reports.
        (["--max_steps", "1000"], ReportTimes(5, 2.0, 10.0), None),
        (["--seed", "1000"], ReportTimes(5, 2.0, 10.0), None),
        # What would be over by now was not meant that way.
        (["--epochs", "6"], ReportTimes(5, 2.0, 10.0), None),
        (["--epochs", "100"], ReportTimes(1, 2.0, 2.0), None),
    ],
)
def test_length_of_a_long_run_is_extrapolated_where_it_is_known(words, times, seconds):
    pace = pace_of(with_plan(replace(LONG, times=times), words=words))

    assert pace is not None
    if seconds is None:
        assert pace.is_least
        assert pace.per_run == 60
    else:
        assert not pace.is_least
        assert not pace.is_exact
        assert pace.per_run == pytest.approx(seconds)


def test_earlier_runs_of_the_experiment_say_how_long_one_is() -> None:
    pace = pace_of(with_plan(LONG, earlier_reports=51))

    assert pace is not None
    assert pace.per_run == pytest.approx(102)
    assert "as in earlier runs" in pace.basis


def test_limit_of_each_run_bounds_what_is_extrapolated() -> None:
    pace = pace_of(with_plan(LONG, words=["--epochs", "1000"], run_timeout=90))

    assert pace is not None
    assert pace.per_run == 90


def test_estimate_says_which_limit_comes_first_and_what_waits() -> None:
    facts = replace(with_plan(GOOD, total_runs=1000, duration=600), slots=2)
    pace = pace_of(facts)
    assert pace is not None

    text = estimate_text(facts, pace)

    assert text.startswith("About 1 h 40 min for 1000 runs, 2 at a time, at 12 s a run")
    assert "local has 2 slots for 4 at a time." in text
    assert text.endswith("max_duration_minutes 10 comes first, after about 100 runs.")
    assert line(facts, "estimate")[0] == "warn"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (10, "10 s"), (90, "1 min 30 s")]
)
def test_short_spans_have_tenths(seconds, text):
    assert span_text(seconds) == text
