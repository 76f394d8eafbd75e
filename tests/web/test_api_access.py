"""Who may call which operation: every operation of the document has a row here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.api.v1 import api
from experiments.models import (
    ApiToken,
    Membership,
    ModelVersion,
    NoteVersion,
    RegisteredModel,
    Run,
    ShareLink,
    Sweep,
)
from experiments.services.access import make_api_token
from experiments.services.models import register_model
from experiments.services.outcome import RunOutcome
from experiments.services.runs import finish_run
from tests.factories import make_check, make_user
from tests.web.api_world import World, assert_problem, call, make_world, submittable, zip_of

pytestmark = pytest.mark.django_db

CONFIGURATION = {"params": {"lr": 0.5, "layers": 1}}
REPORT = [{"name": "accuracy", "value": 0.9}]


def _first_run() -> Run:
    return Run.objects.order_by("pk")[0]


Body = Callable[[], tuple[Any, str]]


def _json(value: Any) -> Body:
    return lambda: (value, "application/json")


NOTHING = _json(None)
SPEC = lambda: (submittable(), "application/json")  # noqa: E731 -- a row of the table below
ZIP = lambda: (zip_of(train_py="print()"), "application/zip")  # noqa: E731

SOURCE = lambda: ({"run": _first_run().public_id}, "application/json")  # noqa: E731 -- as above

# (method, address) -> (body, status of who may do it, what it needs)
OPERATIONS: dict[tuple[str, str], tuple[Body, int, str]] = {
    ("POST", "/snapshots"): (ZIP, 201, "write"),
    ("POST", "/sweeps"): (SPEC, 201, "write"),
    ("POST", "/sweeps/check"): (SPEC, 200, "write"),
    ("GET", "/sweeps"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}"): (NOTHING, 200, "read"),
    ("POST", "/sweeps/{sweep_id}/cancel"): (NOTHING, 200, "write"),
    ("PATCH", "/sweeps/{sweep_id}"): (_json({"max_total_runs": 9}), 200, "write"),
    ("POST", "/sweeps/{sweep_id}/pause"): (NOTHING, 200, "write"),
    ("POST", "/sweeps/{sweep_id}/resume"): (NOTHING, 200, "write"),
    ("POST", "/sweeps/{sweep_id}/retry-failed"): (NOTHING, 200, "write"),
    ("POST", "/sweeps/{sweep_id}/runs"): (_json(CONFIGURATION), 201, "write"),
    ("GET", "/sweeps/{sweep_id}/spec"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/capsule"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/export"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/runs"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/best-run"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/metrics"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/curves"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/charts/{name}"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/events"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/notes"): (NOTHING, 200, "read"),
    ("PUT", "/sweeps/{sweep_id}/notes"): (_json({"text": "a", "version": 0}), 200, "write"),
    ("GET", "/sweeps/{sweep_id}/notes/versions"): (NOTHING, 200, "read"),
    ("GET", "/sweeps/{sweep_id}/tags"): (NOTHING, 200, "read"),
    ("PATCH", "/sweeps/{sweep_id}/tags"): (_json({"tags": {"a": "1"}}), 200, "write"),
    ("GET", "/sweeps/{sweep_id}/star"): (NOTHING, 200, "read"),
    ("POST", "/sweeps/{sweep_id}/share-links"): (_json({"days": 1}), 201, "write"),
    ("GET", "/runs/{run_id}"): (NOTHING, 200, "read"),
    ("PATCH", "/runs/{run_id}"): (_json({"tags": {"a": "1"}}), 200, "write"),
    ("GET", "/runs/{run_id}/notes"): (NOTHING, 200, "read"),
    ("PUT", "/runs/{run_id}/notes"): (_json({"text": "a", "version": 0}), 200, "write"),
    ("GET", "/runs/{run_id}/notes/versions"): (NOTHING, 200, "read"),
    ("GET", "/runs/{run_id}/metrics"): (NOTHING, 200, "read"),
    ("POST", "/runs/{run_id}/metrics"): (_json(REPORT), 202, "write"),
    ("POST", "/runs/{run_id}/cancel"): (NOTHING, 200, "write"),
    # The run of the table is live, and only runs that have ended are repeated.
    ("POST", "/runs/{run_id}/retry"): (NOTHING, 409, "write"),
    ("GET", "/runs/{run_id}/logs"): (NOTHING, 200, "read"),
    ("GET", "/runs/{run_id}/files"): (NOTHING, 200, "read"),
    ("GET", "/runs/{run_id}/files/{path}"): (NOTHING, 200, "read"),
    ("GET", "/models"): (NOTHING, 200, "read"),
    ("GET", "/models/{name}"): (NOTHING, 200, "read"),
    ("PATCH", "/models/{name}"): (_json({"description": "new"}), 200, "write"),
    # The model of the table has versions.
    ("DELETE", "/models/{name}"): (NOTHING, 409, "write"),
    ("GET", "/models/{name}/versions"): (NOTHING, 200, "read"),
    ("POST", "/models/{name}/versions"): (SOURCE, 201, "write"),
    ("GET", "/models/{name}/versions/{number}"): (NOTHING, 200, "read"),
    ("PATCH", "/models/{name}/versions/{number}"): (_json({"stage": "staging"}), 200, "write"),
    ("DELETE", "/models/{name}/versions/{number}"): (NOTHING, 204, "write"),
    ("GET", "/models/{name}/versions/{number}/files"): (NOTHING, 200, "read"),
    ("GET", "/models/{name}/versions/{number}/files/{path}"): (NOTHING, 200, "read"),
    ("GET", "/models/{name}/versions/{number}/archive"): (NOTHING, 200, "read"),
    ("GET", "/compute"): (NOTHING, 200, "read"),
    ("GET", "/search"): (NOTHING, 200, "read"),
    ("GET", "/trash"): (NOTHING, 200, "read"),
    ("GET", "/removals"): (NOTHING, 200, "read"),
    ("POST", "/check-runs"): (SPEC, 201, "write"),
    ("GET", "/check-runs/{check_id}"): (NOTHING, 200, "read"),
    ("POST", "/check-runs/{check_id}/cancel"): (NOTHING, 200, "write"),
}
# A target belongs to everybody and is changed by administrators: test_compute_settings.py.
OF_COMPUTE = {
    ("POST", "/compute"),
    ("GET", "/compute/{name}"),
    ("PATCH", "/compute/{name}"),
    ("POST", "/compute/{name}/test"),
}
# The sweep of the table is live, so it neither goes to the trash nor loses outputs; those that do
# are tried by everybody in test_api_trash.py.
OF_TRASH = {
    ("DELETE", "/sweeps/{sweep_id}"),
    ("GET", "/sweeps/{sweep_id}/outputs"),
    ("PUT", "/sweeps/{sweep_id}/outputs"),
    ("DELETE", "/sweeps/{sweep_id}/outputs"),
    ("DELETE", "/runs/{run_id}/outputs"),
    ("DELETE", "/trash"),
    ("GET", "/trash/{sweep_id}"),
    ("DELETE", "/trash/{sweep_id}"),
    ("POST", "/trash/{sweep_id}/restore"),
    ("GET", "/removals/{removal_id}"),
}
# Stars are of whoever may look, a link has an id: test_sweep_marks.py, test_share_links.py.
OF_TEAMS = {
    ("GET", "/sweeps/{sweep_id}/share-links"),
    ("PUT", "/sweeps/{sweep_id}/star"),
    ("DELETE", "/sweeps/{sweep_id}/star"),
    ("DELETE", "/sweeps/{sweep_id}/share-links/{link_id}"),
}
# Its sweeps stand in the query: tried by everybody in test_api_compare.py.
OF_COMPARISON = {("GET", "/compare")}
# Tried by everybody in test_imports.py.
OF_FILES = {("POST", "/imports"), ("GET", "/sweeps/{sweep_id}/export/{what}")}
# Of the caller alone: tried in test_api_tokens.py.
OF_TOKENS = {("GET", "/tokens"), ("POST", "/tokens"), ("DELETE", "/tokens/{token_id}")}
# Those of a workspace are for its owners alone: tried by everybody in test_api_webhooks.py.
OF_WEBHOOKS = {
    ("GET", "/webhooks"),
    ("POST", "/webhooks"),
    ("GET", "/webhooks/{webhook_id}"),
    ("PATCH", "/webhooks/{webhook_id}"),
    ("DELETE", "/webhooks/{webhook_id}"),
    ("POST", "/webhooks/{webhook_id}/secret"),
    ("POST", "/webhooks/{webhook_id}/test"),
    ("GET", "/webhooks/{webhook_id}/deliveries"),
    ("POST", "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"),
}
# What the token of a run opens: that run, but a script does not repeat itself or write notes.
OWN_RUN = {key for key in OPERATIONS if "{run_id}" in key[1]} - {("POST", "/runs/{run_id}/retry")}
OWN_RUN -= {key for key in OPERATIONS if "/notes" in key[1]}
# The address names a model, the body the run.
OWN_RUN |= {("POST", "/models/{name}/versions")}
EVERY = pytest.mark.parametrize(
    ("method", "address"), OPERATIONS, ids=lambda value: str(value).replace("/", "-")
)


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    world = make_world(tmp_path / "runs")
    register_model(world.run, name="digits", user=world.alice)
    make_check(owner=world.alice)
    return world


def _path(address: str, world: World) -> str:
    return address.format(
        sweep_id=world.sweep.public_id,
        run_id=world.run.public_id,
        path="model.txt" if address.startswith("/models") else "outputs/model.txt",
        name="metrics" if "/charts/" in address else "digits",
        number=1,
        check_id=Sweep.objects.get(kind=Sweep.Kind.CHECK).public_id
        if "{check_id}" in address
        else "",
    )


def _call(world: World, method: str, address: str, **options: Any) -> Any:
    body, content_type = OPERATIONS[method, address][0]()
    return call(method, _path(address, world), body=body, content_type=content_type, **options)


def _snapshot_of_states() -> tuple[Any, ...]:
    return (
        sorted(Sweep.objects.values_list("pk", "state")),
        sorted(Run.objects.values_list("pk", "state")),
        sorted(RegisteredModel.objects.values_list("pk", "description", "last_number")),
        sorted(ModelVersion.objects.values_list("pk", "stage")),
        sorted(NoteVersion.objects.values_list("pk", "number")),
        sorted(ShareLink.objects.values_list("pk", "revoked_at")),
    )


def test_every_operation_has_a_row() -> None:
    document = api.get_openapi_schema()
    documented = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in document["paths"].items()
        for method in operations
    }

    assert documented == (
        set(OPERATIONS)
        | OF_COMPUTE
        | OF_TRASH
        | OF_COMPARISON
        | OF_TEAMS
        | OF_FILES
        | OF_WEBHOOKS
        | OF_TOKENS
    )


@EVERY
def test_owner_may(world: World, method: str, address: str) -> None:
    response = _call(world, method, address, token=world.tokens["alice_write"])

    assert response.status_code == OPERATIONS[method, address][1], response.content


@EVERY
def test_anonymous_may_not(world: World, method: str, address: str) -> None:
    before = _snapshot_of_states()

    response = _call(world, method, address)

    assert_problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert _snapshot_of_states() == before


@EVERY
def test_reader_reads_and_changes_nothing(world: World, method: str, address: str) -> None:
    before = _snapshot_of_states()

    response = _call(world, method, address, token=world.tokens["bob_write"])

    if OPERATIONS[method, address][2] == "read":
        assert response.status_code == 200
    else:
        assert "Reader" in assert_problem(response, 403)[0]["message"]
    assert _snapshot_of_states() == before


@EVERY
def test_stranger_finds_nothing(world: World, method: str, address: str) -> None:
    before = _snapshot_of_states()

    response = _call(world, method, address, token=world.tokens["charlie_admin"])

    if "{" in address:
        assert_problem(response, 404)
        assert _snapshot_of_states() == before
    else:
        assert response.status_code == OPERATIONS[method, address][1]
        assert world.sweep.public_id not in response.content.decode()


@EVERY
def test_read_token_never_changes_anything(world: World, method: str, address: str) -> None:
    before = _snapshot_of_states()

    response = _call(world, method, address, token=world.tokens["alice_read"])

    if OPERATIONS[method, address][2] == "read":
        assert response.status_code == 200
    else:
        assert "scope" in assert_problem(response, 403)[0]["message"]
        assert _snapshot_of_states() == before


@EVERY
def test_token_of_a_run_opens_that_run_only(world: World, method: str, address: str) -> None:
    response = _call(world, method, address, token=world.run_token)

    if (method, address) in OWN_RUN:
        assert response.status_code == OPERATIONS[method, address][1]
    else:
        assert_problem(response, 403)


@EVERY
def test_token_of_another_run_finds_nothing(world: World, method: str, address: str) -> None:
    response = _call(world, method, address, token=world.other_run_token)

    assert_problem(response, 404 if (method, address) in OWN_RUN else 403)


@EVERY
def test_token_of_a_run_dies_with_it(world: World, method: str, address: str) -> None:
    finish_run(world.run.pk, world.run.fence, RunOutcome(exit_code=0))

    assert_problem(_call(world, method, address, token=world.run_token), 401)


@EVERY
@pytest.mark.parametrize("end", ["revoked", "expired", "inactive", "unknown"])
def test_dead_token_opens_nothing(world: World, method: str, address: str, end: str) -> None:
    token, plain = make_api_token(world.alice, name="old", scope="admin")
    if end == "revoked":
        token.delete()
    elif end == "expired":
        ApiToken.objects.filter(pk=token.pk).update(expires_at="2020-01-01T00:00Z")
    elif end == "inactive":
        type(world.alice).objects.filter(pk=world.alice.pk).update(is_active=False)
    else:
        plain += "x"

    assert_problem(_call(world, method, address, token=plain), 401)


@EVERY
def test_session_needs_the_csrf_token_to_change(world: World, method: str, address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.alice)
    before = _snapshot_of_states()

    refused = _call(world, method, address, client=client)
    if OPERATIONS[method, address][2] == "read":
        assert refused.status_code == 200
        return
    assert "CSRF" in assert_problem(refused, 403)[0]["message"]
    assert _snapshot_of_states() == before

    client.get("/sign-in/")
    headers = {"x_csrftoken": client.cookies["csrftoken"].value}
    allowed = _call(world, method, address, client=client, **headers)
    assert allowed.status_code == OPERATIONS[method, address][1], allowed.content


def test_person_without_a_workspace_submits_nothing(world: World) -> None:
    _, plain = make_api_token(make_user("dora"), name="t", scope="write")

    response = call("POST", "/sweeps", token=plain, body=submittable())

    assert "no workspace" in assert_problem(response, 403)[0]["message"]


def test_contributor_may_submit_and_cancel(world: World) -> None:
    Membership.objects.filter(user=world.bob).update(role=Membership.Role.CONTRIBUTOR)
    token = world.tokens["bob_write"]

    made = call("POST", "/sweeps", token=token, body=submittable())
    canceled = call("POST", f"/sweeps/{world.sweep.public_id}/cancel", token=token)

    assert (made.status_code, canceled.status_code) == (201, 200)
    assert json.loads(made.content)["owner"] == "bob"


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
