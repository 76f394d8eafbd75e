"""REST: to the trash, back, for good; outputs; who may do what with which token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.models import Removal, Sweep
from experiments.services.purge import delete_for_good
from experiments.services.removals import carry_on
from experiments.services.trash import trash_sweep
from tests.services.ended_sweeps import ended_sweep
from tests.web.api_world import World, assert_problem, call, get, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def send(world: World, method: str, path: str, body: Any = None, user: str = "alice") -> Any:
    return call(method, path, token=world.tokens[f"{user}_write"], body=body)


def answer(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return json.loads(response.content)


def test_sweep_goes_to_the_trash_back_and_is_deleted_for_good(world: World) -> None:
    sweep = ended_sweep(0.5, owner=world.alice, name="old")
    path, trashed = f"/sweeps/{sweep.public_id}", f"/trash/{sweep.public_id}"

    entry = answer(send(world, "DELETE", path))
    assert (entry["id"], entry["name"], entry["runs"]) == (sweep.public_id, "old", 1)
    assert (entry["size"], entry["trashed_by"], entry["removal"]) == (1600, "alice", None)
    assert entry["purge_at"] > entry["trashed"]
    for gone in (path, f"{path}/runs", f"{path}/events", f"/runs/{sweep.public_id}_0"):
        assert_problem(send(world, "GET", gone), 404)
    assert [one["id"] for one in get(world, "/sweeps")["items"]] == [world.sweep.public_id]
    assert get(world, "/trash") == {"items": [entry], "next_cursor": None}
    assert get(world, "/trash?workspace=team")["items"] == [get(world, trashed)]

    assert answer(send(world, "POST", f"{trashed}/restore"))["id"] == sweep.public_id
    assert_problem(send(world, "DELETE", trashed), 404)  # only what is in the trash
    answer(send(world, "DELETE", path))
    removal = answer(send(world, "DELETE", trashed))
    assert (removal["freed_bytes"], removal["expected_bytes"], removal["by"]) == (
        1600,
        1600,
        "alice",
    )
    assert removal["finished"] is not None
    assert get(world, f"/removals/{removal['id']}") == removal
    assert get(world, "/removals")["items"] == [removal]
    assert get(world, "/trash")["items"] == []
    assert not Sweep.objects.filter(pk=sweep.pk).exists()


def test_conflicts_say_what_to_do(world: World) -> None:
    problems = assert_problem(send(world, "DELETE", f"/sweeps/{world.sweep.public_id}"), 409)
    assert "cancel it first" in problems[0]["message"]

    sweep = ended_sweep(0.5, owner=world.alice)
    trash_sweep(sweep, user=world.alice)
    carry_on(delete_for_good(sweep, user=world.alice), seconds=0)
    problems = assert_problem(send(world, "POST", f"/trash/{sweep.public_id}/restore"), 409)
    assert "being deleted for good" in problems[0]["message"]
    run = f"/runs/{world.run.public_id}/outputs"
    assert "is Running" in assert_problem(send(world, "DELETE", run), 409)[0]["message"]


def test_empty_trash_is_of_one_workspace(world: World) -> None:
    for value in (0.1, 0.2):
        trash_sweep(ended_sweep(value, owner=world.alice), user=world.alice)

    assert_problem(send(world, "DELETE", "/trash"), 422)
    assert_problem(send(world, "DELETE", "/trash?workspace=elsewhere"), 404)
    done = answer(send(world, "DELETE", "/trash?workspace=team"), 202)

    assert [one["freed_bytes"] for one in done["items"]] == [1600, 1600]
    assert done["refused"] == []


def test_outputs_are_planned_then_removed(world: World) -> None:
    sweep = ended_sweep(0.5, 0.9, 0.7, owner=world.alice)
    address = f"/sweeps/{sweep.public_id}/outputs?keep_best="

    plan = get(world, f"{address}1")
    assert [one["number"] for one in plan["kept"]] == [1]
    assert [one["number"] for one in plan["removed"]] == [2, 0]
    assert plan["freed_bytes"] == 3000
    assert_problem(send(world, "DELETE", f"{address}1001"), 422)
    removal = answer(send(world, "DELETE", f"{address}1"))
    assert (removal["kind"], removal["runs"], removal["kept_best"]) == ("outputs", 2, 1)
    assert removal["freed_bytes"] == 3000
    assert answer(send(world, "DELETE", f"{address}1")) is None

    run = f"/runs/{sweep.public_id}_1"
    assert answer(send(world, "DELETE", f"{run}/outputs"))["freed_bytes"] == 1500
    assert [one["path"] for one in get(world, f"{run}/files")["items"]] == ["logs/std_log.txt"]


def test_rule_of_a_live_sweep_is_set_and_taken_back(world: World) -> None:
    path = f"/sweeps/{world.sweep.public_id}/outputs"

    assert answer(send(world, "PUT", path, {"keep_best": 2}))["rule"] == 2
    assert answer(send(world, "PUT", path, {"keep_best": None}))["rule"] is None
    for wrong in ({"keep_best": -1}, {"keep_best": "x"}, {}, {"keep_best": 1, "more": 2}):
        assert_problem(send(world, "PUT", path, wrong), 422)


def test_readers_strangers_and_runs_change_nothing(world: World) -> None:
    kept = ended_sweep(0.5, owner=world.alice)
    sweep = ended_sweep(0.5, owner=world.alice)
    trash_sweep(sweep, user=world.alice)
    changes = [
        ("DELETE", f"/sweeps/{kept.public_id}", None),
        ("POST", f"/trash/{sweep.public_id}/restore", None),
        ("DELETE", f"/trash/{sweep.public_id}", None),
        ("DELETE", "/trash?workspace=team", None),
        ("DELETE", f"/sweeps/{kept.public_id}/outputs?keep_best=0", None),
        ("PUT", f"/sweeps/{kept.public_id}/outputs", {"keep_best": 1}),
        ("DELETE", f"/runs/{kept.public_id}_0/outputs", None),
    ]
    for method, path, body in changes:
        assert_problem(send(world, method, path, body, user="bob"), 403)
        assert_problem(send(world, method, path, body, user="charlie"), 404)
        read_only = call(method, path, token=world.tokens["alice_read"], body=body)
        assert_problem(read_only, 403)
        assert_problem(call(method, path, token=world.run_token, body=body), 403)
        assert_problem(call(method, path, body=body), 401)
    outputs = f"/sweeps/{kept.public_id}/outputs?keep_best=0"
    assert_problem(send(world, "GET", outputs, user="charlie"), 404)
    assert [one["number"] for one in get(world, outputs, user="bob")["removed"]] == [0]
    assert get(world, "/trash", user="bob")["items"][0]["id"] == sweep.public_id
    carry_on(delete_for_good(sweep, user=world.alice), seconds=0)
    removal = Removal.objects.get()
    for path in (f"/trash/{sweep.public_id}", f"/removals/{removal.pk}"):
        assert_problem(send(world, "GET", path, user="charlie"), 404)
    assert get(world, "/trash", user="charlie")["items"] == []
    assert get(world, "/removals", user="charlie")["items"] == []
