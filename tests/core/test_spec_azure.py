"""Azure ML v2 sweep job files: what is taken over, what is warned about, what is refused."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from experiments.problems import ProblemsError
from experiments.spec import SweepSpec
from experiments.spec_yaml import load_yaml

FILE = Path(__file__).parents[1] / "golden" / "azure_job.yml"
JOB = {
    "type": "sweep",
    "trial": {"command": "python main.py --lr ${{search_space.lr}}", "code": "src"},
    "search_space": {"lr": {"type": "uniform", "min_value": 0, "max_value": 1}},
    "objective": {"goal": "maximize", "primary_metric": "accuracy"},
    "limits": {"max_total_trials": 10},
}


def job(**changes):
    """Return the job with some parts changed: `trial__code="x"`; None removes a key."""
    raw = deepcopy(JOB)
    for path, value in changes.items():
        *parents, key = path.split("__")
        part = raw
        for parent in parents:
            part = part.setdefault(parent, {})
        if value is None:
            part.pop(key, None)
        else:
            part[key] = value
    return raw


def problems_of(**changes):
    with pytest.raises(ProblemsError) as caught:
        SweepSpec.parse(job(**changes))
    return {p.path: p.message for p in caught.value.problems}


def test_published_job_file_is_accepted_as_it_is():
    spec = SweepSpec.parse(FILE.read_text("utf-8"), base_directory=Path("/jobs"))

    assert spec.brief() == {
        "name": "sklearn-iris-sweep-example",
        "experiment": "sklearn-iris-sweep-example",
        "source_directory": "/jobs/src",
        "command": (
            "python main.py --data wasbs://data@example.blob.core.windows.net/iris.csv "
            "--title 'it'\"'\"'s a test' --C ${{search_space.C}} "
            "--kernel ${{search_space.kernel}} --out outputs/model"
        ),
        "environment": {"OMP_NUM_THREADS": "2"},
        "search_space": {"C": "uniform(0.5, 0.9)", "kernel": 'choice("rbf", "linear", "poly")'},
        "sampling": "random",
        "primary_metric": {"name": "training_f1_score", "goal": "minimize"},
        "early_termination": {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1},
        "max_total_runs": 20,
        "max_concurrent_runs": 10,
        "max_duration_minutes": 120,
        "run_timeout_minutes": 1.5,
        "tags": {"team": "blue", "run": "3"},
        "description": "Run a hyperparameter sweep job.",
    }
    assert spec.argv({"C": 0.7, "kernel": "rbf"}, "py")[:6] == [
        "py",
        "main.py",
        "--data",
        "wasbs://data@example.blob.core.windows.net/iris.csv",
        "--title",
        "it's a test",
    ]


def test_what_has_no_meaning_here_is_named_in_warnings():
    spec = SweepSpec.parse(FILE.read_text("utf-8"))

    assert spec.warnings() == [
        "inputs.training_data: data is neither copied nor mounted here; the script is given "
        '"wasbs://data@example.blob.core.windows.net/iris.csv" as it is written.',
        "outputs.model: the script is given the folder outputs/model, which is kept.",
        'compute "azureml:cpu-cluster" is not of this studio; the runs use local.',
        "outputs has no meaning here and is ignored.",
        "trial.environment has no meaning here and is ignored.",
    ]


def test_imported_file_is_the_same_specification_as_its_dump():
    spec = SweepSpec.parse(load_yaml(FILE.read_text("utf-8")))

    assert SweepSpec.parse(spec.dump()) == SweepSpec.parse(spec.dump_yaml()) == spec


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({}, "name", "sweep"),
        ({"name": "job-1"}, "name", "job-1"),
        ({"name": "job-1", "display_name": "Shown"}, "name", "Shown"),
        ({"trial__code": None}, "source_directory", "."),
        ({"limits__timeout": 7200}, "max_duration_minutes", 120),
        ({"limits__timeout": 30}, "max_duration_minutes", 1),
        ({"limits__timeout": 5184000}, "max_duration_minutes", 43200),
        ({}, "max_duration_minutes", 10080),
        ({"limits__trial_timeout": 30}, "run_timeout_minutes", 0.5),
        ({"limits__trial_timeout": 2592000}, "run_timeout_minutes", 43200),
        ({"limits": None}, "max_total_runs", 1000),
        ({"limits__max_concurrent_trials": 4}, "max_concurrent_runs", 4),
        ({"compute": "azureml:anything"}, "compute", "local"),
        ({"compute": "local"}, "compute", "local"),
        ({"sampling_algorithm": {"type": "random", "rule": "sobol", "seed": 3}}, "sampling",
         {"type": "sobol", "seed": 3}),
        ({"sampling_algorithm": "sobol"}, "sampling", "sobol"),
        ({"early_termination": {"type": "median_stopping", "evaluation_interval": 0}},
         "early_termination", {"type": "median_stopping", "evaluation_interval": 1}),
        ({"early_termination": {"type": "bandit", "slack_factor": 0, "slack_amount": 0.2}},
         "early_termination", {"type": "bandit", "slack_amount": 0.2}),
        ({"early_termination": {"type": "truncation_selection", "truncation_percentage": 20}},
         "early_termination", {"type": "truncation_selection", "truncation_percentage": 20}),
    ],
)  # fmt: skip
def test_parts_of_a_job_become_fields(changes, field, value):
    assert SweepSpec.parse(job(**changes)).dump()[field] == value


def test_base_of_logarithms_is_taken_over():
    spec = SweepSpec.parse(
        job(
            search_space={"lr": {"type": "loguniform", "min_value": -3, "max_value": 0}},
            sampling_algorithm={"type": "random", "logbase": 10},
        )
    )

    assert spec.space.parameters["lr"].bounds() == pytest.approx((1e-3, 1))


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"limits__timeout": 5184000}, "limits.timeout is cut to 43200 minutes, the longest here."),
        ({"limits": None}, "limits.max_total_trials is not given; the sweep may make 1000 runs."),
        ({"identity": {"type": "managed"}}, "identity has no meaning here and is ignored."),
        ({"resources": {"instance_count": 2}}, "resources has no meaning here and is ignored."),
        ({"trial__distribution": {"type": "mpi"}},
         "trial.distribution has no meaning here and is ignored."),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_over_is_warned_about(changes, warning):
    assert SweepSpec.parse(job(**changes)).warnings() == [warning]


def test_cluster_that_is_a_compute_target_is_used():
    raw = job(compute="azureml:gpu-box")

    known = SweepSpec.parse(raw, compute_targets=["local", "gpu-box"])
    unknown = SweepSpec.parse(raw, compute_targets=["local", "gpu"])

    assert (known.compute, known.warnings()) == ("gpu-box", [])
    assert (unknown.compute, unknown.warnings()) == (
        "local",
        ['compute "azureml:gpu-box" is not of this studio; the runs use local.'],
    )


@pytest.mark.parametrize("compute", [{"instance": "x"}, ["local"], 5])
def test_compute_that_is_no_name_is_warned_about(compute):
    spec = SweepSpec.parse(job(compute=compute), compute_targets=["local"])

    assert spec.compute == "local"
    assert spec.warnings()[0].endswith("is not of this studio; the runs use local.")


def test_input_may_have_a_default():
    raw = job(
        trial__command="python a.py ${{inputs.n}} ${{search_space.lr}}",
        inputs={"n": {"type": "integer", "default": 5}},
    )

    assert SweepSpec.parse(raw).command == "python a.py 5 ${{search_space.lr}}"


def test_files_that_mean_the_same_give_no_warning():
    changes = {"compute": "azureml:local", "$schema": "https://example.org/sweep.json"}

    assert SweepSpec.parse(job(**changes)).warnings() == []


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"trial": None}, "trial", "trial is missing; a sweep job has a mapping there."),
        ({"trial": "azureml:x:1"}, "trial", 'trial is "azureml:x:1"; a sweep job has a mapping'),
        ({"trial__command": None}, "trial.command", "command is missing; use text."),
        ({"trial__command": ["python"]}, "trial.command", 'command is ["python"]; use text.'),
        ({"trial__command": "python a.py"}, "trial.command", "uses no hyperparameter"),
        ({"trial__command": "cd x && python a.py ${{search_space.lr}}"}, "trial.command",
         "no shell runs it"),
        ({"trial__command": "python a.py '${{inputs.x}} ${{search_space.lr}}"}, "trial.command",
         "no closing quotation"),
        ({"trial__command": "python a.py ${{inputs.x}} ${{search_space.lr}}"}, "trial.command",
         'command uses the input "x", which has no value and no path.'),
        ({"trial__code": "git+https://example.org/x"}, "trial.code", "only a folder can be read"),
        ({"trial__comand": "x"}, "trial.comand", "Did you mean command?"),
        ({"trial__environment_variables": {"STUDIO_URL": "x"}},
         "trial.environment_variables.STUDIO_URL", "set by the studio itself"),
        ({"objective": None}, "objective", "objective is missing"),
        ({"objective__goal": "up"}, "objective.goal", "use maximize or minimize."),
        ({"objective__primary_metric": None}, "objective.primary_metric",
         "primary_metric is missing; use the exact name"),
        ({"limits__max_total_trials": 0}, "limits.max_total_trials",
         "max_total_trials is 0; use a whole number"),
        ({"limits__max_concurrent_trials": 101}, "limits.max_concurrent_trials",
         "max_concurrent_trials is 101; use"),
        ({"limits__timeout": "1h"}, "limits.timeout", "whole number of seconds"),
        ({"limits__trial_timeout": True}, "limits.trial_timeout", "whole number of seconds"),
        ({"limits__max_trials": 3}, "limits.max_trials", "Did you mean max_total_trials?"),
        ({"limits": 3}, "limits", "limits is 3; a sweep job has a mapping there."),
        ({"trial__command": "python a.py ${{inputs.x}} ${{search_space.lr}}",
          "inputs": {"x": {"type": "uri_file"}}}, "trial.command",
         'command uses the input "x", which has no value and no path.'),
        ({"search_space": None}, "search_space", "give at least one hyperparameter"),
        ({"search_space__lr__type": "gaussian"}, "search_space.lr.type", "no parameter expression"),
        ({"sampling_algorithm": "hyperband"}, "sampling_algorithm",
         'sampling_algorithm is "hyperband"; use random, sobol, grid, bayesian or '
         "bayesian_extended"),
        ({"sampling_algorithm": {"type": "random", "seed": -1}}, "sampling_algorithm.seed",
         "use a whole number from 0"),
        ({"early_termination": {"type": "bandit"}}, "early_termination.slack_factor", "slack"),
        ({"experiment_name": "with space"}, "experiment_name",
         'experiment_name is "with space"; start with a letter or digit'),
        ({"name": 5}, "name", "name is 5; use 1 to 255 characters."),
        ({"display_name": 5}, "display_name", "display_name is 5; use 1 to 255 characters."),
        ({"trial__code": " "}, "trial.code", "code is empty; use the path of a folder."),
        ({"objetive": {}}, "objetive", "Did you mean objective?"),
        ({"max_total_runs": 3}, "max_total_runs", "An Azure ML sweep job has no"),
    ],
)  # fmt: skip
def test_wrong_part_is_one_problem_at_its_place_in_the_file(changes, path, message):
    found = problems_of(**changes)

    assert list(found) == [path]
    assert message in found[path]


def test_every_problem_of_a_job_is_reported_at_once():
    found = problems_of(
        trial__command=None,
        objective__goal="up",
        limits__max_total_trials=0,
        limits__timeout="1h",
        search_space__lr__min_value=3,
        unknown=1,
    )

    assert list(found) == [
        "unknown",
        "trial.command",
        "limits.timeout",
        "search_space.lr.max_value",
        "objective.goal",
        "limits.max_total_trials",
    ]
