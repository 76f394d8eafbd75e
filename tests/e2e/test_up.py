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
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from studio import env
from tests.servers import ROOT, LiveStudio, clean_environment, free_port

pytestmark = pytest.mark.slow

SCRIPT = (
    "from studio.sdk import Run\nimport sys, time\nrun = Run.get_context()\n"
    "for i in range(int(sys.argv[1])):\n    run.log('loss', 1 / (i + 1))\n    time.sleep(0.05)\n"
)
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="studio-up-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def processes_of(home: Path) -> list[int]:
    """Return every living process that has this data folder in its environment or its command.

    Whoever is not root does not see the environment of the studio's own processes.
    """
    found = []
    for process in psutil.process_iter():
        try:
            values = process.cmdline()
            with suppress(psutil.AccessDenied):
                values += process.environ().values()
            if process.status() != psutil.STATUS_ZOMBIE and any(str(home) in v for v in values):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def submit(
    studio: LiveStudio, folder: Path, *, steps: int, runs: int = 2, code: str = SCRIPT
) -> str:
    """Submit a sweep of a script; return its id."""
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(code)
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


def wait_for_reports(studio: LiveStudio, sweep_id: str) -> None:
    """Wait until a run that goes on has reported something."""
    deadline = time.monotonic() + 60
    while not any(
        run["reports"] and run["ended"] is None
        for run in studio.api(f"/sweeps/{sweep_id}/runs")["items"]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_sweeps_go_on_after_a_restart_and_after_a_kill_of_everything(home):
    studio = LiveStudio(home)
    studio.start()
    sweep_id = submit(studio, home / "source", steps=80)
    wait_for_reports(studio, sweep_id)

    begun = time.monotonic()
    assert studio.stop() == 0
    assert time.monotonic() - begun < 20
    assert processes_of(home) == []
    studio.start()
    wait_for_reports(studio, sweep_id)

    assert studio.process is not None
    studio.process.kill()
    studio.process.wait()
    deadline = time.monotonic() + 15
    while processes_of(home):
        assert time.monotonic() < deadline, processes_of(home)
        time.sleep(0.1)
    (home / "address.json").unlink()
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


WRONG_VARIABLES = [
    ("STUDIO_PORT", "eight", "STUDIO_PORT is 'eight'; use a port number from 1 to 65535."),
    ("STUDIO_PORT", "70000", "STUDIO_PORT is '70000'; use a port number from 1 to 65535."),
    ("STUDIO_DEBUG", "maybe", "STUDIO_DEBUG is 'maybe'; use 1 or 0."),
    (
        "REDIS_URL",
        "localhost:6379",
        "REDIS_URL has no scheme; use redis://HOST:6379/0, rediss://HOST:6379/0 or unix:///PATH.",
    ),
    (
        "DATABASE_URL",
        "mysql://me:secret@db/studio",
        "DATABASE_URL starts with 'mysql'; use sqlite:////PATH or "
        "postgres://USER:PASSWORD@HOST/NAME.",
    ),
]


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG_VARIABLES)
def test_wrong_variable_is_one_sentence_that_names_it(home, name, value, sentence):
    done = start_up(home, **{"STUDIO_PORT": str(free_port()), name: value})

    assert done.returncode == 1
    assert (done.stdout + done.stderr).strip() == sentence
    assert not (home / "studio.sqlite3").exists()


def test_data_folder_that_cannot_be_made_is_one_sentence(home):
    (home / "file").touch()

    done = start_up(home / "file" / "data", port=free_port())

    assert done.returncode == 1
    assert (done.stdout + done.stderr).strip() == (
        f"The data folder {home}/file/data cannot be used (Not a directory). "
        "Set STUDIO_HOME to a folder that you can write to."
    )


def test_socket_of_another_server_is_left_alone(home):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(home / "redis.sock"))
        other.listen()

        done = start_up(home, port=free_port())

    assert done.returncode == 1
    assert (done.stdout + done.stderr).strip() == (
        f"Another server answers at the socket {home}/redis.sock. Stop it, or set STUDIO_HOME to "
        "another folder."
    )
    assert (home / "redis.sock").exists()


def test_deep_data_folder_gets_a_short_private_socket_and_one_studio(home):
    deep = home / ("d" * 120)
    deep.mkdir()
    folder = env.redis_socket(deep).parent
    studio = LiveStudio(deep, workers=0)

    studio.start()
    try:
        mode = folder.stat().st_mode & 0o777
        answer = studio.api("/sweeps")
        second = start_up(deep, port=free_port())
    finally:
        studio.stop()
        shutil.rmtree(folder)

    assert not folder.is_relative_to(home)
    assert mode == 0o700
    assert answer["items"] == []
    assert second.returncode == 1
    assert second.stdout.strip() == (
        f"A studio already runs with the data in {deep} at {studio.url}. "
        "Stop it first, or set STUDIO_HOME to another folder."
    )


def test_make_starts_a_studio_with_a_sweep_that_ends_with_its_terminal(home):
    studio = LiveStudio(home)
    environment = clean_environment(STUDIO_HOME=str(home))
    words = ["make", "-s", "-o", f"{sys.prefix}/.installed", f"VENV={sys.prefix}"]
    with studio.output.open("wb") as output:
        make = subprocess.Popen(
            [*words, f"PORT={studio.port}", "up"],
            cwd=ROOT, env=environment, stdout=output, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (home / "address.json").exists() or "/sign-in/" not in studio.output.read_text():
        assert make.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with urllib.request.urlopen(f"{studio.url}/sign-in/", timeout=30) as response:
        page = response.read()
    # The link that was printed signs in.
    with urllib.request.urlopen(studio.printed_link(), timeout=30) as response:
        assert response.status == 200
    names = [sweep["name"] for sweep in studio.api("/sweeps")["items"]]

    os.killpg(make.pid, signal.SIGINT)  # what Ctrl-C does
    make.wait(30)

    assert b"<form" in page
    assert names == ["digits-mlp"]
    assert processes_of(home) == []
    assert (home / "secret-key").stat().st_mode & 0o777 == 0o600
    assert (home / "cli-token").stat().st_mode & 0o777 == 0o600
    said = studio.output.read_text()
    assert said.splitlines()[0].startswith(f"Sweep Studio is at  {studio.url} ")
    assert "Traceback" not in said


def worker_of(studio: LiveStudio) -> int:
    """Return the pid of a worker as soon as there is one."""
    assert studio.process is not None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for process in psutil.Process(studio.process.pid).children():
            words = " ".join(process.cmdline())
            if "studio worker" in words or "rq:worker:local" in words:
                return process.pid
        time.sleep(0.05)
    raise AssertionError("no worker")


def test_child_that_dies_is_started_again_and_two_interrupts_wait_for_nobody(home):
    studio = LiveStudio(home, workers=1)
    studio.start()
    os.kill(worker_of(studio), signal.SIGKILL)
    source = home / "source"
    sweep = studio.wait_for_end(submit(studio, source, steps=3, runs=1))
    said = studio.output.read_text()

    assert sweep["status"] == "Completed"
    assert "worker 1 ended (signal 9)" in said
    assert "it is started again." in said

    stubborn = submit(studio, source, steps=1000, runs=1, code=STUBBORN + SCRIPT)
    deadline = time.monotonic() + 60
    while not list((home / "storage" / "runs").glob(f"{stubborn}/*/metrics.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert studio.process is not None

    begun = time.monotonic()
    studio.process.send_signal(signal.SIGINT)
    time.sleep(1)
    code = studio.stop()

    assert code == 0
    assert time.monotonic() - begun < 8  # the script alone would be given 10 s
    assert processes_of(home) == []
