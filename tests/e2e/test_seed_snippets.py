"""Programs in the shape of the Azure ML documents, with only their imports changed.

Every call that those documents show is made here against a real studio: define, submit, wait, look.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from studio.sdk import (
    ActivityFailedException,
    BanditPolicy,
    BayesianParameterSampling,
    Estimator,
    Experiment,
    GridParameterSampling,
    HyperDriveConfig,
    HyperDriveConfigException,
    HyperDriveNotImplementedException,
    HyperDriveRun,
    MedianStoppingPolicy,
    PrimaryMetricGoal,
    RandomParameterSampling,
    Run,
    RunDetails,
    ScriptRunConfig,
    TruncationSelectionPolicy,
    UserErrorException,
    Workspace,
    choice,
    normal,
    uniform,
)
from tests.e2e.seed_script import seed_source
from tests.servers import LiveStudio

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workspace(live_studio: LiveStudio) -> Workspace:
    """The studio as a program on the same machine finds it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_HOME", str(live_studio.home))
        found = Workspace.from_config()
    return found


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seed_source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def script_run_config(source: Path) -> ScriptRunConfig:
    return ScriptRunConfig(
        source_directory=str(source),
        script="train.py",
        arguments=["--epochs", 3],
        compute_target="local",
    )


@pytest.fixture(scope="module")
def hyperdrive_run(workspace: Workspace, script_run_config: ScriptRunConfig) -> HyperDriveRun:
    param_sampling = RandomParameterSampling(
        {
            "learning_rate": normal(10, 3),
            "keep_probability": uniform(0.05, 0.1),
            "batch_size": choice(16, 32, 64, 128),
        }
    )
    early_termination_policy = BanditPolicy(
        slack_factor=0.1, evaluation_interval=1, delay_evaluation=5
    )
    hd_config = HyperDriveConfig(
        run_config=script_run_config,
        hyperparameter_sampling=param_sampling,
        policy=early_termination_policy,
        primary_metric_name="accuracy",
        primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
        max_total_runs=4,
        max_concurrent_runs=2,
    )
    experiment = Experiment(workspace, "seed-snippets")
    submitted = experiment.submit(hd_config, tags={"from": "a program"})
    details = submitted.wait_for_completion()
    assert details["status"] == "Completed"
    return submitted


@pytest.mark.parametrize("key", ["arguments", "Arguments"])
def test_best_configuration_is_read(hyperdrive_run: HyperDriveRun, key: str) -> None:
    best_run = hyperdrive_run.get_best_run_by_primary_metric()
    assert best_run is not None
    best_run_metrics = best_run.get_metrics()
    parameter_values = best_run.get_details()["runDefinition"][key]

    rows = hyperdrive_run.get_children_sorted_by_primary_metric()
    assert best_run.id == rows[0]["run_id"]
    assert max(best_run_metrics["accuracy"]) == rows[0]["best_primary_metric"]
    assert len(best_run_metrics["accuracy"]) == 3
    assert parameter_values[:2] == ["--epochs", "3"]
    chosen = json.loads(rows[0]["hyperparameters"])
    names = ("learning_rate", "keep_probability", "batch_size")
    values = [parameter_values[i] for i in (3, 5, 7)]
    assert [float(value) for value in values] == [chosen[name] for name in names]


def test_children_are_sorted_from_the_best(hyperdrive_run: HyperDriveRun) -> None:
    rows = hyperdrive_run.get_children_sorted_by_primary_metric()

    values = [row["best_primary_metric"] for row in rows]
    assert len(values) == 4
    assert values == sorted(values, reverse=True)
    assert {frozenset(row) for row in rows} == {
        frozenset({"run_id", "hyperparameters", "best_primary_metric", "status"})
    }
    turned = hyperdrive_run.get_children_sorted_by_primary_metric(top=2, reverse=True)
    assert [row["best_primary_metric"] for row in turned] == sorted(values)[:2]
    for wrong in ({"top": -1}, {"top": "2"}, {"reverse": 1}, {"discard_no_metric": None}):
        with pytest.raises(AssertionError):
            hyperdrive_run.get_children_sorted_by_primary_metric(**wrong)


def test_hyperparameters_and_metrics_of_all_runs(hyperdrive_run: HyperDriveRun) -> None:
    parameters = hyperdrive_run.get_hyperparameters()
    metrics = hyperdrive_run.get_metrics()

    assert list(parameters) == list(metrics) == [f"{hyperdrive_run.id}_{i}" for i in range(4)]
    for run_id, text in parameters.items():
        chosen = json.loads(text)
        assert metrics[run_id]["curve"] == {"x": [1, 2], "y": [chosen["learning_rate"], 0.5]}
        assert metrics[run_id]["note"] == "fine"
    with pytest.raises(TypeError):
        hyperdrive_run.get_metrics("accuracy")


