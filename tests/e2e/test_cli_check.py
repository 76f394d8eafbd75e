"""`studio submit --check-first` against a real studio: what is tried, told and submitted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

SCRIPT = """
import argparse, time
from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--name", default="score")
parser.add_argument("--seconds", type=float, default=0)
options = parser.parse_args()
run = Run.get_context()
run.log(options.name, options.x)
print("logged", flush=True)
time.sleep(options.seconds)
"""
SPEC = {
    "name": "checked from the shell",
    "experiment": "shell",
    "script": "train.py",
    "search_space": {"x": "choice(1, 2)"},
    "sampling": "grid",
    "primary_metric": {"name": "score", "goal": "maximize"},
    "max_total_runs": 2,
    "max_concurrent_runs": 2,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def command(folder: Path, *words: str, **changes: Any) -> list[str]:
    (folder / "sweep.json").write_text(json.dumps({**SPEC, **changes}))
    name = str(folder / "sweep.json")
    return [sys.executable, "-m", "studio.cli", "submit", name, "--check-first", *words]


def submit(
    studio: LiveStudio, folder: Path, *words: str, **changes: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *words, **changes),
        env=studio.environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def sweeps_of(studio: LiveStudio) -> list[str]:
    return [sweep["id"] for sweep in studio.api("/sweeps?text=from+the+shell")["items"]]


def wait_until_busy_is(studio: LiveStudio, is_busy: bool) -> None:
    deadline = time.monotonic() + 60
    while any(target["busy"] for target in studio.api("/compute")["items"]) != is_busy:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_sweep_is_submitted_after_a_check_that_passed(
    live_studio: LiveStudio, folder: Path
) -> None:
    done = submit(live_studio, folder, "--wait", "--json")

    assert done.returncode == 0, done.stderr
    assert "Tried x=1" in done.stderr
    assert '✓ Metric       "score" was logged under exactly this name' in done.stderr
    assert "The check passed." in done.stderr
    sweep = json.loads(done.stdout)
    assert sweep["counts"] == {"Completed": 2}
    assert sweep["id"] in sweeps_of(live_studio)


def test_nothing_is_submitted_after_a_check_that_failed(
    live_studio: LiveStudio, folder: Path
) -> None:
    before = sweeps_of(live_studio)

    plain = submit(live_studio, folder, arguments=["--name", "points"])
    as_json = submit(live_studio, folder, "--json", arguments=["--name", "points"])

    assert (plain.returncode, as_json.returncode) == (1, 1)
    assert plain.stdout == ""
    assert '✗ Metric     "score" was never logged. The script logged "points"' in plain.stderr
    assert "Nothing was submitted." in plain.stderr
    assert json.loads(as_json.stdout)["check"]["offered_metrics"] == ["points"]
    assert sweeps_of(live_studio) == before


def test_limit_of_the_check_is_given_in_seconds(live_studio: LiveStudio, folder: Path) -> None:
    words = ("--check-seconds", "2")

    done = submit(live_studio, folder, *words, arguments=["--seconds", "99"])
    wrong = submit(live_studio, folder, "--check-seconds", "601")

    assert done.returncode == 0, done.stderr
    assert "It was still running after 2" in done.stderr
    live_studio.api(f"/sweeps/{done.stdout.split()[0]}/cancel", {})
    assert wrong.returncode == 2


def test_wrong_specification_ends_with_2_before_any_check(
    live_studio: LiveStudio, folder: Path
) -> None:
    done = submit(live_studio, folder, compute="gpu")

    assert done.returncode == 2
    assert done.stderr.startswith('compute: There is no compute target "gpu"')


def test_interrupted_check_is_canceled(live_studio: LiveStudio, folder: Path) -> None:
    before = sweeps_of(live_studio)
    wait_until_busy_is(live_studio, False)
    process = subprocess.Popen(
        command(folder, arguments=["--seconds", "99"]),
        env=live_studio.environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until_busy_is(live_studio, True)

    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)

    assert process.returncode == 130, told
    assert "The check was canceled; nothing was submitted." in told
    wait_until_busy_is(live_studio, False)
    assert sweeps_of(live_studio) == before
