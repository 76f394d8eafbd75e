"""The first page of the administration: its parts tell what is so, and each fails alone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils import timezone
from rq.results import Result

from experiments import admin_dashboard
from experiments.models import Worker
from experiments.services import counters, slow_queries
from experiments.services.dispatch import get_queue
from experiments.services.queue_depths import failed_jobs, queue_depths
from experiments.services.report_delays import report_delay
from tests.factories import make_run, make_user
from tests.web.api_world import World, make_world

pytestmark = pytest.mark.django_db
ADMIN = "/admin/"


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    # Another test may have been without Redis a moment ago.
    monkeypatch.setattr(counters._state, "paused_until", 0.0)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def site(world: World, server: redis.Redis) -> Iterator[Client]:
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    forget()
    yield client
    forget()


def forget() -> None:
    admin_dashboard._HEALTH.forget()
    admin_dashboard._SIZES.forget()


def parts_of(client: Client) -> dict[str, str]:
    """Return the text of each part, as the page fetches them."""
    text = client.get(ADMIN, headers={"x-fragment": "1"}).content.decode()
    found = re.findall(r'<div data-part="(\w+)">(.*?)\n?(?=<div data-part|\Z)', text, re.DOTALL)
    return {name: " ".join(re.sub(r"<[^>]+>", " ", part).split()) for name, part in found}


def test_parts_tell_what_the_studio_does(site: Client, world: World, server: Any) -> None:
    server.hset(counters.KEY, counters.LAST_TICK, time.time())
    make_run(world.sweep)

    parts = parts_of(site)

    assert "cannot be shown now" not in " ".join(parts.values())
    assert "Scheduler looked" in parts["health"]
    assert re.search(r"Workers local: 0 alive .*studio worker --compute local", parts["health"])
    # Machines, no worker, free, waiting, jobs.
    assert re.search(r"local 0 no worker 0 1 \d", parts["queues"])
    assert "Signed in 1" in parts["people"]
    assert "Files of runs" in parts["room"] or "Database" in parts["room"]
    assert "Runs" in parts["database"]


def test_a_part_that_fails_takes_only_itself(site: Client, settings: Any) -> None:
    settings.REDIS_URL = f"unix://{settings.STUDIO_HOME}/none.sock"

    response = site.get(ADMIN)
    parts = parts_of(site)

    assert response.status_code == 200
    for name in ("queues", "failed", "slow"):
        assert "cannot be shown now" in parts[name], name
    assert "Redis does not answer" in parts["health"]
    assert "Signed in 1" in parts["people"]


def test_failed_jobs_are_named_with_their_reason(site: Client, server: redis.Redis) -> None:
    queue = get_queue("control")
    job = queue.enqueue("runner.jobs.advance", 7, failure_ttl=100)
    queue.remove(job)
    with server.pipeline() as pipeline:
        queue.failed_job_registry.add(
            job, ttl=100, exc_string="x\nValueError: gone", pipeline=pipeline
        )
        pipeline.execute()
    Result.create_failure(job, ttl=100, exc_string="x\nValueError: gone")

    (depth,) = queue_depths(server, {"control": "control"})
    (found,) = failed_jobs(server, ["control"], 5)
    assert (depth.jobs, depth.failed) == (0, 1)
    assert (found.function, found.arguments, found.reason) == ("advance", "7", "ValueError: gone")
    assert "advance(7)" in parts_of(site)["failed"]


def test_the_delay_is_that_since_the_last_note(server: redis.Redis) -> None:
    def add(upto: float, count: int) -> None:
        server.hincrbyfloat(counters.KEY, counters.delay_field(upto), count)
        server.hincrbyfloat(counters.KEY, counters.REPORTS, count)

    add(60.0, 100)
    assert report_delay(server).late == 60.0  # of all that there ever were
    add(0.25, 90)
    add(1.0, 10)

    delay = report_delay(server)
    assert (delay.count, delay.median, delay.late) == (100, 0.25, 1.0)


def test_slow_queries_are_forgotten_when_asked(site: Client, server: redis.Redis) -> None:
    slow_queries._send("SELECT a FROM b", "sweeps", "experiments/x.py:y", 1.25)
    assert "sweeps experiments/x.py:y 1.25 s" in parts_of(site)["slow"]

    assert site.get("/admin/slow-queries/forget/").status_code == 405
    site.post("/admin/slow-queries/forget/")
    assert "None so far" in parts_of(site)["slow"]


def test_a_silent_worker_is_no_slot(site: Client, world: World) -> None:
    now = timezone.now()
    for name, seen in (("w-1", now), ("w-2", now - timedelta(hours=1))):
        Worker.objects.create(
            compute=world.sweep.compute, name=name, host="here", pid=1, process_started=1.0,
            started_at=seen, last_seen_at=seen,
        )  # fmt: skip

    assert "local 1 0 of 1 1" in parts_of(site)["queues"]
