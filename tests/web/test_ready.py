"""`/readyz`: which features work, for whoever asks, and which of them count for the answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import Client

from experiments.models import ComputeTarget, SiteSettings
from experiments.services import counters
from experiments.services.compute import register_worker
from experiments.services.site import change_site
from studio import readiness
from tests.factories import make_compute, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ComputeTarget]:
    """A studio with a worker and a scheduler that looked a moment ago."""
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    monkeypatch.setattr(counters._state, "paused_until", 0.0)
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        server.hset(counters.KEY, counters.LAST_TICK, time.time())
    target = make_compute()
    register_worker(target, name="w-1", host="here", pid=1, process_started=1.0)
    readiness.KEPT.forget()
    yield target
    readiness.KEPT.forget()


def ask(query: str = "") -> tuple[int, dict[str, Any]]:
    readiness.KEPT.forget()
    response = Client().get(f"/readyz{query}")
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, response.json()


def states(body: dict[str, Any]) -> dict[str, str]:
    return {name: feature["state"] for name, feature in body["features"].items()}


def test_every_feature_works_and_mail_is_off(studio: ComputeTarget) -> None:
    code, body = ask()

    assert (code, body["status"]) == (200, "ok")
    assert states(body) == {
        "submit": "works", "run": "works", "live_updates": "works", "files": "works", "mail": "off",
    }  # fmt: skip


def test_what_others_lack_too_counts_only_when_it_is_needed(studio: ComputeTarget) -> None:
    ComputeTarget.objects.update(is_draining=True)

    code, body = ask()
    assert (code, body["status"]) == (200, "degraded")
    assert body["features"]["run"] == {"state": "fails", "why": "No worker takes runs."}
    assert ask("?need=run,files")[0] == 503
    assert ask("?need=live_updates")[0] == 200
    code, body = ask("?need=everything")
    assert (code, body["detail"]) == (
        400, "need is 'everything'; use submit, run, live_updates, files, mail.",
    )  # fmt: skip


def test_maintenance_turns_runs_off(studio: ComputeTarget) -> None:
    change_site(by=make_user("root", is_superuser=True), maintenance=True)

    code, body = ask()
    assert (code, states(body)["run"]) == (200, "off")
    assert SiteSettings.objects.get().maintenance


def test_storage_that_cannot_be_written_takes_the_server_out(
    studio: ComputeTarget, settings: Any, tmp_path: Path
) -> None:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "file" / "storage"
    (tmp_path / "file").touch()

    code, body = ask()
    assert (code, body["status"]) == (503, "failing")
    assert states(body)["files"] == states(body)["submit"] == "fails"


def test_a_studio_without_redis_can_still_be_read(studio: ComputeTarget, settings: Any) -> None:
    settings.REDIS_URL = f"unix://{settings.STUDIO_HOME}/none.sock"

    code, body = ask()
    assert (code, body["status"]) == (200, "degraded")
    assert states(body)["run"] == states(body)["live_updates"] == "fails"


def test_it_is_looked_at_once_a_second(studio: ComputeTarget) -> None:
    ask()
    ComputeTarget.objects.update(is_draining=True)

    assert Client().get("/readyz").json()["features"]["run"]["state"] == "works"
