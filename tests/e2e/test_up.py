"""`studio up` as a person meets it: starts, keeps its data, stops, says what is in the way."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.servers import ROOT, LiveStudio, clean_environment, free_port

pytestmark = pytest.mark.slow

SCRIPT = (
    "from studio.sdk import Run\nimport sys, time\nrun = Run.get_context()\n"
    "for i in range(int(sys.argv[1])):\n    run.log('loss', 1 / (i + 1))\n    time.sleep(0.05)\n"
)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="studio-up-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def processes_of(home: Path) -> list[int]:
    """Return every living process that has this data folder in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            values = process.environ().values()
            if process.status() != psutil.STATUS_ZOMBIE and any(str(home) in v for v in values):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def submit(studio: LiveStudio, folder: Path, *, steps: int, runs: int = 2) -> str:
    """Submit a sweep of the script above; return its id."""
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(SCRIPT)
    spec = {
        "name": "steps",
        "source_directory": str(folder),
        "script": "train.py",
        "arguments": [steps],
        "search_space": {"x": "uniform(0, 1)"},
        "primary_metric": {"name": "loss", "goal": "minimize"},
        "max_total_runs": runs,
        "max_concurrent_runs": 2,
    }
    return str(studio.api("/sweeps", spec)["id"])


def start_up(home: Path, *, port: int | None = None, **extra: str) -> subprocess.CompletedProcess:
    environment = clean_environment(STUDIO_HOME=str(home), PYTHONPATH=str(ROOT), **extra)
    words = [sys.executable, "-m", "studio.up"]
    if port is not None:
        environment["STUDIO_PORT"] = str(port)
    return subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_first_start_shows_a_sweep_and_a_link_that_signs_in_once(home):
    studio = LiveStudio(home, with_example=True)
    studio.start()
    try:
        with urllib.request.urlopen(studio.printed_link(), timeout=10) as response:
            assert response.status == 200
        names = [sweep["name"] for sweep in studio.api("/sweeps")["items"]]
    finally:
        assert studio.stop() == 0

    assert names == ["digits-mlp"]
    assert processes_of(home) == []
    assert (home / "secret-key").stat().st_mode & 0o777 == 0o600
    assert (home / "cli-token").stat().st_mode & 0o777 == 0o600


def test_restart_keeps_the_data_and_sweeps_go_on(home):
    studio = LiveStudio(home)
    studio.start()
    sweep_id = submit(studio, home / "source", steps=60)
    deadline = time.monotonic() + 30
    while not any(run["reports"] for run in studio.api(f"/sweeps/{sweep_id}/runs")["items"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)

    begun = time.monotonic()
    assert studio.stop() == 0
    assert time.monotonic() - begun < 20
    assert processes_of(home) == []
    (home / "address.json").unlink(missing_ok=True)
    studio.start()
    try:
        sweep = studio.wait_for_end(sweep_id)
        runs = studio.api(f"/sweeps/{sweep_id}/runs")["items"]
    finally:
        studio.stop()

    assert sweep["status"] == "Completed"
    assert sum(run["status"] == "Completed" for run in runs) == 2
    lost = [run for run in runs if run["end_reason"] == "worker_lost"]
    assert {run["retry_of"] for run in runs} - {None} == {run["id"] for run in lost}


def test_kill_of_everything_is_settled_at_the_next_start(home):
    studio = LiveStudio(home)
    studio.start()
    sweep_id = submit(studio, home / "source", steps=80)
    deadline = time.monotonic() + 30
    while not any(run["reports"] for run in studio.api(f"/sweeps/{sweep_id}/runs")["items"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert studio.process is not None

    studio.process.kill()
    studio.process.wait()
    deadline = time.monotonic() + 15
    while processes_of(home):
        assert time.monotonic() < deadline, processes_of(home)
        time.sleep(0.1)
    (home / "address.json").unlink(missing_ok=True)
    studio.start()
    try:
        sweep = studio.wait_for_end(sweep_id)
        runs = studio.api(f"/sweeps/{sweep_id}/runs")["items"]
    finally:
        studio.stop()

    assert sweep["status"] == "Completed"
    assert sum(run["status"] == "Completed" for run in runs) == 2


def test_port_in_use_is_named_before_anything_starts(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = start_up(home, port=port)

    assert done.returncode == 1
    assert done.stdout.strip() == (
        f"Port {port} is in use. Choose another one: make up PORT={port + 1}, "
        f"studio up --port {port + 1}, or STUDIO_PORT."
    )
    assert not (home / "studio.sqlite3").exists()


def test_second_studio_on_the_same_data_is_refused(home):
    studio = LiveStudio(home, workers=0)
    studio.start()
    try:
        done = start_up(home, port=free_port())
    finally:
        studio.stop()

    assert done.returncode == 1
    assert done.stdout.strip() == (
        f"A studio already runs with the data in {home} at {studio.url}. "
        "Stop it first, or set STUDIO_HOME to another folder."
    )


def test_redis_that_does_not_answer_is_one_sentence(home):
    done = start_up(home, port=free_port(), REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    assert done.returncode == 1
    assert done.stdout.startswith("REDIS_URL is set, but no server answers there")
    assert done.stdout.strip().count("\n") == 0
    assert processes_of(home) == []


def test_database_that_does_not_answer_is_one_sentence(home):
    url = f"postgres://nobody@127.0.0.1:{free_port()}/nothing"

    done = start_up(home, port=free_port(), DATABASE_URL=url)

    assert done.returncode == 1
    assert done.stdout.startswith("The database does not answer: ")
    assert done.stdout.strip().endswith("Start it or correct DATABASE_URL.")
    assert done.stdout.strip().count("\n") == 0
    assert processes_of(home) == []


@pytest.mark.parametrize("value", ["eight", "0", "70000"])
def test_wrong_port_names_the_variable(home, value):
    environment = clean_environment(STUDIO_HOME=str(home), PYTHONPATH=str(ROOT), STUDIO_PORT=value)

    done = subprocess.run(
        [sys.executable, "-m", "studio.up"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout.strip() == (f"STUDIO_PORT is {value!r}; use a port number from 1 to 65535.")


def test_child_that_dies_is_started_again(home):
    studio = LiveStudio(home, workers=1)
    studio.start()
    try:
        victim = next(
            process
            for process in psutil.Process(studio.process.pid).children()
            if "studio_worker" in " ".join(process.cmdline())
            or "rq:worker" in " ".join(process.cmdline())
        )
        os.kill(victim.pid, signal.SIGKILL)
        sweep_id = submit(studio, home / "source", steps=3, runs=1)
        sweep = studio.wait_for_end(sweep_id)
        said = studio.output.read_text()
    finally:
        studio.stop()

    assert sweep["status"] == "Completed"
    assert "worker 1 ended (signal 9); it is started again." in said
