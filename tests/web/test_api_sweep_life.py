"""Pause, resume, limits, repetitions and runs by hand over REST."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.models import Run, Sweep
from experiments.services.outcome import RunOutcome
from experiments.services.runs import finish_run
from tests.web.api_world import World, assert_problem, call, make_world

pytestmark = pytest.mark.django_db
VALUES = {"lr": 0.5, "layers": 1}


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def _send(world: World, method: str, path: str, body: Any = None) -> Any:
    return call(method, path, token=world.tokens["alice_write"], body=body)


def _sweep(world: World, action: str = "") -> str:
    return f"/sweeps/{world.sweep.public_id}{action}"


def _end(run: Run, exit_code: int) -> None:
    finish_run(run.pk, run.fence, RunOutcome(exit_code=exit_code))


def _end_sweep(world: World) -> None:
    Sweep.objects.filter(pk=world.sweep.pk).update(max_total_runs=2)
    _end(world.run, 1)
    _end(world.other_run, 0)


def test_pause_and_resume_answer_with_the_sweep_and_may_be_repeated(world: World) -> None:
    for action, status in (("/pause", "Paused"), ("/resume", "Running")):
        for _ in range(2):
            response = _send(world, "POST", _sweep(world, action))
            assert response.status_code == 200
            assert json.loads(response.content)["status"] == status


@pytest.mark.parametrize(
    ("method", "action", "body"),
    [
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("PATCH", "", {"max_total_runs": 9}),
        ("POST", "/runs", {"params": VALUES}),
    ],
)
def test_an_ended_sweep_refuses_with_a_sentence(
    world: World, method: str, action: str, body: Any
) -> None:
    _end_sweep(world)

    response = _send(world, method, _sweep(world, action), body)

    assert assert_problem(response, 409)[0]["message"].startswith("The sweep ")
    assert Sweep.objects.get(pk=world.sweep.pk).state == "Completed"


def test_limits_are_changed_and_answered(world: World) -> None:
    body = {"max_total_runs": 7, "max_concurrent_runs": 5, "max_duration_minutes": 90}

    response = _send(world, "PATCH", _sweep(world), body)

    limits = json.loads(response.content)["limits"]
    assert {name: limits[name] for name in body} == body
    assert Run.objects.filter(sweep=world.sweep).count() == 5


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ""),
        ({"max_total_runs": 1}, "max_total_runs"),
        ({"max_concurrent_runs": 0}, "max_concurrent_runs"),
        ({"name": "other"}, "name"),
    ],
)
def test_wrong_limits_are_problems(world: World, body: Any, path: str) -> None:
    problems = assert_problem(_send(world, "PATCH", _sweep(world), body), 422)

    assert [problem["path"] for problem in problems] == [path]


@pytest.mark.parametrize("body", ["{", b"\xff", "[]"])
def test_a_body_that_cannot_be_read_is_400(world: World, body: Any) -> None:
    assert_problem(_send(world, "PATCH", _sweep(world), body), 400)
    assert_problem(_send(world, "POST", _sweep(world, "/runs"), body), 400)


def test_a_run_is_queued_by_hand(world: World) -> None:
    response = _send(world, "POST", _sweep(world, "/runs"), {"params": VALUES})

    assert response.status_code == 201
    run = json.loads(response.content)
    assert (run["hyperparameters"], run["status"]) == (VALUES, "NotStarted")
    assert run["note"] == "Queued by hand by alice."


def test_a_value_outside_needs_to_be_meant(world: World) -> None:
    body: dict[str, Any] = {"params": {"lr": 7, "layers": 1}}

    refused = assert_problem(_send(world, "POST", _sweep(world, "/runs"), body), 422)
    meant = _send(world, "POST", _sweep(world, "/runs"), {**body, "outside": True})

    assert [problem["path"] for problem in refused] == ["params.lr"]
    assert meant.status_code == 201


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["params"]),
        ({"params": [1]}, ["params"]),
        ({"params": {"lr": 0.1}}, ["params.layers"]),
        ({"params": {**VALUES, "x\0": 1}}, ["params.x\0"]),
        ({"params": {**VALUES, "lr": "a"}, "outside": True}, ["params.lr"]),
        ({"params": VALUES, "outside": "yes"}, ["outside"]),
        ({"params": VALUES, "force": True}, ["force"]),
    ],
)
def test_wrong_configurations_are_problems(world: World, body: Any, paths: list[str]) -> None:
    problems = assert_problem(_send(world, "POST", _sweep(world, "/runs"), body), 422)

    assert [problem["path"] for problem in problems] == paths
    assert Run.objects.filter(sweep=world.sweep).count() == 2


def test_one_run_and_all_failed_runs_are_repeated(world: World) -> None:
    _end_sweep(world)

    one = _send(world, "POST", f"/runs/{world.run.public_id}/retry")
    again = _send(world, "POST", f"/runs/{world.run.public_id}/retry")
    none = _send(world, "POST", _sweep(world, "/retry-failed"))

    assert one.status_code == 201
    made = json.loads(one.content)
    assert (made["retry_of"], made["number"]) == (world.run.public_id, 2)
    assert made["hyperparameters"] == {"lr": 0.1, "layers": 2}
    assert "repeated by run 2 already" in assert_problem(again, 409)[0]["message"]
    assert json.loads(none.content) == {"items": []}
    assert Sweep.objects.get(pk=world.sweep.pk).state == "Running"


def test_retry_failed_answers_with_the_new_runs(world: World) -> None:
    _end_sweep(world)

    response = _send(world, "POST", _sweep(world, "/retry-failed"))

    assert response.status_code == 200
    items = json.loads(response.content)["items"]
    assert [item["retry_of"] for item in items] == [world.run.public_id]
