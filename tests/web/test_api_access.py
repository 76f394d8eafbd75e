"""How the API refuses: what it says to whom. Who may call what is in tests/authorisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.models import ApiToken
from experiments.services.access import make_api_token
from experiments.services.outcome import RunOutcome
from experiments.services.runs import finish_run
from tests.factories import make_user
from tests.web.api_world import World, assert_problem, call, make_world, submittable

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def test_refusals_say_what_is_missing(world: World) -> None:
    path = f"/sweeps/{world.sweep.public_id}/cancel"

    nobody = call("POST", path)
    reader = call("POST", path, token=world.tokens["bob_write"])
    too_small = call("POST", path, token=world.tokens["alice_read"])
    of_a_run = call("POST", path, token=world.run_token)

    assert_problem(nobody, 401)
    assert nobody["WWW-Authenticate"].startswith("Bearer")
    assert "Reader" in assert_problem(reader, 403)[0]["message"]
    assert "scope" in assert_problem(too_small, 403)[0]["message"]
    assert "that run only" in assert_problem(of_a_run, 403)[0]["message"]
    assert_problem(call("POST", path, token=world.tokens["charlie_admin"]), 404)


def test_session_needs_the_csrf_token_to_change(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.alice)
    path = f"/sweeps/{world.sweep.public_id}/cancel"

    refused = call("POST", path, client=client)
    client.get("/sign-in/")
    allowed = call("POST", path, client=client, x_csrftoken=client.cookies["csrftoken"].value)

    assert "CSRF" in assert_problem(refused, 403)[0]["message"]
    assert allowed.status_code == 200


@pytest.mark.parametrize("end", ["expired", "inactive", "unknown"])
def test_dead_token_opens_nothing(world: World, end: str) -> None:
    token, plain = make_api_token(world.alice, name="old", scope="admin")
    if end == "expired":
        ApiToken.objects.filter(pk=token.pk).update(expires_at="2020-01-01T00:00Z")
    elif end == "inactive":
        type(world.alice).objects.filter(pk=world.alice.pk).update(is_active=False)
    else:
        plain += "x"

    assert_problem(call("GET", "/sweeps", token=plain), 401)


def test_token_of_a_run_dies_with_it(world: World) -> None:
    path = f"/runs/{world.run.public_id}"
    assert call("GET", path, token=world.run_token).status_code == 200

    finish_run(world.run.pk, world.run.fence, RunOutcome(exit_code=0))

    assert_problem(call("GET", path, token=world.run_token), 401)


def test_person_without_a_workspace_submits_nothing(world: World) -> None:
    _, plain = make_api_token(make_user("dora"), name="t", scope="write")

    response = call("POST", "/sweeps", token=plain, body=submittable())

    assert "no workspace" in assert_problem(response, 403)[0]["message"]


def test_folders_of_the_studio_are_for_administrators(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text("print()")
    body = {**submittable(), "source_directory": str(folder)}
    del body["snapshot"]

    refused = call("POST", "/sweeps", token=world.tokens["alice_admin"], body=body)
    world.alice.is_superuser = True
    world.alice.save()
    by_scope = call("POST", "/sweeps", token=world.tokens["alice_write"], body=body)
    allowed = call("POST", "/sweeps", token=world.tokens["alice_admin"], body=body)

    assert assert_problem(refused, 422)[0]["path"] == "snapshot"
    assert assert_problem(by_scope, 422)[0]["path"] == "snapshot"
    assert allowed.status_code == 201, allowed.content


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer \x00"])
def test_broken_credentials_are_refused(world: World, header: str) -> None:
    response: Any = Client().get("/api/v1/sweeps", headers={"authorization": header})

    assert_problem(response, 401)
