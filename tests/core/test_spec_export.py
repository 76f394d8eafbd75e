"""A specification leaves the studio in four formats and comes back the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from experiments.forms.sweep_fields import fields_from_post, fields_from_raw, raw_from_fields
from experiments.policies import make_policy
from experiments.spec import SweepSpec
from experiments.spec_export import EXPORT_FORMATS, export_spec
from experiments.spec_yaml import load_yaml
from tests.space_strategies import one_line, specifications

CALM = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
FULL: dict[str, Any] = {
    "name": "digits · wide",
    "experiment": "digits",
    "source_directory": "src",
    "script": "train.py",
    "arguments": ["--epochs", 20, "--title", "it's 5 o'clock"],
    "environment": {"OMP_NUM_THREADS": "1"},
    "compute": "gpu",
    "search_space": {
        "lr": "loguniform(-6, -1)",
        "units": "choice(16, 32)",
        "momentum": "quniform(0, 1, 0.25)",
    },
    "sampling": {"type": "sobol", "seed": 7},
    "primary_metric": {"name": "accuracy", "goal": "maximize"},
    "early_termination": {"type": "bandit", "slack_factor": 0.1, "delay_evaluation": 5},
    "max_total_runs": 20,
    "max_concurrent_runs": 4,
    "max_duration_minutes": 90.5,
    "run_timeout_minutes": 30,
    "tags": {"team": "blue"},
}


def full(**changes):
    return SweepSpec.parse({**FULL, **changes})


def text_of(name, spec):
    return export_spec(spec, name).text


def comments(text):
    return [line[2:] for line in text.splitlines() if line.startswith("# ")]


def config_of(spec):
    """The HyperDriveConfig that the exported program defines."""
    scope: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text_of("python", spec), "exported.py", "exec"), scope)
    return scope["config"]


def comparable(spec, **changes):
    """What the other formats can say of a specification."""
    return {**spec.dump(), "source_directory": "", "snapshot": None, **changes}


def policy_of(spec):
    """Type and settings of the policy, those left out with their defaults."""
    policy = make_policy(spec.early_termination_config)
    return type(policy), policy.config


@CALM
@given(specifications())
def test_any_specification_survives_form_yaml_and_json_unchanged(raw):
    spec = SweepSpec.parse(raw)
    spec = SweepSpec.parse({**spec.dump(), **one_line(spec)})

    posted = fields_from_raw(spec.brief())
    controls = dict(posted.texts)
    for number, row in enumerate(posted.rows):
        texts = {"name": row.name, "type": row.type, **row.texts}
        controls |= {f"search_space-{number}-{key}": text for key, text in texts.items()}
    # The line ends of a form are those of the web, whoever typed them.
    assume(not any("\r\n" in text for text in controls.values()))
    of_form = SweepSpec.parse(raw_from_fields(fields_from_post(controls)))
    of_yaml = SweepSpec.parse(text_of("yaml", of_form))
    of_json = SweepSpec.parse(json.loads(text_of("json", of_yaml)))

    assert of_json.dump() == {**spec.dump(), "source_directory": of_json.source_directory}
    assert of_json.source_directory == (spec.source_directory if spec.snapshot is None else ".")


@CALM
@given(specifications())
def test_azure_job_of_any_specification_gives_the_same_search(raw):
    spec = SweepSpec.parse(raw)

    read = SweepSpec.parse(text_of("azure", spec), compute_targets=[spec.compute])

    assert list(read.search_space.values()) == list(spec.search_space.values())
    assert read.goal == spec.goal
    assert read.metric_name == spec.metric_name
    if spec.sampler_name == "bayesian_extended":  # unknown there
        assert read.sampler_name in ("bayesian", "random")
    elif spec.sampler_name in ("grid", "bayesian"):  # without a seed there
        assert read.sampling == spec.sampler_name
    else:
        assert read.sampling == spec.sampling
    assert read.early_termination == spec.early_termination
    assert read.max_total_runs == spec.max_total_runs
    assert read.max_concurrent_runs == spec.max_concurrent_runs
    assert read.max_duration_minutes * 60 == pytest.approx(spec.max_duration_minutes * 60, abs=0.5)
    assert (read.tags, read.environment) == (spec.tags, spec.environment)
    assert (read.name, read.experiment, read.compute) == (spec.name, spec.experiment, spec.compute)


@CALM
@given(specifications())
def test_azure_command_runs_the_same_words(raw):
    spec = SweepSpec.parse({**raw, "python": None})
    params = spec.space.from_unit([0.5] * spec.space.dimension)

    read = SweepSpec.parse(text_of("azure", spec))

    renamed = dict(zip(read.search_space, params.values(), strict=True))
    assert read.argv(renamed, "py") == spec.argv(params, "py")


@CALM
@given(specifications())
def test_program_of_any_specification_defines_the_same_sweep(raw):
    spec = SweepSpec.parse(raw)

    config = config_of(spec)
    read = SweepSpec.parse(config.to_spec(name=spec.name, experiment=spec.experiment))

    # Tags and description are given where it is submitted.
    submitted = {"description": "", "tags": {}}
    assert policy_of(read) == policy_of(spec)
    same = {"early_termination": None}
    assert comparable(read, **same) == comparable(spec, **same, **submitted)
    assert config.source_directory == (spec.source_directory or ".")


def test_program_uses_the_names_of_the_sdk_and_submits_only_when_run():
    text = text_of("python", full())

    compile(text, "sweep.py", "exec")
    for part in (
        "    BanditPolicy,\n",
        'lr": loguniform(-6, -1),',
        '"units": choice(16, 32),',
        '"momentum": ["quniform", [0, 1, 0.25]],',
        'properties={"rule": "sobol", "seed": 7},',
        "policy=BanditPolicy(slack_factor=0.1, delay_evaluation=5),",
        "primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,",
        "max_run_duration_seconds=1800,",
        'Experiment(workspace, "digits").submit(\n'
        "        config,\n"
        '        display_name="digits · wide",\n'
        '        tags={"team": "blue"},\n'
        "    )\n",
    ):
        assert part in text
    before, _, after = text.partition('if __name__ == "__main__":')
    assert "submit(" not in before
    assert "submit(" in after


def test_program_says_what_only_the_studio_has():
    spec = full(
        max_failed_runs=3, description="two\nlines", run_timeout_minutes=0.7123, snapshot="ab" * 32
    )

    text = text_of("python", spec)

    assert comments(text) == [
        "Defines and submits a sweep.",
        "source_directory: put the files of snapshot abababababab there.",
    ]
    for part in (
        "max_failed_runs=3,",
        "run_timeout_minutes=0.7123,",
        'description="two\\nlines",',
    ):
        assert part in text
    assert "max_run_duration_seconds" not in text


def test_time_of_a_run_that_the_client_takes_for_no_limit_is_said():
    config = config_of(full(run_timeout_minutes=43200))

    assert config.to_spec(name="a", experiment="b")["run_timeout_minutes"] == 43200


def test_azure_job_has_its_own_words_and_units():
    job = load_yaml(text_of("azure", full()))

    assert job["type"] == "sweep"
    assert job["sampling_algorithm"] == {"type": "random", "rule": "sobol", "seed": 7}
    assert job["objective"] == {"goal": "maximize", "primary_metric": "accuracy"}
    assert job["compute"] == "azureml:gpu"
    assert job["limits"] == {
        "max_total_trials": 20,
        "max_concurrent_trials": 4,
        "timeout": 5430,
        "trial_timeout": 1800,
    }
    assert job["trial"]["command"] == (
        "python train.py --epochs 20 --title 'it'\"'\"'s 5 o'\"'\"'clock' "
        "--lr ${{search_space.lr}} --units ${{search_space.units}} "
        "--momentum ${{search_space.momentum}}"
    )


def test_azure_job_names_in_comments_what_it_cannot_say():
    spec = full(
        search_space={"--batch-size": "choice(1, 2)", "batch_size": 'choice({"a": 1}, 2)'},
        sampling={"type": "grid"},
        early_termination={
            "type": "truncation_selection",
            "truncation_percentage": 20,
            "exclude_finished_jobs": True,
        },
        max_failed_runs=3,
        max_duration_minutes=1.005,
        python="/opt/py",
        snapshot="ab" * 32,
    )

    text = text_of("azure", spec)

    assert comments(text) == [
        "trial.environment is missing: name one of your workspace, such as azureml:NAME@latest.",
        'search_space.batch_size_2 is "--batch-size" in the studio; '
        "Azure ML takes letters, digits and underscores only.",
        "trial.code: put the files of snapshot abababababab there.",
        "search_space.batch_size has mappings among its values; "
        "Azure ML takes such a mapping for a nested search space.",
        "early_termination.exclude_finished_jobs is left out: there is no such key.",
        "max_duration_minutes 1.005 is rounded to 60 seconds.",
        'python "/opt/py" is left out: the environment of the job brings its own interpreter.',
        "max_failed_runs 3 is left out: a job does not pause after failures.",
    ]
    assert "--batch-size ${{search_space.batch_size_2}}" in text


def test_azure_placeholders_of_a_command_follow_renamed_parameters():
    spec = full(
        search_space={"a.b": "choice(1, 2)"},
        script=None,
        arguments=[],
        command="python train.py -x ${{ search_space.a.b }}",
    )

    job = load_yaml(text_of("azure", spec))

    assert job["trial"]["command"] == "python train.py -x ${{search_space.a_b}}"
    assert list(job["search_space"]) == ["a_b"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits-mlp", "digits-mlp.yaml"),
        ("digits · wide/7", "digits-wide-7.yaml"),
        ("…", "sweep.yaml"),
        ("x" * 200, "x" * 80 + ".yaml"),
    ],
)
def test_file_name_comes_from_the_name_of_the_sweep(name, expected):
    assert export_spec(full(name=name), "yaml").file_name == expected


def test_every_format_has_its_own_file_ending():
    endings = [made.ending for made in EXPORT_FORMATS.values()]

    assert endings == [".yaml", ".json", ".py", ".azure.yaml"]