def test_run_of_a_sweep_has_files_tags_and_logs(
    hyperdrive_run: HyperDriveRun, tmp_path: Path, workspace: Workspace
) -> None:
    children = list(hyperdrive_run.get_children(status="Completed"))
    run = children[0]
    size = str(json.loads(hyperdrive_run.get_hyperparameters()[run.id])["batch_size"])

    assert run.get_tags() == {"size": size}
    assert run.id in [r.id for r in hyperdrive_run.get_children(tags={"size": size})]
    assert run.get_properties() == {"made_by": "train.py"}
    assert run.get_file_names() == ["logs/std_log.txt", "outputs/model.txt", "plots/loss.txt"]
    run.download_file("plots/loss.txt", str(tmp_path / "loss.txt"))
    assert (tmp_path / "loss.txt").read_text() == size
    run.download_files("outputs/", str(tmp_path / "all"), append_prefix=False)
    assert (tmp_path / "all" / "model.txt").read_text() == size
    (log,) = run.get_all_logs(str(tmp_path))
    assert Path(log).read_text() == f"trained {size}\n"
    assert run.get_details_with_logs()["logFiles"]["logs/std_log.txt"] == f"trained {size}\n"
    run.tag("seen")
    run.remove_tags(["size", "unknown"])
    assert run.tags == {"seen": None}
    run.tag("size", size)
    with pytest.raises(UserErrorException, match="for good"):
        run.add_properties({"made_by": "somebody else"})
    for missing in (run.download_file, run.download_files):
        with pytest.raises(UserErrorException, match="no file"):
            missing("nothing.bin")
    with pytest.raises(UserErrorException, match="only the script"):
        run.upload_file("x", str(tmp_path / "loss.txt"))
    assert run.wait_for_completion()["status"] == "Completed"


def test_experiment_lists_its_sweeps(workspace: Workspace, hyperdrive_run: HyperDriveRun) -> None:
    experiment = workspace.experiments["seed-snippets"]

    ids = [run.id for run in experiment.get_runs(tags={"from": "a program"})]
    assert hyperdrive_run.id in ids
    assert list(experiment.get_runs(tags="nobody")) == []
    children = [r.id for r in experiment.get_runs(include_children=True)]
    assert set(hyperdrive_run.get_hyperparameters()) <= set(children)
    assert isinstance(Run.get(workspace, hyperdrive_run.id), HyperDriveRun)
    assert Run.get(workspace, f"{hyperdrive_run.id}_0").number == 0
    with pytest.raises(UserErrorException, match="no run 'HD_nothing'"):
        Run.get(workspace, "HD_nothing")


def test_definition_is_read_back(hyperdrive_run: HyperDriveRun) -> None:
    again = HyperDriveRun(hyperdrive_run.experiment, hyperdrive_run.id).hyperdrive_config

    mine = hyperdrive_run.hyperdrive_config
    assert again.source_directory is None
    assert again.hyperparameter_sampling.to_json() == mine.hyperparameter_sampling.to_json()
    assert again.policy.to_json() == mine.policy.to_json()
    assert again.primary_metric_config == mine.primary_metric_config
    assert (again.max_total_runs, again.max_concurrent_runs) == (4, 2)
    with pytest.raises(HyperDriveConfigException, match="no source directory"):
        hyperdrive_run.experiment.submit(again)


def test_table_of_runs_is_shown(hyperdrive_run: HyperDriveRun, capsys: Any) -> None:
    RunDetails(hyperdrive_run).show()

    shown = capsys.readouterr().out
    assert f"{hyperdrive_run.id}  Completed" in shown
    assert "accuracy" in shown
    assert "keep_probability" in shown
    assert shown.count("Completed") == 5
    assert hyperdrive_run.get_portal_url() in shown
    assert "<th>accuracy</th>" in RunDetails(hyperdrive_run).html()


def test_what_a_sweep_cannot_do_is_said(hyperdrive_run: HyperDriveRun) -> None:
    for refused in (hyperdrive_run.fail, hyperdrive_run.get_diagnostics):
        with pytest.raises(HyperDriveNotImplementedException):
            refused()
    with pytest.raises(UserErrorException, match="at submission"):
        hyperdrive_run.tag("late")
    hyperdrive_run.cancel()
    assert hyperdrive_run.get_status() == "Completed"


