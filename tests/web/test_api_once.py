"""Idempotency-Key: a request sent again makes nothing, whoever dies or hurries meanwhile."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from experiments import clock
from experiments.models import IdempotentRequest, ModelVersion, Sweep
from experiments.services import idempotency
from tests.web.api_world import World, assert_problem, call, make_world, submittable

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def _submit(world: World, body: Any, key: str = "k1", token: str = "alice_write") -> Any:
    return call("POST", "/sweeps", token=world.tokens[token], body=body, idempotency_key=key)


def test_sweep_submitted_again_is_the_same(world: World) -> None:
    body, before = submittable(), Sweep.objects.count()

    first, second = _submit(world, body), _submit(world, body)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert (first.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")
    assert Sweep.objects.count() == before + 1
    # The answer with a key is that of a request without one.
    plain = call("POST", "/sweeps", token=world.tokens["alice_write"], body=body)
    assert set(json.loads(plain.content)) == set(json.loads(first.content))
    assert plain["Content-Type"] == first["Content-Type"]


def test_key_belongs_to_one_request_of_one_person(world: World) -> None:
    body = submittable()
    _submit(world, body)

    other = _submit(world, {**body, "name": "another"})
    elsewhere = call(
        "POST", "/sweeps/check", token=world.tokens["alice_write"], body=body, idempotency_key="k1"
    )
    somebody_else = _submit(world, body, token="charlie_write")

    (problem,) = assert_problem(other, 422)
    assert problem["path"] == "Idempotency-Key"
    assert "another request" in problem["message"]
    # Only operations that make something look at the header.
    assert elsewhere.status_code == 200
    assert somebody_else.status_code == 201
    assert json.loads(somebody_else.content)["owner"] == "charlie"


def test_refused_request_may_be_corrected_under_its_key(world: World) -> None:
    body = submittable()

    wrong = _submit(world, {**body, "max_total_runs": 0})
    right = _submit(world, body)

    assert assert_problem(wrong, 422)[0]["path"] == "max_total_runs"
    assert right.status_code == 201
    assert "Idempotency-Replayed" not in right


def test_request_that_is_being_worked_on_is_a_conflict(world: World) -> None:
    body = submittable()
    _submit(world, body)
    # As it is while the first attempt works, and after its process was killed.
    IdempotentRequest.objects.update(status=None, answer="")

    waiting = _submit(world, body)
    IdempotentRequest.objects.update(claimed_at=clock.now() - idempotency.ABANDONED_AFTER * 2)
    taken_over = _submit(world, body)

    assert "being worked on" in assert_problem(waiting, 409)[0]["message"]
    assert taken_over.status_code == 201
    assert IdempotentRequest.objects.get().status == 201


def test_attempt_that_was_taken_over_leaves_nothing(world: World) -> None:
    first = idempotency.claim_key("user:1", "k", "d")
    assert isinstance(first, idempotency.Claim)
    IdempotentRequest.objects.update(claimed_at=clock.now() - timedelta(hours=1))
    second = idempotency.claim_key("user:1", "k", "d")
    assert isinstance(second, idempotency.Claim)

    with pytest.raises(idempotency.ClaimLostError):
        idempotency.store_answer(first, 201, "{}")
    idempotency.release_claim(first)
    idempotency.store_answer(second, 201, "{}")

    assert idempotency.claim_key("user:1", "k", "d") == idempotency.StoredAnswer(201, "{}")


def test_key_is_forgotten_after_a_day(world: World) -> None:
    body, before = submittable(), Sweep.objects.count()
    _submit(world, body)
    day_ago = clock.now() - idempotency.KEPT_FOR - timedelta(seconds=1)
    IdempotentRequest.objects.update(created_at=day_ago)

    again = _submit(world, {**body, "name": "another"})

    assert again.status_code == 201
    assert Sweep.objects.count() == before + 2
    assert IdempotentRequest.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a\tb"])
def test_unusable_key_is_a_problem(world: World, key: str) -> None:
    assert assert_problem(_submit(world, submittable(), key), 422)[0]["path"] == "Idempotency-Key"


def test_every_operation_that_makes_something_obeys(world: World, settings: Any) -> None:
    """Reports, runs by hand, links and versions of models: once each."""
    sweep, run = f"/sweeps/{world.sweep.public_id}", f"/runs/{world.run.public_id}"
    requests: list[tuple[str, Any]] = [
        (f"{run}/metrics", [{"name": "accuracy", "value": 0.9}]),
        (f"{sweep}/runs", {"params": {"lr": 0.5, "layers": 1}}),
        (f"{sweep}/share-links", {"days": 1}),
        ("/models/digits/versions", {"run": world.run.public_id}),
        ("/check-runs", submittable()),
    ]
    runs = world.sweep.runs.count()
    for number, (address, body) in enumerate(requests):
        answers = [
            call(
                "POST",
                address,
                token=world.run_token if number == 0 else world.tokens["alice_write"],
                body=body,
                idempotency_key=f"key-{number}",
            )
            for _ in range(2)
        ]
        assert answers[0].content == answers[1].content, address
        assert answers[1].get("Idempotency-Replayed") == "true", address
        assert answers[0].status_code in (201, 202), answers[0].content
    journal = Path(world.run.directory) / "metrics.jsonl"
    assert journal.read_text().count("0.9") == 1
    assert world.sweep.runs.count() == runs + 1
    assert world.sweep.share_links.count() == 1
    assert ModelVersion.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_make_one_sweep(world: World) -> None:
    body, before, many = submittable(), Sweep.objects.count(), 6
    barrier = threading.Barrier(many)

    def send() -> Any:
        try:
            barrier.wait()
            return _submit(world, body)
        finally:
            connection.close()

    with ThreadPoolExecutor(many) as pool:
        answers = [future.result() for future in [pool.submit(send) for _ in range(many)]]

    assert Sweep.objects.count() == before + 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.content for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert _submit(world, body).content in made
