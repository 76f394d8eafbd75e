"""`/metrics`: who may read it, what it says of a known world, and that every parser reads it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import Client
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from experiments.models import Worker
from experiments.services import counters
from experiments.services.access import make_api_token
from experiments.services.compute import register_worker
from experiments.services.outcome import RunOutcome
from experiments.services.quotas import change_quota
from experiments.services.runs import finish_run
from experiments.states import RUN_REASONS, RunState
from runner.watchdog import tick
from studio.http_metrics import REGISTRY, with_sockets_counted
from tests.factories import make_compute, make_run, make_user, report
from tests.servers import ROOT
from tests.web.api_world import World, make_world

pytestmark = pytest.mark.django_db

PAGE = (ROOT / "docs" / "reference" / "observe.md").read_text()
OWN = "scrape-me-if-you-can"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_METRICS_TOKEN = OWN
    return make_world(tmp_path / "runs")


@pytest.fixture
def counts(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    # Another test may have been without Redis a moment ago.
    monkeypatch.setattr(counters._state, "paused_until", 0.0)
    client = redis.Redis.from_url(settings.REDIS_URL)
    counters.flush()
    client.delete(counters.KEY)
    yield client
    client.close()


def scrape(token: str = OWN, **headers: str) -> str:
    response = Client(headers={"authorization": f"Bearer {token}", **headers}).get("/metrics")
    assert response.status_code == 200, response.content
    return response.content.decode()


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_only_administrators_and_the_scraper_read_the_metrics(world: World) -> None:
    root = make_user("root", is_superuser=True)
    scopes = [make_api_token(root, name=scope, scope=scope)[1] for scope in ("read", "admin")]
    asked = {
        "": 401, "wrong": 401, world.run_token: 401,
        world.tokens["alice_admin"]: 403, world.tokens["charlie_read"]: 403,
        OWN: 200, scopes[0]: 200, scopes[1]: 200,
    }  # fmt: skip

    found = {
        token: Client(headers={"authorization": f"Bearer {token}"}).get("/metrics").status_code
        for token in asked
    }

    assert found == asked
    alice, boss = Client(), Client()
    alice.force_login(world.alice)
    boss.force_login(root)
    assert (Client().get("/metrics").status_code, Client().get("/metrics")["WWW-Authenticate"]) == (
        401, "Bearer",
    )  # fmt: skip
    assert (alice.get("/metrics").status_code, boss.get("/metrics").status_code) == (403, 200)
    assert boss.post("/metrics").status_code == 405
    root.is_active = False
    root.save()
    left = Client(headers={"authorization": f"Bearer {scopes[0]}"})
    assert left.get("/metrics").status_code == 401


def test_token_of_the_scraper_opens_nothing_else(world: World, settings: Any) -> None:
    client = Client(headers={"authorization": f"Bearer {OWN}"})

    assert client.get("/api/v1/sweeps").status_code == 401
    settings.STUDIO_METRICS_TOKEN = ""
    assert client.get("/metrics").status_code == 401
    assert Client(headers={"authorization": "Bearer "}).get("/metrics").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_numbers_are_those_of_the_studio(
    counts: redis.Redis, world: World, django_assert_max_num_queries: Any
) -> None:
    compute = make_compute()
    for name in ("worker-1", "worker-2"):
        register_worker(compute, name=name, host="here", pid=1, process_started=1.0)
    Worker.objects.filter(name="worker-2").update(host="there")
    make_run(world.sweep, lr=0.3, layers=1)
    report(world.run, [0.9, 0.95, 0.97])
    finish_run(world.run.pk, world.run.fence, RunOutcome(exit_code=0))
    tick()
    counters.flush()

    with django_assert_max_num_queries(5):
        found = samples(scrape())

    assert value(found, "studio_up", part="database") == 1
    assert value(found, "studio_up", part="redis") == 1
    assert value(found, "studio_sweeps", state="Running", end_reason="") == 1
    done = {"state": "Completed", "end_reason": "finished"}
    assert value(found, "studio_runs", **done) == 1
    assert value(found, "studio_runs", state="Running", end_reason="") == 1
    assert value(found, "studio_runs", state="Failed", end_reason="worker_lost") == 0
    assert value(found, "studio_run_transitions_total", **done) == 1
    assert value(found, "studio_queued_runs", compute="local") >= 1
    # Both live runs say they are on worker-1; one of them has ended.
    assert value(found, "studio_slots", compute="local") == 2
    assert value(found, "studio_slots_busy", compute="local") == 1
    assert value(found, "studio_machines", compute="local") == 2
    # Two of them were there in the beginning.
    assert value(found, "studio_reports_stored_total") == 5
    assert value(found, "studio_report_delay_seconds_count") == 5
    assert value(found, "studio_report_delay_seconds_bucket", le="+Inf") == 5
    assert value(found, "studio_watchdog_tick_seconds_count") == 1
    assert value(found, "studio_watchdog_last_tick_timestamp_seconds") > 1.7e9
    assert value(found, "studio_disk_free_bytes", place="home") > 0
    assert value(found, "studio_database_bytes") > 0
    states = {
        (state, reason)
        for state in map(str, RunState)
        for reason in RUN_REASONS.get(RunState(state), [""])
    }
    told = {labels for name, labels in found if name == "studio_runs"}
    assert len(told) == len(states)


def test_requests_are_counted_by_route_and_never_by_path(world: World) -> None:
    client = Client()
    client.force_login(world.alice)
    before = samples(scrape())
    for path in (f"/runs/{world.run.public_id}/", f"/runs/{world.other_run.public_id}/"):
        assert client.get(path).status_code == 200
    client.get("/no/such/page/")
    client.generic("PROPFIND", "/")

    text = scrape()

    after = samples(text)
    page = {"route": "run", "method": "GET", "status": "200"}
    key = "studio_http_requests_total", frozenset(page.items())
    assert after[key] - before.get(key, 0) == 2
    routes = {dict(labels).get("route", "") for _, labels in after}
    assert {"run", "none", "metrics"} <= routes
    assert world.run.public_id not in text
    assert "PROPFIND" not in text


def test_open_sockets_are_counted() -> None:
    seen = []

    async def socket(*_: Any) -> None:
        seen.append(REGISTRY.get_sample_value("studio_websockets"))
        raise ConnectionError

    before = REGISTRY.get_sample_value("studio_websockets")
    with pytest.raises(ConnectionError):
        asyncio.run(with_sockets_counted(socket)({}, None, None))

    assert seen == [before + 1]
    assert REGISTRY.get_sample_value("studio_websockets") == before


def test_every_parser_reads_it(world: World) -> None:
    plain = {family.name for family in text_string_to_metric_families(scrape())}
    text = scrape(accept="application/openmetrics-text; version=1.0.0")
    strict = {family.name for family in openmetrics.text_string_to_metric_families(text)}

    assert {"studio_up", "studio_runs", "studio_report_delay_seconds"} <= plain & strict


def test_part_that_does_not_answer_is_named_and_left_out(
    world: World, settings: Any, tmp_path: Path
) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"

    found = samples(scrape())

    assert value(found, "studio_up", part="redis") == 0
    assert value(found, "studio_up", part="database") == 1
    assert not {name for name, _ in found if name.startswith("studio_queue_")}


def test_page_and_alerts_name_metrics_that_exist(world: World) -> None:
    change_quota(world.sweep.experiment.workspace, {"max_running_runs": 2}, by=None)
    found = {name for name, _ in samples(scrape())}

    said = set(re.findall(r"\bstudio_[a-z_]+[a-z]\b", PAGE))

    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}
    assert {name for name in said if name not in found | families} == set()
    assert {name for name in families if name.startswith("studio_")} - said == set()