@pytest.mark.parametrize(
    "policy",
    [
        MedianStoppingPolicy(evaluation_interval=1, delay_evaluation=5),
        TruncationSelectionPolicy(
            evaluation_interval=1, truncation_percentage=20, delay_evaluation=5
        ),
        None,
    ],
)
def test_estimator_form_with_grid_sampling(
    workspace: Workspace, source: Path, policy: Any, capsys: Any
) -> None:
    estimator = Estimator(
        source_directory=str(source),
        entry_script="train.py",
        script_params={"--learning_rate": 0.1, "--keep_probability": 0.05},
        compute_target="local",
    )
    param_sampling = GridParameterSampling({"epochs": choice(1), "batch_size": choice(16, 32)})
    hyperdrive_run_config = HyperDriveConfig(
        estimator=estimator,
        hyperparameter_sampling=param_sampling,
        policy=policy,
        primary_metric_name="accuracy",
        primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
        max_total_runs=100,
        max_concurrent_runs=4,
    )
    experiment = Experiment(workspace, "seed-snippets-grid")
    hyperdrive_run = experiment.submit(hyperdrive_run_config)

    details = hyperdrive_run.wait_for_completion(show_output=True)

    assert details["status"] == "Completed"
    assert [json.loads(v)["batch_size"] for v in hyperdrive_run.get_hyperparameters().values()] == [
        16,
        32,
    ]
    best_run = hyperdrive_run.get_best_run_by_primary_metric()
    assert best_run is not None
    assert best_run.number == 1
    shown = capsys.readouterr().out
    assert hyperdrive_run.id in shown
    assert "run 1: Completed" in shown


def test_wrong_definition_names_every_problem(
    workspace: Workspace, script_run_config: ScriptRunConfig, source: Path
) -> None:
    experiment = Experiment(workspace, "seed-refused")
    hd_config = HyperDriveConfig(
        run_config=ScriptRunConfig(source, "missing.py", compute_target="nowhere"),
        hyperparameter_sampling=RandomParameterSampling({"a b": uniform(0, 1)}),
        primary_metric_name="accuracy",
        primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
        max_total_runs=1001,
    )

    with pytest.raises(HyperDriveConfigException) as refused:
        experiment.submit(hd_config)

    paths = {error["path"] for error in refused.value.errors}
    assert {"max_total_runs", "search_space.a b"} <= paths
    assert list(experiment.get_runs()) == []
    with pytest.raises(UserErrorException, match="takes a HyperDriveConfig"):
        experiment.submit(script_run_config)
    with pytest.raises(UserErrorException, match="begin with a letter"):
        Experiment(workspace, "-x")


def test_failed_sweep_raises_where_it_is_waited_for(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("raise SystemExit(3)")
    hd_config = HyperDriveConfig(
        run_config=ScriptRunConfig(tmp_path, "train.py"),
        hyperparameter_sampling=GridParameterSampling({"a": choice(1)}),
        primary_metric_name="accuracy",
        primary_metric_goal=PrimaryMetricGoal.MINIMIZE,
        max_total_runs=1,
    )
    run = Experiment(workspace, "seed-failed").submit(hd_config)

    with pytest.raises(ActivityFailedException, match="has failed"):
        run.wait_for_completion()

    details = run.wait_for_completion(raise_on_error=False)
    assert details["status"] == "Failed"
    assert details["error"]["error"]["message"]
    assert run.get_best_run_by_primary_metric() is None
    (row,) = run.get_children_sorted_by_primary_metric()
    assert (row["best_primary_metric"], row["status"]) == (None, "Failed")
    assert run.get_children_sorted_by_primary_metric(discard_no_metric=True) == []


def test_bayesian_sampling_runs_and_a_policy_is_refused(
    workspace: Workspace, source: Path, caplog: Any
) -> None:
    caplog.set_level(logging.ERROR)
    param_sampling = BayesianParameterSampling(
        {"learning_rate": uniform(0.05, 0.1), "batch_size": choice(16, 32, 64, 128)}
    )
    run_config = ScriptRunConfig(source, "train.py", ["--epochs", 1, "--keep_probability", 0.1])
    hd_config = HyperDriveConfig(
        run_config=run_config,
        hyperparameter_sampling=param_sampling,
        primary_metric_name="accuracy",
        primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
        max_total_runs=1,
    )

    experiment = Experiment(workspace, "seed-bayesian")
    assert experiment.submit(hd_config).wait_for_completion()["status"] == "Completed"

    with_policy = HyperDriveConfig(
        run_config=run_config,
        hyperparameter_sampling=param_sampling,
        policy=BanditPolicy(slack_factor=0.1),
        primary_metric_name="accuracy",
        primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
        max_total_runs=1,
    )
    with pytest.raises(HyperDriveConfigException, match="Bayesian") as refused:
        experiment.submit(with_policy)
    assert [error["path"] for error in refused.value.errors] == ["early_termination"]
