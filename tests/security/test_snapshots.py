"""Uploaded code: no zip writes outside of its directory, fills the disk or takes the memory."""

from __future__ import annotations

import io
import zipfile

import pytest

from experiments import snapshot_rules
from experiments.problems import ProblemsError
from experiments.snapshot_rules import check_zip
from runner.workdir import prepare_workdir
from tests.factories import make_workspace
from tests.security.zips import REFUSED, zip_of
from tests.web.api_world import call, make_world


@pytest.mark.parametrize("name", REFUSED)
def test_a_zip_that_means_harm_is_refused(name):
    raw, text = REFUSED[name]

    with pytest.raises(ProblemsError, match=text):
        check_zip(io.BytesIO(raw))


def test_a_bomb_is_counted_while_it_is_read(monkeypatch):
    monkeypatch.setattr(snapshot_rules, "MAX_BYTES", 1_000_000)
    bomb = zip_of(["a", "b"], bytes(600_000))
    assert len(bomb) < 5000

    with pytest.raises(ProblemsError, match="larger than at most"):
        check_zip(io.BytesIO(bomb))


def test_a_zip_in_a_zip_stays_a_file(tmp_path):
    """Nobody opens it, so it counts with its own size."""
    inner = zip_of(["../up.py"], bytes(100_000))
    snapshot = tmp_path / "snapshot.zip"
    snapshot.write_bytes(zip_of(["inner.zip", "./data/x.csv"], inner))
    with snapshot.open("rb") as file:
        assert check_zip(file) == ["./data/x.csv", "inner.zip"]

    workdir = prepare_workdir(tmp_path / "run" / "0", snapshot)

    found = {p.relative_to(workdir.code).as_posix() for p in workdir.code.rglob("*.*")}
    assert found == {"inner.zip", "data/x.csv"}
    assert zipfile.is_zipfile(workdir.code / "inner.zip")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "snapshot.zip"]


@pytest.mark.django_db
def test_no_refused_upload_leaves_anything(settings, tmp_path):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    world = make_world(tmp_path / "runs")
    make_workspace(world.alice)

    for name in ("parent", "link", "many files", "endless list", "says it is small"):
        answer = call(
            "POST",
            "/snapshots",
            token=world.tokens["alice_write"],
            body=REFUSED[name][0],
            content_type="application/zip",
        )
        assert answer.status_code == 422, name

    assert [p for p in (tmp_path / "storage").rglob("*") if p.is_file()] == []
