"""Errors of the REST API: problem documents with every problem at once, and nothing created."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.models import Experiment, Sweep
from tests.web.api_world import World, assert_problem, call, make_world, submittable

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def _submit(world: World, body: Any, content_type: str = "application/json") -> Any:
    return call(
        "POST", "/sweeps", token=world.tokens["alice_write"], body=body, content_type=content_type
    )


@pytest.mark.parametrize(
    ("body", "content_type", "path"),
    [
        ('{"name": "x",\n "compute" "y"}', "application/json", "line 2, column 12"),
        ("name: x\nscript: [1,\n", "application/yaml", "line 3, column 1"),
        ("name: x\nname: y\n", "application/yaml", "line 2, column 1"),
        ("", "application/json", "line 1, column 1"),
        (b"\xff\xfe", "application/json", "byte 0"),
        ("[1, 2]", "application/json", ""),
        ("just text", "application/yaml", ""),
        ("[" * 100_000, "application/json", ""),
        ("[" * 5_000, "application/yaml", r"(line 1, column \d+)?"),
        ('{"max_total_runs": ' + "9" * 5000 + "}", "application/json", ""),
        ("max_total_runs: " + "9" * 5000, "application/yaml", r"(line 1, column \d+)?"),
        ("a: &x [1]\nb: *x\n", "application/yaml", "line 2, column 4"),
    ],
)
def test_unreadable_body_is_400_with_its_line(
    world: World, body: Any, content_type: str, path: str
) -> None:
    before = Sweep.objects.count()

    errors = assert_problem(_submit(world, body, content_type), 400)

    (error,) = errors
    assert re.fullmatch(path, error["path"]), error
    assert Sweep.objects.count() == before


def test_wrong_specification_lists_every_problem_and_creates_nothing(world: World) -> None:
    before = (Sweep.objects.count(), Experiment.objects.count())
    body = submittable(
        search_space={"lr": "uniform(2, 1)", "x": "nope(1)"},
        primary_metric={"name": "accuracy", "goal": "up"},
        max_total_runs=0,
        compute="nowhere",
        script="tarin.py",
        experiment="new-one",
        tpyo=1,
    )

    errors = assert_problem(_submit(world, body), 422)

    assert sorted(error["path"] for error in errors) == [
        "compute",
        "max_total_runs",
        "primary_metric.goal",
        "script",
        "search_space.lr.max_value",
        "search_space.x",
        "tpyo",
    ]
    assert (Sweep.objects.count(), Experiment.objects.count()) == before


@pytest.mark.parametrize("digest", ["0" * 64, "nonsense", 7, ["x"], {"a": 1}, "\x00", ""])
def test_unknown_snapshot_is_a_problem(world: World, digest: Any) -> None:
    errors = assert_problem(_submit(world, submittable(snapshot=digest)), 422)

    assert [error["path"] for error in errors] == ["snapshot"]


def test_missing_script_is_a_problem(world: World) -> None:
    errors = assert_problem(_submit(world, submittable(script="tarin.py")), 422)

    assert errors[0]["path"] == "script"
    assert "train.py" in errors[0]["message"]


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/sweeps?limit=0", "limit"),
        ("/sweeps?limit=501", "limit"),
        ("/sweeps?limit=x", "limit"),
        ("/sweeps?state=Sleeping", "state"),
        ("/sweeps?cursor=%00", "cursor"),
        ("/sweeps?cursor=abc", "cursor"),
        ("/sweeps?text=a%00b", "text"),
        ("/sweeps?experiment=%00", "experiment"),
        ("/sweeps/{sweep}/metrics?metric=%00", "metric"),
        ("/runs/{run}/metrics?name=%00", "name"),
        ("/sweeps/{sweep}/events?after=-1", "after"),
        ("/sweeps/{sweep}/events?after=99999999999999999999999", "after"),
        ("/sweeps/{sweep}/events?wait=1000", "wait"),
        ("/sweeps/{sweep}/metrics?limit=1", "limit"),
        ("/runs/{run}/logs?offset=-5", "offset"),
        ("/runs/{run}/logs?limit=100000000", "limit"),
    ],
)
def test_wrong_query_is_422_with_the_parameter(world: World, address: str, path: str) -> None:
    address = address.format(sweep=world.sweep.public_id, run=world.run.public_id)

    errors = assert_problem(call("GET", address, token=world.tokens["alice_read"]), 422)

    assert [error["path"] for error in errors] == [path]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "a", "value": 1}, ""),
        ([], ""),
        ([{"name": "", "value": 1}], "[0].name"),
        ([{"name": "a"}], "[0].value"),
        ([{"name": "a", "value": 1}, {"name": "b", "value": 1, "step": "x"}], "[1].step"),
        ([{"name": "a", "value": [1]}], "[0].value"),
        ([{"name": "a", "value": "x" * 1001}], "[0].value"),
        ([{"name": "a", "value": 1, "time": -1}], "[0].time"),
        ([{"name": "a\0", "value": 1}], "[0].name"),
        ([{"name": "a", "value": 1, "extra": 1}], "[0].extra"),
    ],
)
def test_wrong_reports_name_their_place(world: World, body: Any, path: str) -> None:
    token = world.tokens["alice_write"]

    response = call("POST", f"/runs/{world.run.public_id}/metrics", token=token, body=body)

    assert [error["path"] for error in assert_problem(response, 422)] == [path]


@pytest.mark.parametrize("evil", ["x\0", "x\ud800"])
@pytest.mark.parametrize(
    ("path", "wrap"),
    [
        ("name", str),
        ("description", str),
        ("tags.a", lambda evil: {"a": evil}),
        ("compute", str),
        ("script", str),
        ("python", str),
        ("primary_metric.name", lambda evil: {"name": evil, "goal": "maximize"}),
        ("arguments[1]", lambda evil: ["a", evil]),
    ],
)
def test_text_that_no_database_holds_is_a_problem(
    world: World, path: str, wrap: Any, evil: str
) -> None:
    name = path.replace("[", ".").split(".")[0]

    response = _submit(world, submittable(**{name: wrap(evil)}))

    assert path in [error["path"] for error in assert_problem(response, 422)]


def test_unreadable_reports_are_400(world: World) -> None:
    address = f"/runs/{world.run.public_id}/metrics"

    response = call("POST", address, token=world.tokens["alice_write"], body='[{"name"}]')

    assert assert_problem(response, 400)[0]["path"] == "line 1, column 9"


def test_too_large_body_is_413(world: World, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    for address in ("/sweeps", f"/runs/{world.run.public_id}/metrics"):
        response = call(
            "POST", address, token=world.tokens["alice_write"], body="[" + " " * 2000 + "]"
        )
        assert_problem(response, 413)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("address", ["/nothing", "/sweeps/x/nothing", "/runs"])
def test_unknown_address_is_a_problem_too(world: World, method: str, address: str) -> None:
    assert_problem(call(method, address, token=world.tokens["alice_admin"]), 404)


def test_wrong_method_names_the_right_ones(world: World) -> None:
    response = call("DELETE", "/sweeps", token=world.tokens["alice_admin"])

    assert "GET, POST" in assert_problem(response, 405)[0]["message"]
    assert response["Allow"] == "GET, POST"


@pytest.mark.parametrize("name", ["", ".", "..", "%00", "HD_x", "'; drop table", "é", "a" * 5000])
def test_ids_that_are_none_are_not_found(world: World, name: str) -> None:
    for noun in ("sweeps", "runs"):
        response = call("GET", f"/{noun}/{name}/metrics", token=world.tokens["alice_read"])
        assert_problem(response, 404)


def test_failure_of_the_studio_is_a_problem_without_details(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("experiments.api.sweeps.queries.sweep_json", fail)

    response = call("GET", f"/sweeps/{world.sweep.public_id}", token=world.tokens["alice_read"])

    assert "secret" not in json.dumps(assert_problem(response, 500))


def test_root_of_the_api_is_not_a_page(world: World) -> None:
    response: Any = Client().get("/api/v1/")

    assert_problem(response, 404)
