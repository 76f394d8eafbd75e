"""The definition of a sweep by program: wire forms, checks, errors, and the spec it becomes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import studio.sdk as sdk
from experiments.policies import POLICIES
from experiments.space.space import SearchSpace
from experiments.spec import SweepSpec

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "sdk.json").read_text())
WORDS = {"inf": math.inf, "nan": math.nan}


def arguments(row: dict[str, Any]) -> list[Any]:
    """Return the arguments of a golden row; JSON knows neither ranges nor NaN."""
    found = []
    for value in row["arguments"]:
        if isinstance(value, dict):
            found.append(range(*value["range"]) if "range" in value else tuple(value["tuple"]))
        else:
            found.append(WORDS.get(value, value) if isinstance(value, str) else value)
    return found


@pytest.mark.parametrize("row", GOLDEN["expressions"], ids=lambda row: row["case"])
def test_expression_is_its_wire_form(row):
    wire = getattr(sdk, row["function"])(*arguments(row))

    assert wire == row["wire"]
    assert [type(v) for v in wire[1]] == [type(v) for v in row["wire"][1]]


@pytest.mark.parametrize("row", GOLDEN["accepted_by_the_studio"], ids=lambda row: row["case"])
def test_studio_reads_what_the_client_writes(row):
    wire = getattr(sdk, row["function"])(*arguments(row))

    assert SearchSpace.parse({"x": wire}).to_text() == {"x": row["text"]}


@pytest.mark.parametrize("row", GOLDEN["refused_expressions"], ids=lambda row: row["case"])
def test_expression_is_refused(row):
    with pytest.raises(sdk.HyperDriveConfigException) as refused:
        getattr(sdk, row["function"])(*arguments(row))

    assert refused.value.target == row["target"]
    assert str(refused.value).startswith(row["function"])
    assert refused.value.error_code == "ArgumentInvalid"


def test_tuple_is_one_option_and_no_list_of_options():
    wire = sdk.choice((1, 2))

    assert wire == ["choice", [[(1, 2)]]]
    assert SearchSpace.parse({"x": wire}).to_text() == {"x": "choice([[1, 2]])"}


def test_wire_form_may_be_written_by_hand():
    space = {"lr": ["uniform", [0.1, 0.9]], "--batch-size": ["choice", [[16, 32]]]}
    definition = config(hyperparameter_sampling=sdk.RandomParameterSampling(space))

    assert parsed(definition).search_space == {
        "lr": "uniform(0.1, 0.9)",
        "--batch-size": "choice(16, 32)",
    }


def test_keyword_names_of_the_bounds():
    assert sdk.uniform(min_value=0, max_value=1) == ["uniform", [0, 1]]
    assert sdk.qnormal(mu=1, sigma=2, q=3) == ["qnormal", [1, 2, 3]]


@pytest.mark.parametrize("row", GOLDEN["refused_samplings"], ids=lambda row: row["case"])
def test_space_is_refused_by_sampler(row):
    with pytest.raises(sdk.HyperDriveConfigException):
        getattr(sdk, row["sampling"])(row["space"])


@pytest.mark.parametrize("row", GOLDEN["samplings"], ids=lambda row: row["case"])
def test_sampling_has_its_wire_form(row):
    sampling = getattr(sdk, row["sampling"])(row["space"])

    assert sampling.to_json() == {"name": row["name"], "parameter_space": row["space"]}
    again = sdk.HyperParameterSampling.from_json({**sampling.to_json(), "name": row["other_case"]})
    assert type(again) is type(sampling)
    assert again.to_json() == sampling.to_json()


def test_stored_sampling_without_its_keys_cannot_be_read():
    for document in ({"name": "RANDOM"}, {"parameter_space": {}}):
        with pytest.raises(sdk.HyperDriveRehydrateException):
            sdk.HyperParameterSampling.from_json(document)
    with pytest.raises(sdk.HyperDriveConfigException, match="use RANDOM, GRID"):
        sdk.HyperParameterSampling.from_json({"name": "evolution", "parameter_space": {}})


@pytest.mark.parametrize("row", GOLDEN["policies"], ids=lambda row: row["case"])
def test_policy_has_its_wire_form(row):
    policy = getattr(sdk, row["policy"])(*row["positional"], **row["keywords"])

    assert policy.to_json() == row["wire"]
    again = sdk.EarlyTerminationPolicy.from_json(
        {**row["wire"], "name": row["wire"]["name"].upper()}
    )
    assert type(again) is type(policy)
    assert again.to_json() == row["wire"]


@pytest.mark.parametrize("row", GOLDEN["refused_policies"], ids=lambda row: row["case"])
def test_policy_is_refused(row):
    keywords = {key: WORDS.get(str(value), value) for key, value in row["keywords"].items()}

    with pytest.raises(sdk.HyperDriveConfigException) as refused:
        getattr(sdk, row["policy"])(**keywords)

    assert row["target"] in (refused.value.target or "")


def test_goal_is_read_from_words():
    assert sdk.PrimaryMetricGoal.from_str("Maximize") is sdk.PrimaryMetricGoal.MAXIMIZE
    assert sdk.PrimaryMetricGoal.MINIMIZE.value == "minimize"
    with pytest.raises(sdk.HyperDriveConfigException, match="maximize or minimize"):
        sdk.PrimaryMetricGoal.from_str("up")


def config(**changes: Any) -> sdk.HyperDriveConfig:
    """Return a definition with some parts changed."""
    parts: dict[str, Any] = {
        "run_config": sdk.ScriptRunConfig(".", "train.py", ["--epochs", 3], compute_target="local"),
        "hyperparameter_sampling": sdk.RandomParameterSampling({"lr": sdk.uniform(0, 1)}),
        "primary_metric_name": "accuracy",
        "primary_metric_goal": sdk.PrimaryMetricGoal.MAXIMIZE,
        "max_total_runs": 10,
    }
    return sdk.HyperDriveConfig(**{**parts, **changes})


def parsed(definition: sdk.HyperDriveConfig) -> SweepSpec:
    """Return the specification that the studio makes of a definition."""
    return SweepSpec.parse(definition.to_spec(name="n", experiment="e"))


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": sdk.BanditPolicy(slack_factor=0, delay_evaluation=5)},
        {"policy": sdk.BanditPolicy(2, None, 0.5)},
        {"policy": sdk.MedianStoppingPolicy(1, 5)},
        {"policy": sdk.TruncationSelectionPolicy(20, 1, 5)},
        {"policy": sdk.NoTerminationPolicy()},
        {"policy": None},
    ],
)
def test_policy_reaches_the_specification(changes):
    spec = parsed(config(**changes))

    wanted = changes["policy"]
    if wanted is None or isinstance(wanted, sdk.NoTerminationPolicy):
        assert spec.early_termination is None
    else:
        assert spec.early_termination is not None
        name = spec.early_termination["type"]
        assert name in POLICIES
        assert spec.early_termination == {"type": name, **wanted.properties}


def test_whole_definition_becomes_a_specification():
    environment = sdk.Environment("mine")
    environment.environment_variables["OMP_NUM_THREADS"] = "1"
    definition = config(
        run_config=sdk.ScriptRunConfig(
            ".",
            "train.py",
            ["--epochs", np.int64(3), "--flag"],
            environment=environment,
            compute_target="local",
            max_run_duration_seconds=120,
        ),
        hyperparameter_sampling=sdk.RandomParameterSampling(
            {"lr": sdk.loguniform(-6, -1), "size": sdk.choice([np.int64(8), 16])},
            properties={"seed": 7, "rule": "sobol"},
        ),
        max_concurrent_runs=4,
        max_duration_minutes=30,
    )

    spec = parsed(definition)

    assert spec.arguments == ["--epochs", "3", "--flag"]
    assert spec.search_space == {"lr": "loguniform(-6, -1)", "size": "choice(8, 16)"}
    assert spec.sampling == {"type": "sobol", "seed": 7}
    assert spec.environment == {"OMP_NUM_THREADS": "1"}
    assert (spec.max_concurrent_runs, spec.max_duration_minutes) == (4, 30)
    assert spec.run_timeout_minutes == 2
    assert definition.source_directory == "."


def test_command_with_placeholders():
    run = sdk.ScriptRunConfig(".", command=["python", "train.py", "--lr", "${{search_space.lr}}"])

    assert parsed(config(run_config=run)).command == "python train.py --lr ${{search_space.lr}}"


def test_estimator_drops_what_is_sampled(caplog):
    estimator = sdk.Estimator(
        source_directory=".",
        entry_script="train.py",
        script_params={"--lr": 0.1, "--epochs": 5, "--fast": ""},
        compute_target="local",
    )

    spec = parsed(config(run_config=None, estimator=estimator))

    assert (spec.script, spec.arguments) == ("train.py", ["--epochs", "5", "--fast"])
    assert "the fixed --lr is dropped" in caplog.text


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"run_config": None}, "run_config, estimator"),
        ({"estimator": sdk.Estimator(".", entry_script="a.py")}, "run_config, estimator"),
        ({"run_config": "train.py"}, "run_config"),
        ({"primary_metric_goal": "maximize"}, "primary_metric_goal"),
        ({"primary_metric_name": None}, "primary_metric_name"),
        ({"hyperparameter_sampling": {"lr": 1}}, "hyperparameter_sampling"),
        ({"policy": "bandit"}, "policy"),
        ({"resume_from": [f"HD_{i}" for i in range(6)]}, "resume_from"),
        ({"resume_from": ["HD_1", "HD_1"]}, "resume_from"),
        ({"resume_child_runs": [3]}, "resume_child_runs"),
        ({"resume_child_runs": ["a", "b"], "max_total_runs": 1}, "resume_child_runs"),
    ],
)
def test_definition_is_refused(changes, target):
    with pytest.raises(sdk.HyperDriveConfigException) as refused:
        config(**changes)

    assert refused.value.target == target


def test_pipelines_are_not_there():
    with pytest.raises(sdk.HyperDriveNotImplementedException):
        config(pipeline=object())


def test_script_and_command_together_are_refused():
    with pytest.raises(sdk.UserErrorException, match="both given"):
        sdk.ScriptRunConfig(".", "train.py", command="python train.py")


def test_run_configuration_may_be_changed_afterwards():
    run = sdk.ScriptRunConfig(".", "train.py", ["--a", 1])
    run.run_config.target = "gpu"
    run.run_config.environment = {"A": 1}
    run.arguments = ["--b", True]

    launch = run.launch()

    assert (launch.compute, launch.arguments) == ("gpu", ["--b", True])
    assert launch.environment == {"A": "1"}


def test_advice_about_bayesian_sampling_is_given(caplog):
    config(
        hyperparameter_sampling=sdk.BayesianParameterSampling({"lr": sdk.uniform(0, 1)}),
        max_concurrent_runs=30,
        max_duration_minutes=20000,
    )

    assert "at least 20 is better" in caplog.text
    assert "fewer than 20 concurrent" in caplog.text
    assert "max_duration_minutes is 20000" in caplog.text


def test_older_name_takes_the_estimator_first():
    definition = sdk.HyperDriveRunConfig(
        sdk.Estimator(".", entry_script="train.py"),
        sdk.GridParameterSampling({"a": sdk.choice(1, 2)}),
        "loss",
        sdk.PrimaryMetricGoal.MINIMIZE,
        2,
    )

    spec = parsed(definition)

    assert (spec.script, spec.sampling, spec.goal) == ("train.py", "grid", "minimize")


def test_every_public_name_can_be_imported():
    assert sorted(sdk.__all__) == sdk.__all__
    assert all(getattr(sdk, name) is not None for name in sdk.__all__)
    assert set(sdk.__all__) <= set(dir(sdk))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = sdk.nonsense


def test_error_is_one_json_object_for_programs():
    with pytest.raises(sdk.HyperDriveException) as refused:
        sdk.choice()

    document = json.loads(refused.value._serialize_json())
    assert document["error"]["code"] == "ArgumentInvalid"
    assert document["error"]["message"] == str(refused.value)
