"""Warm starts in a whole studio: docs/reference/warm-start.md goes on from its checkpoint."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from studio.sdk import (
    Experiment,
    GridParameterSampling,
    HyperDriveConfig,
    HyperDriveRun,
    PrimaryMetricGoal,
    RandomParameterSampling,
    Run,
    ScriptRunConfig,
    Workspace,
    choice,
)
from tests.e2e.command import run_studio
from tests.servers import ROOT, LiveStudio

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "reference" / "warm-start.md").read_text()
TRAIN, _ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SPEC: dict[str, Any] = {
    "name": "checkpoints",
    "experiment": "warm",
    "script": "train.py",
    "search_space": {"rate": "choice(0.1, 0.3)"},
    "sampling": "grid",
    "primary_metric": {"name": "loss", "goal": "minimize"},
    "max_total_runs": 2,
    "max_concurrent_runs": 2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    (folder / "train.py").write_text(TRAIN)
    return folder


@pytest.fixture(scope="module")
def earlier(live_studio: LiveStudio, folder: Path) -> dict[str, Any]:
    """A sweep of two runs that ended well, each with its checkpoint."""
    made = live_studio.api("/sweeps", {**SPEC, "source_directory": str(folder)})
    sweep = live_studio.wait_for_end(made["id"])
    assert sweep["counts"] == {"Completed": 2}
    return sweep


@pytest.fixture
def workspace(live_studio: LiveStudio, monkeypatch) -> Workspace:
    monkeypatch.setenv("STUDIO_URL", live_studio.url)
    monkeypatch.setenv("STUDIO_TOKEN", live_studio.token)
    return Workspace.from_config()


def checkpoint(live_studio: LiveStudio, run_id: str) -> dict[str, Any]:
    return json.loads(live_studio.download(f"/runs/{run_id}/files/outputs/checkpoint.json"))


def studio(live_studio: LiveStudio, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return run_studio(live_studio.environment, *words)


def submit(live_studio: LiveStudio, spec_file: Path) -> subprocess.CompletedProcess[str]:
    """Run `studio submit --wait --json`."""
    return studio(live_studio, "submit", str(spec_file), "--wait", "--json")


def test_submitted_file_resumes_a_run_from_its_checkpoint(live_studio, folder, earlier):
    best = earlier["best_run"]
    spec = {
        **SPEC,
        "max_total_runs": 1,
        "resume_from": [earlier["id"]],
        "resume_child_runs": [best["id"]],
    }
    (folder / "again.yaml").write_text(yaml.safe_dump(spec))

    done = submit(live_studio, folder / "again.yaml")

    assert done.returncode == 0, done.stderr
    sweep = json.loads(done.stdout.splitlines()[-1])
    (run,) = live_studio.api(f"/sweeps/{sweep['id']}/runs")["items"]
    assert run["hyperparameters"] == best["hyperparameters"] == {"rate": 0.3}
    assert run["resumed_from"] == best["id"]
    assert run["arguments"][:3] == ["--rate", "0.3", "--resume-from"]
    assert checkpoint(live_studio, best["id"])["epoch"] == 5
    assert checkpoint(live_studio, run["id"])["epoch"] == 10
    # Ten steps in all: what one uninterrupted training of ten epochs would have reached.
    assert run["best"]["value"] == pytest.approx(0.7**20)
    shown = studio(live_studio, "show", sweep["id"]).stdout
    assert re.search(rf"Goes on from:\s+{earlier['id']}", shown)
    assert re.search(rf"Resumes:\s+{best['id']}", shown)


def test_wrong_file_is_refused_with_every_problem(live_studio, folder, earlier):
    spec = {
        **SPEC,
        "primary_metric": {"name": "Loss", "goal": "minimize"},
        "resume_from": [earlier["id"], "HD_nowhere"],
        "resume_child_runs": [f"{earlier['id']}_7"],
    }
    (folder / "wrong.yaml").write_text(yaml.safe_dump(spec))

    done = submit(live_studio, folder / "wrong.yaml")

    assert done.returncode == 2
    errors = json.loads(done.stdout.splitlines()[-1])["errors"]
    assert [error["path"] for error in errors] == [
        "resume_from[0]",
        "resume_from[1]",
        "resume_child_runs[0]",
    ]


def test_program_goes_on_from_objects(workspace, live_studio, folder, earlier):
    experiment = Experiment(workspace, "warm")
    before = HyperDriveRun(experiment, earlier["id"])
    config = HyperDriveConfig(
        run_config=ScriptRunConfig(str(folder), script="train.py", arguments=["--epochs", 1]),
        hyperparameter_sampling=RandomParameterSampling({"rate": choice(0.01, 0.02)}),
        primary_metric_name="loss",
        primary_metric_goal=PrimaryMetricGoal.MINIMIZE,
        max_total_runs=2,
        resume_from=before,
        resume_child_runs=[Run(experiment, f"{earlier['id']}_0")],
    )

    sweep = experiment.submit(config)
    sweep.wait_for_completion()

    runs = live_studio.api(f"/sweeps/{sweep.id}/runs")["items"]
    assert [run["resumed_from"] for run in runs] == [f"{earlier['id']}_0", None]
    assert checkpoint(live_studio, runs[0]["id"])["epoch"] == 6
    # 0.1 is outside of the new space and kept; the earlier sweep has the best run of all.
    assert runs[0]["hyperparameters"] == {"rate": 0.1}
    assert sweep.get_best_run_by_primary_metric().id == earlier["best_run"]["id"]
    own = sweep.get_best_run_by_primary_metric(include_resume_from_runs=False)
    assert own.id == runs[0]["id"]
    again = HyperDriveRun(experiment, sweep.id).hyperdrive_config
    assert again._resume_from == [earlier["id"]]


def test_example_of_the_page_names_what_is_there():
    _, program = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    made: dict[str, Any] = {}

    class Earlier:
        id = "HD_1"

        def get_best_run_by_primary_metric(self) -> Any:
            return type("Best", (), {"id": "HD_1_3"})()

    source = ScriptRunConfig(str(ROOT / "examples" / "no-library"), script="train.py")
    names = {
        "HyperDriveConfig": HyperDriveConfig,
        "PrimaryMetricGoal": PrimaryMetricGoal,
        "source": source,
        "space": GridParameterSampling({"rate": choice(0.1, 0.3)}),
        "earlier": Earlier(),
    }
    exec(program, names, made)

    spec = made["config"].to_spec(name="a", experiment="b")
    assert (spec["resume_from"], spec["resume_child_runs"]) == (["HD_1"], ["HD_1_3"])
