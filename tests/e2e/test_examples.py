"""Every example trains for real: alone as a plain script, and as a sweep of the studio."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.servers import ROOT, LiveStudio, clean_environment

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "examples"
# The example, what makes it brief, its metric, how good one short run is at least, what it keeps.
CASES = [
    ("digits-mlp", ["--epochs", "6"], "accuracy", lambda value: value > 0.3, "model.pkl"),
    ("diabetes-boosting", ["--stages", "40"], "mse", lambda value: value < 5000, "model.pkl"),
    ("no-library", ["--passes", "3"], "loss", lambda value: value < 0.5, "weights.json"),
    ("mlflow-script", ["--steps", "5"], "loss", lambda value: value < 2, "line.json"),
]
NAMES = [case[0] for case in CASES]
SENTENCE = re.compile(
    r"bandit policy at interval \d+: best (?P<own>[\d.]+) < (?P<leader>[\d.]+) / "
    r"\(1 \+ (?P<slack>[\d.]+)\) = (?P<limit>[\d.]+) of run \d+"
)


def read_spec(name: str) -> dict[str, Any]:
    """Return the specification of an example as a mapping with an absolute source directory."""
    spec = yaml.safe_load((EXAMPLES / name / "sweep.yaml").read_text())
    return spec | {"source_directory": str(EXAMPLES / name)}


def test_every_folder_is_an_example():
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())

    assert folders == sorted([*NAMES, "deploy"])
    for folder in NAMES:
        assert {"sweep.yaml", "train.py"} <= {path.name for path in (EXAMPLES / folder).iterdir()}


@pytest.mark.parametrize(("name", "brief", "metric", "is_good", "kept"), CASES, ids=NAMES)
def test_example_is_a_script_of_its_own(tmp_path, name, brief, metric, is_good, kept):
    shutil.copy(EXAMPLES / name / "train.py", tmp_path)

    done = subprocess.run(
        [sys.executable, "train.py", *brief],
        cwd=tmp_path,
        env=clean_environment(
            PYTHONPATH=str(ROOT),
            OMP_NUM_THREADS="1",
            MLFLOW_TRACKING_URI=(tmp_path / "mlruns").as_uri(),
            MLFLOW_ALLOW_FILE_STORE="true",
        ),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert metric in done.stdout
    assert (tmp_path / "outputs" / kept).stat().st_size > 0


@pytest.mark.parametrize(("name", "brief", "metric", "is_good", "kept"), CASES, ids=NAMES)
def test_example_is_a_sweep_with_a_best_run(live_studio, name, brief, metric, is_good, kept):
    spec = read_spec(name) | {"arguments": brief, "max_total_runs": 3}

    sweep = live_studio.wait_for_end(live_studio.api("/sweeps", spec)["id"])

    assert (sweep["status"], sweep["counts"]["Completed"]) == ("Completed", 3)
    assert sweep["metric"] == metric
    assert is_good(sweep["best_run"]["value"])
    files = live_studio.api(f"/runs/{sweep['best_run']['id']}/files")["items"]
    assert f"outputs/{kept}" in [file["path"] for file in files]


@pytest.mark.long
def test_example_of_the_first_start_stops_weak_runs_early(live_studio: LiveStudio):
    spec = read_spec("digits-mlp")
    sweep = live_studio.wait_for_end(live_studio.api("/sweeps", spec)["id"], seconds=900)
    runs = live_studio.api(f"/sweeps/{sweep['id']}/runs?limit=100")["items"]

    assert (sweep["status"], len(runs)) == ("Completed", 20)
    assert sweep["best_run"]["value"] > 0.95
    stopped = [run for run in runs if run["end_reason"] == "policy"]
    assert len(stopped) >= 3
    for run in stopped:
        assert run["status"] == "Canceled"
        found = SENTENCE.fullmatch(run["reason"])
        assert found, run["reason"]
        own, leader, limit = (float(found[name]) for name in ("own", "leader", "limit"))
        slack = spec["early_termination"]["slack_factor"]
        assert float(found["slack"]) == slack
        assert own < limit == pytest.approx(leader / (1 + slack), rel=1e-3)
    kept_on = [run for run in runs if run["status"] == "Completed"]
    assert {run["reports"] for run in kept_on} == {60}
