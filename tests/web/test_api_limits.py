"""Rate limits of the REST API: who is counted, what is said, and what is never refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.web.api_world import World, assert_problem, call, make_world

pytestmark = pytest.mark.django_db
LIMIT = 4


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    settings.STUDIO_RATE_LIMIT = LIMIT
    return make_world(tmp_path / "runs")


def _many(path: str, token: str, number: int = LIMIT + 1, **options: Any) -> list[Any]:
    return [call(path.split()[0], path.split()[1], token=token, **options) for _ in range(number)]


def test_answers_count_down_and_the_next_one_is_refused(world: World) -> None:
    *allowed, refused = _many("GET /sweeps", world.tokens["alice_read"])

    assert [answer.status_code for answer in allowed] == [200] * LIMIT
    assert {answer["RateLimit-Limit"] for answer in allowed} == {str(LIMIT)}
    assert [int(a["RateLimit-Remaining"]) for a in allowed] == list(reversed(range(LIMIT)))
    assert all(0 < int(answer["RateLimit-Reset"]) <= 60 for answer in allowed)
    (problem,) = assert_problem(refused, 429)
    # One request of four a minute comes back after a quarter of it.
    assert 1 <= int(refused["Retry-After"]) <= 15
    assert f"in {refused['Retry-After']} s" in problem["message"]
    assert refused["RateLimit-Remaining"] == "0"


def test_limit_is_of_one_token(world: World) -> None:
    _many("GET /sweeps", world.tokens["alice_read"])

    assert call("GET", "/sweeps", token=world.tokens["alice_write"]).status_code == 200
    assert call("GET", "/sweeps", token=world.tokens["bob_read"]).status_code == 200


def test_browser_is_counted_as_its_person(world: World) -> None:
    client = Client()
    client.force_login(world.alice)

    answers = _many("GET /sweeps", "", client=client)

    assert [answer.status_code for answer in answers] == [200] * LIMIT + [429]


def test_reports_of_a_run_are_never_refused(world: World) -> None:
    body = [{"name": "accuracy", "value": 0.9}]
    many = LIMIT * 3

    answers = _many(f"POST /runs/{world.run.public_id}/metrics", world.run_token, many, body=body)

    assert [answer.status_code for answer in answers] == [202] * many
    journal = Path(world.run.directory) / "metrics.jsonl"
    assert len(journal.read_text().splitlines()) == many


def test_wrong_credentials_are_counted_by_address(world: World, settings: Any) -> None:
    settings.STUDIO_RATE_LIMIT_STRANGERS = 2
    client = Client(REMOTE_ADDR="203.0.113.7")

    answers = _many("GET /sweeps", "st_guess", 3, client=client)
    elsewhere = call("GET", "/sweeps", token="st_guess", client=Client(REMOTE_ADDR="203.0.113.8"))
    known = call("GET", "/sweeps", token=world.tokens["alice_read"], client=client)

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert elsewhere.status_code == 401
    assert known.status_code == 200


@pytest.mark.parametrize(("limit", "url"), [(0, None), (LIMIT, "unix:///nowhere/redis.sock")])
def test_nobody_is_limited_without_limit_or_redis(
    world: World, settings: Any, limit: int, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.services import rate_limits

    settings.STUDIO_RATE_LIMIT = limit
    settings.REDIS_URL = url or settings.REDIS_URL
    monkeypatch.setattr(rate_limits._state, "paused_until", 0.0)

    answers = _many("GET /sweeps", world.tokens["alice_read"], LIMIT * 2)

    assert [answer.status_code for answer in answers] == [200] * LIMIT * 2
    assert "RateLimit-Limit" not in answers[0]
    assert json.loads(answers[0].content)["items"]
    # What follows counts again.
    monkeypatch.setattr(rate_limits._state, "paused_until", 0.0)
