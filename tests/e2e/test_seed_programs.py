"""Whole programs for Azure ML: run without a change, or told that the studio is away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studio.sdk import (
    Experiment,
    ExperimentExecutionException,
    GridParameterSampling,
    HyperDriveConfig,
    PrimaryMetricGoal,
    ScriptRunConfig,
    Workspace,
    choice,
)
from tests.e2e.seed_script import seed_source
from tests.servers import ROOT, LiveStudio, clean_environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seed_source(tmp_path_factory.mktemp("source"))


def test_studio_that_is_away_is_said(tmp_path: Path, source: Path) -> None:
    away = Workspace("http://127.0.0.1:9", "no-token")
    away.client.patience = 0.1
    hd_config = HyperDriveConfig(
        run_config=ScriptRunConfig(source, "train.py"),
        hyperparameter_sampling=GridParameterSampling({"a": choice(1)}),
        primary_metric_name="accuracy",
        primary_metric_goal=PrimaryMetricGoal.MINIMIZE,
        max_total_runs=1,
    )

    with pytest.raises(ExperimentExecutionException, match="does not answer"):
        Experiment(away, "x").submit(hd_config)


# A whole program of the older kind: nothing in it names this studio.
PROGRAM = """
import sys
from azureml.core import Experiment, Run, ScriptRunConfig, Workspace
from azureml.core.experiment import Experiment as Same
from azureml.core.run import Run as SameRun
from azureml.train.hyperdrive import (
    BanditPolicy, HyperDriveConfig, HyperDriveRun, PrimaryMetricGoal, RandomParameterSampling,
    choice, uniform,
)
from azureml.widgets import RunDetails

assert Same is Experiment and SameRun is Run
workspace = Workspace.from_config()
hd_config = HyperDriveConfig(
    run_config=ScriptRunConfig(sys.argv[1], "train.py", ["--epochs", 1]),
    hyperparameter_sampling=RandomParameterSampling({
        "learning_rate": uniform(0.0005, 0.005),
        "keep_probability": uniform(0.05, 0.1),
        "batch_size": choice(16, 32),
    }),
    policy=BanditPolicy(slack_factor=0.15, evaluation_interval=1, delay_evaluation=10),
    primary_metric_name="accuracy",
    primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
    max_total_runs=2,
    max_concurrent_runs=2,
)
experiment = Experiment(workspace, "shim")
hyperdrive_run = experiment.submit(hd_config)
hyperdrive_run.wait_for_completion(show_output=False)
RunDetails(hyperdrive_run).show()
same = HyperDriveRun(experiment, hyperdrive_run.id)
best_run = same.get_best_run_by_primary_metric()
resume_child_run = Run(experiment, best_run.id)
print("Best Run Id:", best_run.id, resume_child_run.get_metrics()["accuracy"])
"""


def test_program_for_azure_ml_runs_unchanged(
    live_studio: LiveStudio, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)

    done = subprocess.run(
        [sys.executable, "-m", "studio.sdk.azureml", str(tmp_path / "program.py"), str(source)],
        cwd=tmp_path,
        env=clean_environment(
            STUDIO_URL=live_studio.url, STUDIO_TOKEN=live_studio.token, PYTHONPATH=str(ROOT)
        ),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Best Run Id: HD_" in done.stdout
