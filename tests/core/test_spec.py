"""The specification: its forms, canonical dump, arguments and derived values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.problems import ProblemsError
from experiments.spec import SweepSpec
from tests.space_strategies import specifications

FULL_YAML = """\
name: digits-mlp
experiment: digits
source_directory: .            # a comment
script: train.py
arguments: [--epochs, 20, --verbose, true, --tol, 1e-5]
python: null
environment: {OMP_NUM_THREADS: "1"}
compute: local
search_space:
  learning_rate: loguniform(-6, -1)
  momentum: {type: uniform, min_value: 0.9, max_value: 0.99}
  batch_size: ["choice", [[16, 32, 64, 128]]]
sampling: {type: random, seed: 7, rule: sobol}
primary_metric: {name: accuracy, goal: maximize}
early_termination: {type: bandit, slack_factor: 0.1, evaluation_interval: 1, delay_evaluation: 5}
max_total_runs: 20
max_concurrent_runs: 4
max_duration_minutes: 60
run_timeout_minutes: null
max_failed_runs: null
resume_from: []
resume_child_runs: []
tags: {}
description: ""
"""
MINIMAL = {
    "script": "train.py",
    "search_space": {"lr": "uniform(0, 1)", "units": "choice(16, 32)"},
    "primary_metric": {"name": "loss", "goal": "minimize"},
    "max_total_runs": 10,
}
CALM = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def parse(**changes):
    return SweepSpec.parse({**MINIMAL, **changes})


def problems_of(**changes):
    with pytest.raises(ProblemsError) as caught:
        parse(**changes)
    return {p.path: p.message for p in caught.value.problems}


def read(changes):
    try:
        return parse(**changes), []
    except ProblemsError as error:
        return None, error.problems


def test_example_of_the_contract_is_read():
    spec = SweepSpec.parse(FULL_YAML)

    assert spec.dump() == {
        "name": "digits-mlp",
        "experiment": "digits",
        "source_directory": ".",
        "snapshot": None,
        "script": "train.py",
        "command": None,
        "arguments": ["--epochs", "20", "--verbose", "True", "--tol", "1e-05"],
        "python": None,
        "environment": {"OMP_NUM_THREADS": "1"},
        "compute": "local",
        "search_space": {
            "learning_rate": "loguniform(-6, -1)",
            "momentum": "uniform(0.9, 0.99)",
            "batch_size": "choice(16, 32, 64, 128)",
        },
        "sampling": {"type": "sobol", "seed": 7},
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "early_termination": {
            "type": "bandit",
            "slack_factor": 0.1,
            "evaluation_interval": 1,
            "delay_evaluation": 5,
        },
        "max_total_runs": 20,
        "max_concurrent_runs": 4,
        "max_duration_minutes": 60,
        "run_timeout_minutes": None,
        "max_failed_runs": None,
        "resume_from": [],
        "resume_child_runs": [],
        "tags": {},
        "description": "",
    }
    assert spec.warnings() == []


def test_defaults_of_a_minimal_specification():
    spec = parse()

    assert (spec.name, spec.experiment, spec.compute) == ("sweep", "default", "local")
    assert (spec.sampler_name, spec.sampler_options) == ("random", {})
    assert spec.early_termination_config is None
    assert spec.max_duration_minutes == 10080
    assert spec.source_directory == "."
    assert (spec.metric_name, spec.goal) == ("loss", "minimize")


@pytest.mark.parametrize(
    "name", [n for n, f in SweepSpec.model_fields.items() if not f.is_required()]
)
def test_null_is_the_same_as_leaving_out(name):
    if name == "script":
        assert list(problems_of(script=None)) == ["script"]
    else:
        assert parse(**{name: None}) == parse()


@CALM
@given(specifications())
def test_any_specification_survives_its_dump_as_mapping_json_and_yaml(raw):
    spec = SweepSpec.parse(raw)

    again = [
        SweepSpec.parse(spec.dump()),
        SweepSpec.parse(json.loads(json.dumps(spec.dump()))),
        SweepSpec.parse(json.dumps(spec.dump(), indent="\t")),
        SweepSpec.parse(spec.dump_yaml()),
        SweepSpec.from_stored(spec.dump()),
        SweepSpec.parse(spec.brief()),
    ]

    for other in again:
        assert other == spec
        assert json.dumps(other.dump()) == json.dumps(spec.dump())


@CALM
@given(specifications(), st.integers(0, 2**32))
def test_any_specification_gives_a_command_line(raw, seed):
    spec = SweepSpec.parse(raw)
    params = spec.space.sample(np.random.default_rng(seed))

    words = spec.argv(params, "/usr/bin/python3")

    assert words[0] == (spec.python or "/usr/bin/python3")
    assert all(isinstance(word, str) and "\0" not in word for word in words)
    assert len(spec.environment_for(params)) <= len(params)


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@CALM
@given(st.dictionaries(st.sampled_from(list(SweepSpec.model_fields)), JSON_VALUES, max_size=6))
def test_any_mapping_is_a_specification_or_problems(changes):
    spec, problems = read(changes)

    texts = [text for problem in problems for text in (problem.path, problem.message)]
    assert [text.encode().decode() for text in texts] == texts
    assert [p.message for p in problems if not p.message.endswith(".")] == []
    assert (spec is None) == bool(problems)


@CALM
@given(JSON_VALUES)
def test_any_value_is_a_specification_or_problems(value):
    with pytest.raises(ProblemsError) as caught:
        SweepSpec.parse({"search_space": {"x": value}, "sampling": value, "trial": value})

    assert {p.path for p in caught.value.problems} >= {"trial", "max_total_runs", "script"}


@CALM
@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=4), JSON_VALUES)
def test_any_azure_file_is_a_specification_or_problems(extra, value):
    raw = {"type": "sweep", "trial": value, "limits": value, "inputs": value, **extra}
    raw["type"] = "sweep"

    with pytest.raises(ProblemsError):
        SweepSpec.parse(raw)


@pytest.mark.parametrize("raw", [None, [], 3, True, [("name", "x")]])
def test_what_is_no_mapping_is_one_problem(raw):
    with pytest.raises(ProblemsError) as caught:
        SweepSpec.parse(raw)

    assert [p.path for p in caught.value.problems] == [""]


def test_deeply_nested_specification_is_one_problem():
    value = []
    for _ in range(100_000):
        value = [value]

    assert problems_of(tags=value) == {"": "The specification is nested more than 50 levels deep."}


def test_problems_stand_in_the_order_of_the_fields():
    found = problems_of(
        max_total_runs=0, search_space={"a": "unifrm(0, 1)"}, nmae="x", script=7, compute=""
    )

    assert list(found) == ["script", "compute", "search_space.a", "max_total_runs", "nmae"]


@pytest.mark.parametrize(
    ("sampling", "name", "options"),
    [
        ("random", "random", {}),
        ("Sobol", "sobol", {}),
        ({"type": "random"}, "random", {}),
        ({"type": "random", "rule": "sobol"}, "sobol", {}),
        ({"type": "random", "rule": "random", "seed": 0}, "random", {"seed": 0}),
        ({"type": "sobol", "seed": None}, "sobol", {}),
        ({"type": "random", "logbase": "e"}, "random", {}),
    ],
)
def test_sampling_has_one_canonical_form(sampling, name, options):
    spec = parse(sampling=sampling)

    assert (spec.sampler_name, spec.sampler_options) == (name, options)


def test_base_of_logarithms_is_worked_into_the_space():
    spec = parse(
        search_space={"lr": "loguniform(-5, 0)", "units": "choice(1, 2)"},
        sampling={"type": "random", "logbase": 10, "seed": 3},
    )

    assert spec.space.parameters["lr"].bounds() == pytest.approx((1e-5, 1))
    assert spec.sampler_options == {"seed": 3}
    assert spec.warnings()[0].startswith("lr: with logbase 10 this is loguniform(-11.5")
    assert SweepSpec.parse(spec.dump()) == spec


@pytest.mark.parametrize("policy", [None, "none", {"type": "none"}, {"type": "NONE"}])
def test_no_policy_is_null(policy):
    assert parse(early_termination=policy).early_termination_config is None


def test_policy_keeps_the_settings_that_were_given():
    policy = {"type": "Bandit", "slack_amount": 0.2, "slack_factor": None}

    assert parse(early_termination=policy).early_termination_config == {
        "type": "bandit",
        "slack_amount": 0.2,
    }


@pytest.mark.parametrize(
    ("total", "concurrent", "effective"),
    [(10, None, 10), (1000, None, 100), (10, 4, 4), (3, 50, 3), (1000, 100, 100)],
)
def test_concurrency_left_out_is_as_much_as_is_allowed(total, concurrent, effective):
    spec = parse(max_total_runs=total, max_concurrent_runs=concurrent)

    assert spec.effective_concurrency == effective


def test_relative_source_directory_starts_at_the_file():
    def at(source, **changes):
        raw = {**MINIMAL, "source_directory": source, **changes}
        return SweepSpec.parse(raw, base_directory=Path("/data/sweeps")).source_directory

    assert at(None) == "/data/sweeps"
    assert at(".") == "/data/sweeps"
    assert at("../code") == "/data/code"
    assert at("/elsewhere") == "/elsewhere"
    assert at("~/code") == "~/code"


def test_own_interpreter_comes_before_that_of_the_compute_target():
    params = {"lr": 0.5, "units": 16}

    assert parse().argv(params, "/opt/python")[0] == "/opt/python"
    assert parse(python="/venv/bin/python").argv(params, "/opt/python")[0] == "/venv/bin/python"


def test_arguments_are_fixed_ones_then_pairs_in_declared_order():
    spec = parse(
        arguments=["--data", "a b", 3, 0.5, False],
        search_space={"z": "choice(1)", "--a-b": "choice(2)", "m": "choice('x y')"},
    )
    params = {"m": "x y", "--a-b": 2, "z": 1}

    fixed = ["--data", "a b", "3", "0.5", "False"]
    pairs = ["--z", "1", "--a-b", "2", "--m", "x y"]
    assert spec.arguments_for(params) == fixed + pairs
    assert spec.argv(params, "py") == ["py", "train.py", *fixed, *pairs]
    assert spec.environment_for(params) == {
        "AZUREML_SWEEP_z": "1",
        "AZUREML_SWEEP_a_b": "2",
        "AZUREML_SWEEP_m": "x y",
    }


def test_index_arithmetic_of_the_documentation_holds():
    # One fixed pair first: the values stand at 3, 5 and 7.
    spec = parse(
        arguments=["--data-folder", "d"],
        search_space={"a": "choice(1)", "b": "choice(2)", "c": "choice(3)"},
    )

    words = spec.arguments_for({"a": 1, "b": 2, "c": 3})

    assert [words[3], words[5], words[7]] == ["1", "2", "3"]


def test_values_that_are_missing_are_left_out():
    assert parse().arguments_for({"units": 16}) == ["--units", "16"]


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        (
            {"search_space": {"a": "choice(1, 2)"}},
            "The search space has 2 configurations, fewer than max_total_runs 10: "
            "the sweep ends after 2 runs.",
        ),
        (
            {"search_space": {"a": "choice(range(20))"}, "sampling": "grid"},
            "The grid has 20 combinations; the first 10 are tried.",
        ),
        ({"max_concurrent_runs": 40}, "max_concurrent_runs is 40, more than max_total_runs 10."),
        (
            {"arguments": ["--lr=0.1"]},
            "lr: --lr is a fixed argument too; the sampled value comes last.",
        ),
        (
            {"script": None, "command": "python a.py ${{search_space.lr}}"},
            "units: command does not use it; the script finds it in AZUREML_SWEEP_units only.",
        ),
        (
            {"search_space": {"a-b": "uniform(0, 1)", "a_b": "uniform(0, 1)"}},
            "2 hyperparameters share the environment variable AZUREML_SWEEP_a_b; "
            "it holds the last.",
        ),
        (
            {"search_space": {"lr": "loguniform(-20, 10)"}},
            "lr: The bounds are exponents: e^10 = 22026.",
        ),
    ],
)
def test_what_is_hardly_meant_is_warned_about(changes, warning):
    assert parse(**changes).warnings() == [warning]


def test_equal_specifications_are_equal_whatever_was_warned_about():
    spec = SweepSpec.parse(
        {**MINIMAL, "sampling": {"type": "random", "logbase": 10},
         "search_space": {"lr": "loguniform(-5, 0)"}}
    )  # fmt: skip

    assert spec.warnings()
    assert SweepSpec.parse(spec.dump()) == spec
    assert spec != parse()
    assert spec != "spec"


def test_schema_names_every_field_and_what_is_required():
    schema = SweepSpec.model_json_schema()

    assert list(schema["properties"]) == list(SweepSpec.model_fields)
    assert schema["required"] == ["search_space", "primary_metric", "max_total_runs"]
    assert schema["properties"]["max_total_runs"]["maximum"] == 1000
