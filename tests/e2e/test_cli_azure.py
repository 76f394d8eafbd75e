"""A sweep job file of Azure ML v2, submitted by the command line as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

JOB = """\
$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json
type: sweep
display_name: from a job file
experiment_name: jobs
trial:
  code: src
  command: python train.py --x ${{search_space.x}} --seed ${{inputs.seed}}
  environment: azureml:some-environment@latest
inputs: {seed: 3}
compute: azureml:%s
sampling_algorithm: grid
search_space:
  x: {type: choice, values: [1, 2]}
objective: {goal: maximize, primary_metric: score}
limits: {max_total_trials: 2, max_concurrent_trials: 2, timeout: 600}
"""
SCRIPT = """
import argparse
from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=int)
parser.add_argument("--seed", type=int)
options = parser.parse_args()
Run.get_context().log("score", options.x * options.seed)
"""


def submit(studio: LiveStudio, folder: Path, cluster: str, *words: str) -> Any:
    (folder / "src").mkdir()
    (folder / "src" / "train.py").write_text(SCRIPT)
    (folder / "job.yml").write_text(JOB % cluster)
    return subprocess.run(
        [sys.executable, "-m", "studio.cli", "submit", "job.yml", "--json", *words],
        env=studio.environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def disabled_target(live_studio: LiveStudio) -> Iterator[str]:
    """A target that exists and takes no runs."""
    start = "import django; django.setup(); from experiments.models import ComputeTarget; "
    live_studio.run_python(
        f"{start} ComputeTarget.objects.create(name='resting-cluster', is_enabled=False)"
    )
    yield "resting-cluster"
    live_studio.run_python(f"{start} ComputeTarget.objects.get(name='resting-cluster').delete()")


def test_job_file_runs_as_it_is(live_studio: LiveStudio, tmp_path: Path) -> None:
    done = submit(live_studio, tmp_path, "cpu-cluster", "--wait")

    assert done.returncode == 0, done.stderr
    sweep = json.loads(done.stdout.splitlines()[-1])
    assert (sweep["status"], sweep["best_run"]["value"]) == ("Completed", 6.0)
    assert 'compute "azureml:cpu-cluster" is not of this studio; the runs use local.' in done.stderr
    assert "trial.environment has no meaning here" in done.stderr


def test_cluster_that_is_a_target_here_is_meant(
    live_studio: LiveStudio, tmp_path: Path, disabled_target: str
) -> None:
    count = (
        "import django; django.setup(); from experiments.models import Snapshot, Sweep; "
        "print(Snapshot.objects.count(), Sweep.objects.count())"
    )
    before = live_studio.run_python(count)

    done = submit(live_studio, tmp_path, disabled_target)

    assert done.returncode == 2
    # Neither the sweep nor its source files.
    assert live_studio.run_python(count) == before
    assert json.loads(done.stdout.splitlines()[-1])["errors"] == [
        {
            "path": "compute",
            "message": '"resting-cluster" is disabled; choose another compute target.',
        }
    ]
