"""What a specification with Bayesian sampling may say, and what it is advised."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from experiments.problems import ProblemsError
from experiments.spec import SweepSpec
from experiments.spec_export import export_spec
from experiments.spec_warnings import find_warnings
from studio.sdk.stored_config import config_of

SPACE = {"rate": "uniform(0.0, 1.0)", "units": "choice(16, 32, 64)", "depth": "quniform(1, 8, 1)"}


def spec(**changes: Any) -> dict[str, Any]:
    return {
        "name": "tried",
        "experiment": "tried",
        "source_directory": ".",
        "script": "train.py",
        "search_space": SPACE,
        "sampling": "bayesian",
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 60,
        "max_concurrent_runs": 4,
        **changes,
    }


def problems(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(ProblemsError) as refused:
        SweepSpec.parse(spec(**changes))
    return [(problem.path, problem.message) for problem in refused.value.problems]


def warnings(**changes: Any) -> list[str]:
    return find_warnings(SweepSpec.parse(spec(**changes)))


def test_enough_runs_a_few_at_a_time_need_no_advice():
    assert warnings() == []


def test_twenty_runs_for_each_hyperparameter_are_advised():
    assert warnings(max_total_runs=59) == [
        "Bayesian sampling learns best from 20 runs for each hyperparameter: 60 for these 3; "
        "max_total_runs is 59."
    ]


def test_a_small_space_that_is_tried_completely_needs_no_more_runs():
    found = warnings(search_space={"units": "choice(16, 32, 64)"}, max_total_runs=3)

    assert found == ["max_concurrent_runs is 4, more than max_total_runs 3."]


@pytest.mark.parametrize("concurrent", [21, None])
def test_many_runs_at_once_are_advised_against(concurrent):
    [text] = warnings(max_concurrent_runs=concurrent)

    assert text.startswith(f"Up to {concurrent or 60} runs go on at once")
    assert text.endswith("Bayesian sampling is better with max_concurrent_runs up to 20.")


def test_other_methods_are_not_advised():
    assert warnings(sampling="random", max_total_runs=3, max_concurrent_runs=None) == []


@pytest.mark.parametrize(
    "policy", ["bandit", {"type": "bandit", "slack_factor": 0.1}, "median_stopping"]
)
def test_policy_is_refused_with_both_ways_out(policy):
    given = {"type": "bandit", "slack_factor": 0.2} if policy == "bandit" else policy

    assert problems(early_termination=given) == [
        (
            "early_termination",
            "Bayesian sampling needs every run to end by itself; set early_termination to null, "
            "or use bayesian_extended.",
        )
    ]


@pytest.mark.parametrize("policy", [None, "none", {"type": "none"}])
def test_no_policy_may_be_said_in_any_way(policy):
    assert SweepSpec.parse(spec(early_termination=policy)).early_termination_config is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loguniform(-6, -1)", "cannot use loguniform; it takes choice, quniform, uniform."),
        ("normal(0, 1)", "cannot use normal"),
        ("randint(4)", "cannot use randint"),
        ("choice(True, False)", "takes numbers and text in a choice, not True"),
        ("choice(1, 'a')", "takes numbers or text in a choice, not both"),
        ("quniform(0, 1, 0.1)", "takes whole numbers in quniform"),
        ("quniform(0, 200000, 1)", "takes at most 100000 values in quniform"),
    ],
)
def test_expressions_it_cannot_take_are_named_at_their_parameter(text, said):
    [(path, message)] = problems(search_space={**SPACE, "odd": text})

    assert path == "search_space.odd"
    assert said in message
    extended = SweepSpec.parse(
        spec(sampling="bayesian_extended", search_space={**SPACE, "odd": text})
    )
    assert extended.sampler_name == "bayesian_extended"


def test_extended_takes_a_policy():
    policy = {"type": "bandit", "slack_factor": 0.2}

    parsed = SweepSpec.parse(spec(sampling="bayesian_extended", early_termination=policy))

    assert (
        parsed.early_termination_config
        == SweepSpec.parse(
            spec(sampling="random", early_termination=policy)
        ).early_termination_config
    )


@pytest.mark.parametrize("name", ["bayesian", "bayesian_extended"])
def test_every_export_says_the_method(name):
    parsed = SweepSpec.parse(spec(sampling={"type": name, "seed": 5}))

    program = export_spec(parsed, "python").text
    again = config_of(parsed.dump())
    job = yaml.safe_load(export_spec(parsed, "azure").text)

    kind = type(again._sampling).__name__
    assert kind in program
    assert again._sampling.properties["seed"] == 5
    assert again._sampling.to_json()["parameter_space"]["rate"] == ["uniform", [0.0, 1.0]]
    assert job["sampling_algorithm"] == "bayesian"
    assert SweepSpec.parse(export_spec(parsed, "yaml").text).sampler_name == name


def test_azure_job_of_what_only_the_extended_method_takes_is_random():
    space = {**SPACE, "rate": "loguniform(-6, -1)"}
    parsed = SweepSpec.parse(spec(sampling="bayesian_extended", search_space=space))

    text = export_spec(parsed, "azure").text

    assert yaml.safe_load(text)["sampling_algorithm"] == "random"
    assert "sampling bayesian_extended is not known there; random stands in its place." in text


def test_azure_job_with_bayesian_sampling_is_read():
    job = yaml.safe_load(export_spec(SweepSpec.parse(spec()), "azure").text)

    assert job["sampling_algorithm"] == "bayesian"
    assert SweepSpec.parse(job).sampler_name == "bayesian"
