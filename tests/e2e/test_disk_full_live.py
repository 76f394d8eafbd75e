"""The disk of a whole studio is full while a run reports: nothing of its journal is lost."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

# Reports until a file says that it may end; a report that finds no space is not made.
SCRIPT = (
    "from studio.sdk import Run\nimport pathlib, sys, time\nrun = Run.get_context()\n"
    "number = 0\n"
    "while not pathlib.Path(sys.argv[1]).exists():\n"
    "    try:\n        run.log('loss', number)\n        number += 1\n"
    "    except OSError:\n        pass\n"
    "    time.sleep(0.02)\n"
)
COUNT = """
import django; django.setup()
import pathlib
from experiments.models import Run
from studio.sdk.run import parse_report
run = Run.objects.get()
lines = pathlib.Path(run.directory, "metrics.jsonl").read_bytes().splitlines()
print(sum(parse_report(line) is not None for line in lines), run.reports)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder on a disk of its own."""
    folder = Path(tempfile.mkdtemp(prefix="studio-full-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=320m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.rmdir()
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def studio(home) -> Iterator[LiveStudio]:
    """A studio with its data, its logs and its runs on that disk."""
    live = LiveStudio(home, workers=1)
    live.start(seconds=300)
    yield live
    live.stop(seconds=60)


def test_a_full_disk_loses_no_report_and_the_run_goes_on_when_there_is_space(
    home, studio, tmp_path
):
    signpost = tmp_path / "end"
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)
    spec = {
        "name": "full",
        "source_directory": str(source),
        "script": "train.py",
        "arguments": [str(signpost)],
        "search_space": {"x": "choice(1)"},
        "sampling": "grid",
        "primary_metric": {"name": "loss", "goal": "minimize"},
        "max_total_runs": 1,
    }
    sweep = str(studio.api("/sweeps", spec)["id"])
    wait_for(lambda: reports(studio, sweep) > 20)

    hog = fill(home)
    wait_for(lambda: stands_still(studio, sweep))
    hog.unlink()
    before = reports(studio, sweep)
    wait_for(lambda: reports(studio, sweep) > before + 20)
    signpost.touch()

    assert studio.wait_for_end(sweep)["status"] == "Completed"
    in_journal, stored = studio.run_python(COUNT).split()
    assert in_journal == stored


def reports(studio: LiveStudio, sweep: str) -> int:
    """Return how many reports of the sweep's only run the API knows of."""
    runs = studio.api(f"/sweeps/{sweep}/runs")
    rows = runs["items"] if isinstance(runs, dict) else runs
    return int(rows[0]["reports"]) if rows else 0


def stands_still(studio: LiveStudio, sweep: str) -> bool:
    """Tell whether no report arrives for a while."""
    try:
        before = reports(studio, sweep)
        time.sleep(3)
        return reports(studio, sweep) == before
    except OSError:  # the web server can write nothing either
        return False


def fill(disk: Path) -> Path:
    """Take all the space of a disk."""
    path = disk / "everything"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return path


def wait_for(is_true, seconds: float = 180) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.2)
