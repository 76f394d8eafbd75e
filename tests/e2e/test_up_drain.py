"""`studio up --drain`: the end waits for the runs that go on, with the pages still there."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

# Goes on until a file says that it may end.
SCRIPT = (
    "from studio.sdk import Run\nimport pathlib, sys, time\nrun = Run.get_context()\n"
    "while not pathlib.Path(sys.argv[1]).exists():\n"
    "    run.log('loss', 1.0)\n    time.sleep(0.05)\n"
)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="studio-drain-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_end_waits_for_the_runs_and_the_next_start_goes_on(home, tmp_path):
    signpost = tmp_path / "end"
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)
    studio = LiveStudio(home, drain=True, workers=1, STUDIO_WEB_PROCESSES="2")
    studio.start()
    spec = {
        "name": "patient",
        "source_directory": str(source),
        "script": "train.py",
        "arguments": [str(signpost)],
        "search_space": {"x": "uniform(0, 1)"},
        "primary_metric": {"name": "loss", "goal": "minimize"},
        "max_total_runs": 2,
        "max_concurrent_runs": 1,
    }
    sweep = str(studio.api("/sweeps", spec)["id"])
    wait_for(lambda: "Running" in states(studio, sweep))

    studio.process.send_signal(signal.SIGINT)
    wait_for(lambda: "Waiting for the runs of worker 1" in studio.output.read_text())

    assert states(studio, sweep)[0] == "Running"
    for name, process in helpers(studio).items():
        process.kill()
        wait_for(lambda name=name: f"{name} ended (signal 9)" in studio.output.read_text())
    wait_for(lambda: len(helpers(studio)) == 3 and answers(studio))
    assert states(studio, sweep)[0] == "Running"
    signpost.touch()
    assert studio.process.wait(60) == 0
    studio.process = None
    studio.start()
    studio.wait_for_end(sweep)
    assert states(studio, sweep) == ["Completed", "Completed"]
    studio.stop()


def states(studio: LiveStudio, sweep: str) -> list[str]:
    """Return the states of the runs of a sweep by number, over REST."""
    runs = studio.api(f"/sweeps/{sweep}/runs")
    rows = runs["items"] if isinstance(runs, dict) else runs
    return [run["status"] for run in sorted(rows, key=lambda run: run["number"])]


def helpers(studio: LiveStudio) -> dict[str, psutil.Process]:
    """Return the processes that runs need to end: web servers and watchdog."""
    names = ("web 1", "web 2", "watchdog")
    found = {}
    for child in psutil.Process(studio.process.pid).children():
        line = " ".join(child.cmdline())
        # RQ gives its workers a name of their own.
        line = line.replace("rq:worker:control", "studio watchdog")
        found |= {name: child for name in names if f"studio {name}" in line}
    return found


def answers(studio: LiveStudio) -> bool:
    """Tell whether the web server does."""
    try:
        return bool(studio.api("/sweeps"))
    except OSError:
        return False


def wait_for(is_true, seconds: float = 60) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.1)
