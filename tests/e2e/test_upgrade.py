"""A studio of an earlier state, at work, becomes one of this state: nothing is lost, all goes on.

Its code comes out of the history: the newest release, or a commit that stands for one. A clone
without a history is upgraded from a stored state alone.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import previous
from tests.previous import Rows, Sweeps, Visitor, runs_of
from tests.servers import ROOT, LiveStudio, Postgres, clean_environment

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs/reference/operate.md").read_text()
COMMIT = previous.previous_commit()
# A clone without a history is upgraded from a stored state; one database suffices for every day.
ON_POSTGRES = pytest.param("postgres", marks=pytest.mark.long)
KINDS = ["sqlite", ON_POSTGRES] if COMMIT else ["stored"]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="studio-upgrade-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def settings(kind: str) -> Iterator[dict[str, str]]:
    """What both studios are told of their database."""
    if kind != "postgres":
        yield {}
        return
    if Postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    server = Postgres()
    server.start()
    yield {"DATABASE_URL": server.url}
    server.stop()


class Upgraded(LiveStudio):
    """The studio of this checkout on the data folder of another one, by `make up`."""

    def __init__(self, home: Path, **settings: str) -> None:
        super().__init__(home, **settings)
        installed = ["-o", f"{sys.prefix}/.installed", f"VENV={sys.prefix}"]
        self.command = ["make", "-s", "up", f"PORT={self.port}", *installed]

    def stop(self, number: int = signal.SIGINT, seconds: float = 30) -> int:
        """Press Ctrl-C: make and what it started hear it."""
        assert self.process is not None
        os.killpg(self.process.pid, number)
        code = self.process.wait(seconds)
        self.process = None
        return code


def commands(name: str) -> str:
    """Return the block of docs/reference/operate.md that carries this mark."""
    found = re.search(rf"<!-- tested: {name} -->\n```bash\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def back_up(kind: str, home: Path, backup: Path, settings: dict[str, str]) -> None:
    """Do what the page says before an upgrade."""
    path = f"{Postgres.binaries()}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands(f"backup {kind}")],
        env=clean_environment(PATH=path, STUDIO_HOME=str(home), BACKUP=str(backup), **settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def lost(before: Rows, after: Rows) -> list[str]:
    """Return each row that is not there any more, and each value of a row that nothing moves."""
    found = [f"table {name}" for name in before.keys() - after.keys()]
    for name in sorted(before.keys() & after.keys() - previous.PASSING):
        growing = previous.GROWING.get(name, set())
        for key, row in before[name].items():
            now = after[name].get(key)
            if now is None:
                found.append(f"{name} {key}")
                continue
            moving = previous.MOVING.get(name, set())
            if row.get("ended_at"):
                moving = set()
            found += [
                f"{name} {key} {column}: {row[column]!r} is {now[column]!r}"
                for column in sorted(row.keys() & now.keys() - moving)
                if not _is_kept(row[column], now[column], column in growing)
            ]
    return found


def _is_kept(was: Any, now: Any, may_grow: bool) -> bool:
    return was == now or (may_grow and was is not None and str(now).startswith(was))


def facts(studio: LiveStudio, sweeps: Sweeps) -> dict[str, Any]:
    """Return what people have of the sweep that has ended, without its address."""
    best = studio.api(f"/sweeps/{sweeps.ended}/best-run")
    version = studio.api("/models/kept/versions")["items"][0]
    found = {
        "sweep": studio.api(f"/sweeps/{sweeps.ended}"),
        "best": best,
        "runs": runs_of(studio, sweeps.ended),
        "version": version,
        "names": sorted(sweep["name"] for sweep in studio.api("/sweeps")["items"]),
        "log": studio.api(f"/runs/{best['id']}/logs"),
        "output": studio.download(f"/runs/{best['id']}/files/outputs/model.txt").decode(),
        "metrics": studio.api(f"/runs/{best['id']}/metrics"),
    }
    return {name: without_address(value, studio.url) for name, value in found.items()}


def without_address(value: Any, url: str) -> Any:
    if isinstance(value, dict):
        return {name: without_address(one, url) for name, one in value.items()}
    if isinstance(value, list):
        return [without_address(one, url) for one in value]
    return value.replace(url, "") if isinstance(value, str) else value


def known(value: Any, as_: Any) -> Any:
    """Return a value with only those members that an older studio has as well."""
    if isinstance(value, dict) and isinstance(as_, dict):
        return {name: known(value[name], one) for name, one in as_.items() if name in value}
    if isinstance(value, list) and isinstance(as_, list) and len(value) == len(as_):
        return [known(one, other) for one, other in zip(value, as_, strict=True)]
    return value


def see_pages(studio: LiveStudio, sweeps: Sweeps, rows: Rows) -> None:
    """Sign in with the password of before, look at every sweep, open the link that was shared."""
    ada = Visitor(studio.url)
    ada.sign_in("ada")
    for sweep in sweeps:
        for part in ("", "runs/", "charts/", "configuration/", "logs/", "timeline/"):
            assert sweep in ada.get(f"/sweeps/{sweep}/{part}")
    assert "<strong>Why</strong>" in ada.get(f"/sweeps/{sweeps.ended}/")
    assert "kept" in ada.get("/models/")
    assert "the reviewers" in ada.get(f"/sweeps/{sweeps.ended}/share/")
    assert len(rows["experiments_sharelink"]) == 1


def go_on(studio: LiveStudio, sweeps: Sweeps, begun: list[dict[str, Any]]) -> None:
    """Let go of the runs that are held, resume what was paused, see all of it end."""
    (studio.home / "hold").unlink()
    studio.api(f"/sweeps/{sweeps.paused}/resume", {})
    for sweep, count in ((sweeps.running, 4), (sweeps.paused, 2)):
        assert studio.wait_for_end(sweep)["status"] == "Completed"
        completed = [run for run in runs_of(studio, sweep) if run["status"] == "Completed"]
        assert {run["hyperparameters"]["x"] for run in completed} == set(range(1, count + 1))
    runs = {run["id"]: run for run in runs_of(studio, sweeps.running)}
    for run in begun:
        assert runs[run["id"]]["reports"] >= run["reports"]
    repeated = {run["retry_of"] for run in runs.values()} - {None}
    ended = {run["id"] for run in runs.values() if run["status"] == "Failed"}
    assert repeated == ended


def refuses_newer_database(studio: LiveStudio) -> None:
    """Let a newer studio have migrated the database; this one says so and touches nothing."""
    assert studio.process is None
    studio.run_python(
        "import django; django.setup(); from django.db import connection\n"
        "from django.db.migrations.recorder import MigrationRecorder\n"
        "MigrationRecorder(connection).record_applied('experiments', '9999_from_the_future')"
    )
    before = previous.rows_of(studio)
    done = subprocess.run(
        studio.command,
        cwd=ROOT,
        env=studio.environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode != 0
    assert "The database is newer than this studio" in done.stdout
    assert "it has 9999_from_the_future. Install the version that last ran on it" in done.stdout
    assert previous.rows_of(studio) == before


def upgrade_stored(home: Path) -> None:
    """Do the same with a data folder that a studio of another machine has left behind."""
    sweeps = previous.lay_out_stored(home)
    new = Upgraded(home)
    before = previous.rows_of(new)
    new.start()
    try:
        assert lost(before, previous.rows_of(new)) == []
        see_pages(new, sweeps, before)
        go_on(new, sweeps, runs_of(new, sweeps.running)[:2])
    finally:
        new.stop(signal.SIGINT, 60)


@pytest.mark.parametrize("kind", KINDS)
def test_studio_at_work_is_upgraded_and_loses_nothing(kind, settings, folder):
    if COMMIT is None:
        upgrade_stored(folder / "home")
        return
    home = folder / "home"
    home.mkdir()
    old = LiveStudio(home, root=previous.take_code(COMMIT, folder / "code"), **settings)
    old.start()
    try:
        sweeps = previous.people_work(old, folder)
        told = facts(old, sweeps)
        begun = runs_of(old, sweeps.running)[:2]
        back_up(kind, home, folder / "backup", settings)
    finally:
        # One is stopped as one should, the other has lost its power.
        previous.kill(old) if kind == "sqlite" else old.stop(signal.SIGTERM, 60)
    before = previous.rows_of(old)

    new = Upgraded(home, **settings)
    new.start()
    try:
        assert lost(before, previous.rows_of(new)) == []
        assert known(facts(new, sweeps), told) == told
        see_pages(new, sweeps, before)
        go_on(new, sweeps, begun)
        assert known(facts(new, sweeps), told) == told
    finally:
        new.stop(signal.SIGINT, 60)
    refuses_newer_database(new)
