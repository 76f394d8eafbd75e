"""`studio best --register`: the winner becomes a model from the shell."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.e2e.command import run_studio
from tests.servers import ROOT, LiveStudio

pytestmark = pytest.mark.slow

SCRIPT = """\
import argparse
import pathlib

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
Run.get_context().log("score", parser.parse_args().x)
pathlib.Path("outputs/model.txt").write_text("weights")
"""


@pytest.fixture(scope="module")
def sweep(live_studio: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("code")
    (folder / "train.py").write_text(SCRIPT)
    spec = {
        "name": "shell models",
        "experiment": "shell-models",
        "source_directory": str(folder),
        "script": "train.py",
        "search_space": {"x": "choice(1, 2)"},
        "sampling": "grid",
        "primary_metric": {"name": "score", "goal": "minimize"},
        "max_total_runs": 2,
    }
    sweep = str(live_studio.api("/sweeps", spec)["id"])
    assert live_studio.wait_for_end(sweep)["status"] == "Completed"
    return sweep


def studio(live_studio: LiveStudio, *words: str) -> subprocess.CompletedProcess[str]:
    return run_studio(live_studio.environment, *words, cwd=ROOT)


def test_winner_is_registered_and_told(live_studio: LiveStudio, sweep: str) -> None:
    done = studio(live_studio, "best", sweep, "--register", "from-shell", "--json")
    plain = studio(
        live_studio, "best", sweep, "--register", "from-shell", "--path", "outputs/model.txt"
    )

    told: dict[str, Any] = json.loads(done.stdout)
    model = told.pop("model")
    assert told == json.loads(studio(live_studio, "best", sweep, "--json").stdout)
    assert (model["name"], model["version"]) == ("from-shell", 1)
    version = live_studio.api("/models/from-shell/versions/1")
    assert (version["url"], version["run"]) == (model["url"], f"{sweep}_0")
    assert plain.returncode == 0
    assert f"from-shell 2  {model['url'].replace('/1/', '/2/')}" in plain.stdout
    assert live_studio.api("/models/from-shell/versions/2")["path"] == "outputs/model.txt"


def test_what_is_wrong_ends_with_2_and_registers_nothing(
    live_studio: LiveStudio, sweep: str
) -> None:
    name = studio(live_studio, "best", sweep, "--register", "no good")
    path = studio(live_studio, "best", sweep, "--register", "good", "--path", "outputs/x")

    assert (name.returncode, path.returncode) == (2, 2)
    assert 'The name "no good" cannot be used' in name.stderr
    assert 'no file or folder "outputs/x"; it has logs, outputs.' in path.stderr
    names = [model["name"] for model in live_studio.api("/models?limit=500")["items"]]
    assert not {"no good", "good"} & set(names)
