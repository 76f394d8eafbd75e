"""Budgets and names: what is just allowed, what is just too much, what holds when left out."""

from __future__ import annotations

import pytest

import studio.sdk as sdk
from experiments.problems import ProblemsError
from experiments.spec import SweepSpec

VALID = {
    "script": "train.py",
    "search_space": {"lr": "uniform(0, 1)"},
    "primary_metric": {"name": "loss", "goal": "minimize"},
    "max_total_runs": 10,
}
# Field, the least and the most that it takes, and a value beyond each.
RANGES = [
    ("max_total_runs", 1, 1000, 0, 1001),
    ("max_concurrent_runs", 1, 100, 0, 101),
    ("max_duration_minutes", 1, 43200, 0.99, 43200.5),
    ("run_timeout_minutes", 0.01, 43200, 0, 43200.5),
    ("max_failed_runs", 1, 1000, 0, 1001),
]
ENDS = [(name, low) for name, low, *_ in RANGES] + [(name, high) for name, _, high, *_ in RANGES]
BEYOND = [(name, value) for name, _, _, *values in RANGES for value in values]
# In an Azure ML job: limit, value there, field, value here.
JOB_LIMITS = [
    ("max_total_trials", 1000, "max_total_runs", 1000),
    ("max_concurrent_trials", 100, "max_concurrent_runs", 100),
    ("timeout", 3600, "max_duration_minutes", 60),
    # The original service takes anything shorter for a minute.
    ("timeout", 1, "max_duration_minutes", 1),
    ("trial_timeout", 90, "run_timeout_minutes", 1.5),
]


def job(**limits):
    return {
        "type": "sweep",
        "trial": {"command": "python train.py --lr ${{search_space.lr}}", "code": "."},
        "search_space": {"lr": {"type": "uniform", "min_value": 0, "max_value": 1}},
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": 10, **limits},
    }


def definition(**changes):
    parts = {
        "run_config": sdk.ScriptRunConfig(".", "train.py"),
        "hyperparameter_sampling": sdk.RandomParameterSampling({"lr": sdk.uniform(0, 1)}),
        "primary_metric_name": "loss",
        "primary_metric_goal": sdk.PrimaryMetricGoal.MINIMIZE,
        "max_total_runs": 10,
    }
    config = sdk.HyperDriveConfig(**{**parts, **changes})
    return SweepSpec.parse(config.to_spec(name="n", experiment="e"))


@pytest.mark.parametrize(("name", "value"), ENDS)
def test_ends_of_a_range_are_allowed(name, value):
    assert getattr(SweepSpec.parse({**VALID, name: value}), name) == value


@pytest.mark.parametrize(("name", "value"), BEYOND)
def test_what_is_beyond_a_range_is_refused(name, value):
    with pytest.raises(ProblemsError) as caught:
        SweepSpec.parse({**VALID, name: value})

    [problem] = caught.value.problems
    assert problem.path == name
    assert problem.message.startswith(f"{name} is {value}; use a ")


def test_limits_that_are_left_out():
    spec = SweepSpec.parse(VALID)

    assert (spec.max_concurrent_runs, spec.effective_concurrency) == (None, 10)
    assert spec.max_duration_minutes == 10080
    assert (spec.run_timeout_minutes, spec.max_failed_runs) == (None, None)


@pytest.mark.parametrize(("name", "theirs", "field", "ours"), JOB_LIMITS)
def test_limits_of_a_job_file_become_ours(name, theirs, field, ours):
    assert getattr(SweepSpec.parse(job(**{name: theirs})), field) == ours


def test_job_file_without_limits_of_time_has_ours():
    spec = SweepSpec.parse(job())

    assert (spec.max_duration_minutes, spec.run_timeout_minutes) == (10080, None)


@pytest.mark.parametrize("given", [None, 0])
def test_program_that_gives_no_concurrency_means_as_many_as_possible(given):
    spec = definition(max_concurrent_runs=given)

    assert (spec.max_concurrent_runs, spec.effective_concurrency) == (None, 10)


def test_program_that_gives_no_duration_has_seven_days():
    assert definition(max_duration_minutes=None).max_duration_minutes == 10080
    assert definition().max_duration_minutes == 10080


@pytest.mark.parametrize(("seconds", "minutes"), [(None, None), (2592000, None), (90, 1.5)])
def test_time_of_a_run_of_a_program_is_in_seconds(seconds, minutes):
    run = sdk.ScriptRunConfig(".", "train.py", max_run_duration_seconds=seconds)

    assert definition(run_config=run).run_timeout_minutes == minutes


def test_program_may_limit_failures_and_the_time_of_a_run():
    spec = definition(max_failed_runs=3, run_timeout_minutes=0.7)

    assert (spec.max_failed_runs, spec.run_timeout_minutes) == (3, 0.7)


@pytest.mark.parametrize("name", ["a", "7", "a" * 255, "digits_2-b"])
def test_experiment_may_have_any_length_up_to_255(name):
    assert SweepSpec.parse({**VALID, "experiment": name}).experiment == name
    assert sdk.Experiment(None, name).name == name


@pytest.mark.parametrize("name", ["", "a" * 256, "_a", "-a", "a b", "ä"])
def test_experiment_with_another_name_is_refused_everywhere(name):
    with pytest.raises(ProblemsError) as caught:
        SweepSpec.parse({**VALID, "experiment": name})
    with pytest.raises(sdk.UserErrorException):
        sdk.Experiment(None, name)

    assert {problem.path for problem in caught.value.problems} == {"experiment"}
