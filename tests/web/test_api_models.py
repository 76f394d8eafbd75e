"""REST: what models and versions look like, pages, problems, files."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from experiments.models import ModelVersion, RegisteredModel
from tests.factories import make_user, make_workspace
from tests.web.api_world import World, assert_problem, call, get, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def send(world: World, method: str, path: str, body: Any = None, user: str = "alice") -> Any:
    return call(method, path, token=world.tokens[f"{user}_write"], body=body)


def register(world: World, name: str = "digits", **body: Any) -> Any:
    source = {"run": world.run.public_id, **body}
    response = send(world, "POST", f"/models/{name}/versions", source)
    assert response.status_code == 201, response.content
    return json.loads(response.content)


def test_version_says_everything_about_itself(world: World) -> None:
    made = register(world, description="d", tags={"a": None}, properties={"b": "1"})

    created = made.pop("created")
    assert created.endswith("Z")
    assert made == {
        "id": "digits:1",
        "name": "digits",
        "version": 1,
        "workspace": "team",
        "url": "http://testserver/models/team/digits/1/",
        "path": "outputs",
        "is_folder": True,
        "files": 1,
        "size": 7,
        "metric": {"name": "accuracy", "goal": "maximize", "value": 0.75},
        "hyperparameters": {"lr": 0.1, "layers": 2},
        "run": world.run.public_id,
        "sweep": world.sweep.public_id,
        "experiment": "digits",
        "snapshot": "0" * 64,
        "command": world.run.command,
        "stage": "none",
        "stage_by": None,
        "stage_changed": None,
        "description": "d",
        "tags": {"a": None},
        "properties": {"b": "1"},
        "created_by": "alice",
    }
    assert get(world, "/models/digits/versions/1") == {**made, "created": created}


def test_model_says_its_newest_and_marked_versions(world: World) -> None:
    for _ in range(3):
        register(world)
    send(world, "PATCH", "/models/digits/versions/1", {"stage": "production"})
    send(world, "PATCH", "/models/digits/versions/2", {"stage": "staging"})
    send(world, "PATCH", "/models/digits", {"description": "reads digits"})

    model = get(world, "/models/digits", "bob")
    assert (model["versions"], model["latest"]["version"]) == (3, 3)
    assert model["marked"] == {"production": 1, "staging": 2}
    assert model["description"] == "reads digits"
    assert model["url"] == "http://testserver/models/team/digits/"
    assert get(world, "/models")["items"] == [model]
    by_stage = get(world, "/models/digits/versions?stage=production")["items"]
    assert [version["version"] for version in by_stage] == [1]


def test_changes_are_made_together_or_not_at_all(world: World) -> None:
    register(world, properties={"p": "1"})
    body = {"stage": "production", "description": "new", "tags": {"a": "1"}}

    refused = send(world, "PATCH", "/models/digits/versions/1", {**body, "properties": {"p": "2"}})
    assert assert_problem(refused, 422)[0]["path"] == "properties.p"
    assert ModelVersion.objects.values_list("stage", "description").get() == ("none", "")

    changed = json.loads(send(world, "PATCH", "/models/digits/versions/1", body).content)
    assert (changed["stage"], changed["stage_by"]) == ("production", "alice")
    assert (changed["description"], changed["tags"]) == ("new", {"a": "1"})
    kept = json.loads(
        send(world, "PATCH", "/models/digits/versions/1", {"remove_tags": ["a"]}).content
    )
    assert (kept["stage"], kept["description"], kept["tags"]) == ("production", "new", {})


@pytest.mark.parametrize("address", ["/models", "/models/m/versions"])
def test_lists_are_paged_without_loss(world: World, address: str) -> None:
    for number in range(5):
        register(world, "m")
        register(world, f"m{number}")
    key = "name" if address == "/models" else "version"

    seen, cursor = [], ""
    while cursor is not None:
        page = get(world, f"{address}?limit=2&cursor={cursor}")
        assert len(page["items"]) <= 2
        seen += [item[key] for item in page["items"]]
        cursor = page["next_cursor"]

    newest_first = ["m4", "m", "m3", "m2", "m1", "m0"]
    assert seen == (newest_first if key == "name" else [5, 4, 3, 2, 1])
    assert get(world, "/models?text=m4")["items"][0]["name"] == "m4"


@pytest.mark.parametrize(
    ("name", "body", "path", "message"),
    [
        ("a%20b", {}, "name", "letters, digits, dots"),
        ("digits", {"path": "nothing"}, "path", 'no file or folder "nothing"'),
        ("digits", {"tags": {"x" * 101: "1"}}, "tags", "100"),
        ("digits", {"files": []}, "files", "unknown"),
        ("digits", {"description": "x" * 10001}, "description", "at most 10000"),
        ("digits", {"description": "a\0"}, "description", "null character"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(
    world: World, name: str, body: Any, path: str, message: str
) -> None:
    source = {"run": world.run.public_id, **body}
    response = send(world, "POST", f"/models/{name}/versions", source)

    problem = assert_problem(response, 422)[0]
    assert problem["path"].startswith(path)
    assert message in problem["message"] or path == "files"
    assert not RegisteredModel.objects.exists()


def test_unknown_names_numbers_and_runs_are_not_found(world: World) -> None:
    register(world)
    unknown = [
        ("GET", "/models/nothing", None),
        ("GET", "/models/nothing/versions", None),
        ("GET", "/models/digits/versions/2", None),
        ("GET", "/models/digits/versions/1/files/nothing", None),
        ("GET", "/models/digits?workspace=elsewhere", None),
        ("POST", "/models/digits/versions", {"run": "HD_x_1"}),
    ]

    for method, path, body in unknown:
        assert_problem(send(world, method, path, body), 404)
    for number in ("0", "x", "99999999999"):
        assert send(world, "GET", f"/models/digits/versions/{number}").status_code in (404, 422)


def test_files_come_with_hashes_one_by_one_and_as_zip(world: World) -> None:
    register(world)

    (file,) = get(world, "/models/digits/versions/1/files")["items"]
    address = file.pop("url").removeprefix("http://testserver/api/v1")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert file == {"path": "model.txt", "size": 7, "digest": digest}
    assert send(world, "GET", address).content == b"weights"
    archive = send(world, "GET", "/models/digits/versions/1/archive")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert opened.read("model.txt") == b"weights"


def test_version_in_use_is_kept_and_a_deleted_number_stays_free(world: World) -> None:
    register(world)
    register(world)
    send(world, "PATCH", "/models/digits/versions/2", {"stage": "staging"})

    refused = send(world, "DELETE", "/models/digits/versions/2")
    assert "remove that mark first" in assert_problem(refused, 409)[0]["message"]
    send(world, "PATCH", "/models/digits/versions/2", {"stage": "none"})
    assert send(world, "DELETE", "/models/digits/versions/2").status_code == 204
    assert register(world)["version"] == 3

    for number in (1, 3):
        send(world, "DELETE", f"/models/digits/versions/{number}")
    assert get(world, "/models/digits")["latest"] is None
    assert send(world, "DELETE", "/models/digits").status_code == 204
    assert_problem(send(world, "GET", "/models/digits"), 404)


def test_name_in_two_workspaces_is_told_apart(world: World) -> None:
    register(world)
    second = make_workspace(world.alice, name="Second")
    other = RegisteredModel.objects.get()
    other.pk, other.workspace, other.description = None, second, "the other"
    other._state.adding = True
    other.save()

    assert get(world, "/models/digits")["workspace"] == "team"
    assert get(world, "/models/digits?workspace=second")["description"] == "the other"


def test_script_registers_in_the_name_of_the_sweep_owner(world: World) -> None:
    body = {"run": world.run.public_id}

    response = call("POST", "/models/digits/versions", token=world.run_token, body=body)
    assert json.loads(response.content)["created_by"] == "alice"


def test_model_follows_its_workspace_not_the_caller(world: World) -> None:
    admin = make_user("root", is_superuser=True)
    make_workspace(admin, name="Roots")
    from experiments.services.access import make_api_token

    token = make_api_token(admin, name="t", scope="write")[1]
    body = {"run": world.run.public_id}

    made = json.loads(call("POST", "/models/digits/versions", token=token, body=body).content)
    assert (made["workspace"], made["created_by"]) == ("team", "root")


def test_search_for_models_takes_many_words(world: World) -> None:
    words = "+".join(["d"] * 100)

    assert get(world, f"/models?text={words}")["items"] == []
