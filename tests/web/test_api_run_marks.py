"""Tags and properties of runs over REST, and the specification of a sweep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.models import Run
from experiments.spec import SweepSpec
from tests.web.api_world import World, assert_problem, call, get, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def change(world: World, body: dict[str, Any], token: str = "") -> Any:
    """Send changes of the first run with its own token."""
    path = f"/runs/{world.run.public_id}"
    return call("PATCH", path, token=token or world.run_token, body=body)


def test_script_tags_its_run_with_its_own_token(world: World) -> None:
    before = Run.objects.get(pk=world.run.pk).stamp

    change(world, {"tags": {"a": "1", "b": None}, "properties": {"git": "abc"}})
    answer = change(world, {"tags": {"a": "2", "c": "ü"}, "remove_tags": ["b", "unknown"]})

    assert answer.status_code == 200, answer.content
    assert json.loads(answer.content)["tags"] == {"a": "2", "c": "ü"}
    found = get(world, f"/runs/{world.run.public_id}")
    assert (found["tags"], found["properties"]) == ({"a": "2", "c": "ü"}, {"git": "abc"})
    assert (found["script"], found["compute"], found["owner"]) == ("train.py", "local", "alice")
    assert Run.objects.get(pk=world.run.pk).stamp > before
    listed = get(world, f"/sweeps/{world.sweep.public_id}/runs")["items"]
    assert [run["tags"] for run in listed] == [{"a": "2", "c": "ü"}, {}]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"properties": {"git": "other"}}, ["properties.git"]),
        ({"tags": {"": "x"}}, ["tags."]),
        ({"tags": {"k" * 101: "x"}}, ["tags." + "k" * 100]),
        ({"tags": {"k": "x" * 1001}, "properties": {"p": "x" * 1001}}, ["tags.k", "properties.p"]),
        ({"tags": {f"t{i}": "" for i in range(51)}}, ["tags"]),
        ({"tags": {"k": 3}}, ["tags.k"]),
        ({"tags": {"k": "\0"}}, ["tags.k"]),
        ({"labels": {}}, ["labels"]),
    ],
)
def test_wrong_changes_change_nothing(world: World, body: dict[str, Any], paths: list[str]) -> None:
    change(world, {"tags": {"a": "1"}, "properties": {"git": "abc"}})

    problems = assert_problem(change(world, {**body, "remove_tags": ["a"]}), 422)

    assert [problem["path"] for problem in problems] == paths
    run = Run.objects.get(pk=world.run.pk)
    assert (run.tags, run.properties) == ({"a": "1"}, {"git": "abc"})


def test_only_who_may_write_a_run_may_tag_it(world: World) -> None:
    body = {"tags": {"a": "1"}}

    assert_problem(change(world, body, token=world.other_run_token), 404)
    assert_problem(change(world, body, token=world.tokens["bob_write"]), 403)
    assert_problem(change(world, body, token=world.tokens["alice_read"]), 403)
    assert_problem(change(world, body, token=world.tokens["charlie_write"]), 404)
    assert change(world, body, token=world.tokens["alice_write"]).status_code == 200


def test_specification_can_be_read_and_is_whole(world: World) -> None:
    spec = get(world, f"/sweeps/{world.sweep.public_id}/spec")

    assert spec.pop("snapshot") == world.sweep.snapshot.digest
    stored = {key: value for key, value in world.sweep.spec.items() if key != "snapshot"}
    assert spec == stored
    assert SweepSpec.parse({k: v for k, v in spec.items() if v is not None}).metric_name
    answer = call(
        "GET", f"/sweeps/{world.sweep.public_id}/spec", token=world.tokens["charlie_read"]
    )
    assert_problem(answer, 404)
