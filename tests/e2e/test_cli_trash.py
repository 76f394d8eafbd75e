"""`studio trash` and `studio purge` against a real studio: a sweep with outputs comes and goes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.e2e.command import last_json, run_studio, spec_text
from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
from pathlib import Path
from studio.sdk import Run

Path("outputs/model.bin").write_bytes(b"x" * 1000)
Run.get_context().log("score", float(sys.argv[2]))
"""


def test_sweep_is_thinned_out_trashed_restored_and_purged(
    live_studio: LiveStudio, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "sweep.yaml").write_text(spec_text(name="short-lived"))
    studio = partial(run_studio, live_studio.environment, cwd=tmp_path)
    submitted = studio("submit", "sweep.yaml", "--wait", "--json")
    assert submitted.returncode == 0, submitted.stderr
    sweep = last_json(submitted)["id"]

    plan = studio("purge", "outputs", sweep, "--keep-best", "1", "--dry-run")
    assert plan.stdout == "1 run would lose outputs, about 1.0 kB; 1 keep\n"
    unasked = studio("purge", "outputs", sweep, "--keep-best", "1")
    assert unasked.returncode == 2
    assert "add --yes" in unasked.stderr
    done = studio("purge", "outputs", sweep, "--keep-best", "1", "--yes")
    assert done.stdout == f"{sweep}: outputs of 1 run removed, 1.0 kB freed\n"
    one = studio("purge", "outputs", f"{sweep}_1", "--yes", "--json")
    assert last_json(one)[0]["freed_bytes"] == 1000
    runs = live_studio.api(f"/sweeps/{sweep}/runs")["items"]
    assert all(run["outputs_removed"] for run in runs)
    wrong = studio("purge", "outputs", sweep, "--yes")
    assert "of a whole sweep remove outputs with --keep-best K" in wrong.stderr

    assert studio("purge", "sweep", sweep, "--yes").returncode == 1  # not in the trash
    assert studio("trash", "add", sweep).stdout == f"{sweep}: in the trash\n"
    assert sweep not in studio("list").stdout
    assert studio("show", sweep).returncode == 1
    row = next(line for line in studio("trash", "list").stdout.splitlines() if sweep in line)
    assert row.split("\t")[1:3] == ["short-lived", "2"]
    assert studio("trash", "restore", sweep).stdout == f"{sweep}: restored\n"
    assert studio("show", sweep).returncode == 0

    studio("trash", "add", sweep)
    purged = last_json(studio("purge", "sweep", sweep, "--yes", "--json"))
    assert [one["sweep"] for one in purged] == [sweep]
    assert purged[0]["finished"] is not None
    assert not (live_studio.home / "storage" / "runs" / sweep).exists()
    assert sweep not in studio("trash", "list").stdout

    lost = live_studio.home / "storage" / "runs" / "HD_lost" / "0" / "outputs" / "old.bin"
    lost.parent.mkdir(parents=True)
    lost.write_bytes(b"x" * 10)
    found = last_json(studio("purge", "leftovers", "--json"))
    assert "runs/HD_lost" not in [one["path"] for one in found["items"]]  # too young
