"""The health page answers strangers, briefly, and names the part that does not work."""

from __future__ import annotations

import pytest
import redis

from studio import health


@pytest.mark.django_db
def test_health_answers_without_signing_in(client):
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "database": True,
        "redis": True,
        "maintenance": False,
    }
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_health_names_the_part_that_does_not_answer(client, monkeypatch, tmp_path):
    away = redis.Redis.from_url(f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr(health.django_rq, "get_connection", lambda name: away)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {
        "status": "failing",
        "database": True,
        "redis": False,
        "maintenance": False,
    }
