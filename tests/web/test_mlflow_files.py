"""Files that MLflow clients send and fetch: in the tree of their run, and never outside of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.models import Run
from experiments.run_files import list_files
from experiments.services import attached_files
from tests.web.api_world import World
from tests.web.test_mlflow_api import call, send_file, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db


def test_files_go_into_the_tree_of_the_run(world: World) -> None:
    assert send_file(world, "plots/loss.png", b"old") == (200, {})
    assert send_file(world, "plots/loss.png", b"picture") == (200, {})
    assert send_file(world, "outputs/weights.bin", b"weights") == (200, {})
    run_id = world.run.public_id
    _, root = call("artifacts/list", world.run_token, run_id=run_id)
    _, inside = call("artifacts/list", world.run_token, run_id=run_id, path="plots")
    client = Client(headers={"authorization": f"Bearer {world.tokens['bob_read']}"})
    base = "/api/2.0/mlflow-artifacts/artifacts"
    listed: Any = client.get(base, {"path": f"{run_id}/artifacts/plots"})
    got: Any = client.get(f"{base}/{run_id}/artifacts/plots/loss.png")
    missing = client.get(f"{base}/{run_id}/artifacts/plots/other.png")

    assert [(file["path"], file["is_dir"]) for file in root["files"]] == [
        ("logs", True), ("outputs", True), ("plots", True),
    ]  # fmt: skip
    assert inside["files"] == [{"path": "plots/loss.png", "is_dir": False, "file_size": 7}]
    assert listed.json()["files"] == [{"path": "loss.png", "is_dir": False, "file_size": 7}]
    assert b"".join(got.streaming_content) == b"picture"
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "name",
    ["../0/metrics.jsonl", "%2E%2E/x", "a/../../x", "logs/std_log.txt", "outputs", "link/x", ""],
)
def test_files_stay_in_the_tree_of_the_run(world: World, name: str, tmp_path: Path) -> None:
    folder = Path(world.run.directory)
    (folder / "uploads").mkdir()
    (folder / "uploads" / "link").symlink_to(tmp_path)
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())

    status, error = send_file(world, name, b"x")

    # The name `outputs` alone is a file beside the folder of that name, so it is kept.
    if name == "outputs":
        assert (status, (folder / "uploads" / "outputs").read_bytes()) == (200, b"x")
        return
    assert status in (400, 404), error
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before


def test_files_of_a_run_on_another_machine_outlive_its_own_list(world: World) -> None:
    folder = attached_files.open_directory(world.run)
    Run.objects.filter(pk=world.run.pk).update(directory=str(folder))
    world.run.refresh_from_db()
    (folder / "outputs" / "gone.txt").write_text("was removed there")

    assert send_file(world, "plots/loss.png", b"picture") == (200, {})
    attached_files.keep_only(world.run, ["outputs/other.txt"])

    assert [file.path for file in list_files(folder)] == ["plots/loss.png"]
    assert list(world.run.artifacts.values_list("path", "size_bytes")) == [("plots/loss.png", 7)]
