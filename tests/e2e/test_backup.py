"""Backup while a sweep runs, restore in an empty folder: as docs/reference/operate.md says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.snapshot_rules import list_files, write_zip
from tests.servers import ROOT, LiveStudio, Postgres, clean_environment, wait

pytestmark = [pytest.mark.slow, pytest.mark.long]
PAGE = (ROOT / "docs/reference/operate.md").read_text()
# The first run ends at once; the others go on until somebody lets them.
SCRIPT = """\
import argparse, pathlib, time
from studio.sdk import Run
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=int)
parser.add_argument("--go")
args = parser.parse_args()
run = Run.get_context()
pathlib.Path("outputs/model.txt").write_text(f"model {args.x}")
print("hello from", args.x, flush=True)
run.log("accuracy", args.x)
while args.x > 1 and not pathlib.Path(args.go).exists():
    run.log("accuracy", args.x)
    time.sleep(0.05)
"""


def commands(name: str) -> str:
    """Return the block of docs/reference/operate.md that carries this mark."""
    found = re.search(rf"<!-- tested: {name} -->\n```bash\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    kind = str(request.param)
    if kind == "postgres" and Postgres.binaries() is None:
        if os.environ.get("STUDIO_REQUIRE_POSTGRES") == "1":
            pytest.fail("PostgreSQL is not installed although STUDIO_REQUIRE_POSTGRES is 1.")
        pytest.skip("PostgreSQL is not installed")
    return kind


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="studio-backup-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def database(kind: str) -> Iterator[Callable[[], dict[str, str]]]:
    """Make a new, empty database: what a studio is told of it."""
    servers: list[Postgres] = []

    def make() -> dict[str, str]:
        for server in servers:
            server.stop()
        servers.clear()
        if kind == "sqlite":
            return {}
        servers.append(Postgres())
        servers[0].start()
        return {"DATABASE_URL": servers[0].url}

    yield make
    for server in servers:
        server.stop()


def execute(text: str, home: Path, backup: Path, settings: dict[str, str]) -> None:
    binaries = Postgres.binaries()
    path = f"{binaries}:{os.environ['PATH']}" if binaries else os.environ["PATH"]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        env=clean_environment(PATH=path, STUDIO_HOME=str(home), BACKUP=str(backup), **settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def runs_of(studio: LiveStudio, sweep: str) -> dict[int, dict[str, Any]]:
    return {run["number"]: run for run in studio.api(f"/sweeps/{sweep}/runs")["items"]}


def submit(studio: LiveStudio, folder: Path) -> str:
    source = folder / "source"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)
    with (folder / "source.zip").open("w+b") as file:
        write_zip(list_files(source), file)
        file.seek(0)
        digest = studio.upload("/snapshots", file.read(), "application/zip")["id"]
    spec = {
        "name": "kept",
        "snapshot": digest,
        "script": "train.py",
        "arguments": ["--go", str(folder / "go")],
        "search_space": {"x": "choice(1, 2, 3)"},
        "sampling": "grid",
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 3,
        "max_concurrent_runs": 1,
    }
    return str(studio.api("/sweeps", spec)["id"])


def test_studio_of_a_backup_has_everything_and_goes_on(
    kind: str, folder: Path, database: Callable[[], dict[str, str]]
) -> None:
    backup, old, new = folder / "backup", folder / "old", folder / "new"
    old.mkdir()
    settings = database()
    studio = LiveStudio(old, workers=1, **settings)
    studio.start()
    try:
        sweep = submit(studio, folder)
        wait(lambda: runs_of(studio, sweep).get(1, {}).get("reports", 0) > 5)
        execute(commands(f"backup {kind}"), old, backup, settings)
    finally:
        studio.stop(signal.SIGINT)
    shutil.rmtree(old)

    settings = database()
    execute(commands(f"restore {kind}"), new, backup, settings)
    assert (new / "secret-key").stat().st_mode & 0o777 == 0o600
    studio = LiveStudio(new, workers=1, **settings)
    studio.start()
    try:
        assert "The files of 2 runs were found in their new place." in studio.output.read_text()
        (folder / "go").touch()
        ended = studio.wait_for_end(sweep)
        assert ended["status"] == "Completed"
        runs = runs_of(studio, sweep)
        assert [runs[n]["status"] for n in (0, 1, 2)] == ["Completed", "Failed", "Completed"]
        assert (runs[1]["end_reason"], runs[1]["reports"] > 5) == ("worker_lost", True)
        repeated = next(run for run in runs.values() if run["retry_of"] == runs[1]["id"])
        assert (repeated["status"], repeated["hyperparameters"]) == ("Completed", {"x": 2})
        first = f"/runs/{sweep}_0"
        assert studio.download(f"{first}/files/outputs/model.txt") == b"model 1"
        assert "hello from 1" in str(studio.api(f"{first}/logs"))
        doctor = subprocess.run(
            [sys.executable, "-m", "studio.cli", "doctor"],
            env=studio.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert doctor.returncode == 0, doctor.stdout
    finally:
        studio.stop()
