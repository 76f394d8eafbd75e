"""Requests in the log: their ids come and go, and lines say who asked and about what."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments import log_context
from experiments.models import Sweep
from experiments.services import dispatch
from experiments.services.dispatch import get_queue, job_context
from experiments.services.origins import origin_of
from studio.logs import JsonLines
from tests.factories import make_run
from tests.web.api_world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_LOG_REQUESTS = True
    return make_world(tmp_path / "runs")


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the root logger writes as JSON."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def requests(log: StringIO) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["logger"] == "studio.requests"]


def test_request_keeps_its_id_and_gets_one_otherwise(world: World) -> None:
    given = Client(headers={"X-Request-ID": "nightly-17"}).get("/healthz")
    wrong = Client(headers={"X-Request-ID": "a b"}).get("/healthz")
    own = Client().get("/healthz")

    assert given.headers["X-Request-ID"] == "nightly-17"
    assert len(wrong.headers["X-Request-ID"]) == len(own.headers["X-Request-ID"]) == 32
    assert wrong.headers["X-Request-ID"] != own.headers["X-Request-ID"]


def test_line_of_a_request_says_who_asked_and_about_what(world: World, log: StringIO) -> None:
    browser = Client(headers={"X-Request-ID": "r1"})
    browser.force_login(world.alice)
    program = Client(headers={"authorization": f"Bearer {world.tokens['bob_read']}"})

    browser.get(f"/runs/{world.run.public_id}/?token=abc")
    program.get(f"/api/v1/sweeps/{world.sweep.public_id}")
    Client().get("/api/2.0/mlflow/runs/get?run_id=x")

    page, api, mlflow = requests(log)
    assert page.pop("duration_ms") > 0
    assert page.pop("time")
    assert page == {
        "level": "INFO", "logger": "studio.requests", "request_id": "r1",
        "message": page["message"], "user_id": str(world.alice.pk),
        "run_id": world.run.public_id,
        "method": "GET", "path": f"/runs/{world.run.public_id}/", "route": "run", "status": 200,
    }  # fmt: skip
    assert (api["user_id"], api["sweep_id"]) == (str(world.bob.pk), world.sweep.public_id)
    assert api["workspace"] == "Team"
    assert (mlflow["route"], mlflow["status"]) == ("mlflow", 401)
    assert "user_id" not in mlflow
    assert "token" not in log.getvalue()
    said = [json.loads(line) for line in log.getvalue().splitlines()]
    refused = next(line for line in said if line["logger"] == "django.request")
    assert refused["request_id"] == mlflow["request_id"]


def test_only_failed_and_slow_requests_are_logged_by_default(
    world: World, log: StringIO, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDIO_LOG_REQUESTS = False
    Client().get("/healthz")
    assert requests(log) == []

    monkeypatch.setattr("studio.logs.SLOW_SECONDS", 0.0)
    Client().get("/healthz")

    assert [line["route"] for line in requests(log)] == ["healthz"]


@pytest.mark.django_db(transaction=True)
def test_request_goes_along_with_its_jobs_and_runs(world: World) -> None:
    sweep = Sweep.objects.get(pk=world.sweep.pk)
    control, slots = get_queue(dispatch.CONTROL_QUEUE), get_queue(sweep.compute.queue_name)
    control.empty()
    slots.empty()

    with log_context.only(request_id="nightly-17"):
        dispatch.enqueue_advance(sweep.pk)
        make_run(sweep, lr=0.3, layers=1)
    with job_context(control.jobs[0], "local@here-1"):
        in_job = dict(log_context.fields())
    # A slot works for whom it turns out to: the run's log says who wanted its sweep.
    with job_context(slots.jobs[0], "local@here-1"):
        in_slot, of_run = dict(log_context.fields()), origin_of(sweep.pk)

    known = {"worker": "local@here-1", "compute": "local"}
    assert in_job == {"request_id": "nightly-17", **known}
    assert (in_slot, of_run) == (known, "nightly-17")
    with job_context(None, f"{dispatch.CONTROL_QUEUE}@here-1"):
        assert dict(log_context.fields()) == {"worker": "control@here-1"}
