"""REST of webhooks: made, changed, tested, read; roles, scopes, nothing secret in an answer."""

from __future__ import annotations

import json

import pytest

from experiments.models import Delivery, Membership, NotificationChannel
from experiments.services.notification_channels import MOST_OF_WORKSPACE, current_secret
from tests.factories import make_workspace
from tests.web.api_world import assert_problem, call, get, make_world

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/very-secret"
OF_TEAM = {"workspace": "team", "name": "pager", "url": URL, "events": ["sweep.failed"]}
OWN = {**OF_TEAM, "workspace": "", "sweeps": ["starred"]}


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


def send(world, method, path, body=None, *, user="alice", scope="admin"):
    return call(method, f"/webhooks{path}", token=world.tokens[f"{user}_{scope}"], body=body)


def make(world, body=OF_TEAM, user="alice"):
    response = send(world, "POST", "", body, user=user)
    assert response.status_code == 201, response.content
    return json.loads(response.content)


def test_a_webhook_from_its_making_to_its_end(world):
    made = make(world)
    path = f"/webhooks/{made['id']}"

    assert made.pop("secret") == current_secret(NotificationChannel.objects.get())
    assert get(world, path) == made
    assert (made["address"], made["workspace"]) == ("https://hooks.example.org/…cret", "team")
    assert get(world, "/webhooks?workspace=team")["items"] == [made]
    changed = send(world, "PATCH", f"/{made['id']}", {"on": False, "name": "other"})
    assert json.loads(changed.content) == made | {"on": False, "name": "other"}
    again = json.loads(send(world, "POST", f"/{made['id']}/secret").content)
    assert again["secret"] == current_secret(NotificationChannel.objects.get())
    tested = send(world, "POST", f"/{made['id']}/test")
    assert (tested.status_code, json.loads(tested.content)["status"]) == (202, "waiting")
    Delivery.objects.update(outcome="failed", error="No answer within 10 s.")
    (row,) = get(world, f"{path}/deliveries")["items"]
    assert (row["event"], row["status"], row["due"]) == ("test", "failed", None)
    again = send(world, "POST", f"/{made['id']}/deliveries/{row['id']}/redeliver")
    assert (again.status_code, json.loads(again.content)["message"]) == (202, row["message"])
    conflict = send(world, "POST", f"/{made['id']}/deliveries/{row['id']}/redeliver")
    assert_problem(conflict, 409)
    assert send(world, "DELETE", f"/{made['id']}").status_code == 204
    assert get(world, "/webhooks") == {"items": [], "next_cursor": None}


def test_others_do_not_learn_of_webhooks(world):
    of_team, own = make(world), make(world, OWN)
    make_workspace(world.bob, role=Membership.Role.CONTRIBUTOR)
    bobs = make(world, OWN, user="bob")

    for user in ("bob", "charlie"):
        for one in (of_team, own):
            for method, part, body in (
                ("GET", "", None), ("PATCH", "", {"on": False}), ("DELETE", "", None),
                ("POST", "/test", None), ("POST", "/secret", None), ("GET", "/deliveries", None),
                ("POST", "/deliveries/1/redeliver", None),
            ):  # fmt: skip
                assert_problem(send(world, method, f"/{one['id']}{part}", body, user=user), 404)
    assert_problem(send(world, "POST", "", OF_TEAM, user="bob"), 403)
    assert_problem(send(world, "GET", "?workspace=team", user="bob"), 403)
    assert_problem(send(world, "POST", "", OF_TEAM, user="charlie"), 404)
    assert_problem(send(world, "POST", "", OF_TEAM, scope="read"), 403)
    assert_problem(call("GET", "/webhooks", token=world.run_token), 403)
    assert_problem(call("GET", "/webhooks"), 401)
    assert [one["id"] for one in get(world, "/webhooks", "bob")["items"]] == [bobs["id"]]
    assert NotificationChannel.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "gopher://example.org/"}, "url"),
        ({"url": "http://a\r\nX: 1/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["sweep.exploded"]}, "events"),
        ({"kind": "email"}, "kind"),
        ({"name": "\n"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a" * 121}, "name"),
        ({"sweeps": ["mine"]}, "sweeps"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"user": 1}, "user"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_made(world, changes, path):
    response = send(world, "POST", "", {**OF_TEAM, **changes})

    errors = assert_problem(response, 422)
    assert any(error["path"].startswith(path) for error in errors), errors
    assert not NotificationChannel.objects.exists()


def test_there_are_not_more_than_anybody_needs(world):
    for _ in range(MOST_OF_WORKSPACE):
        make(world)

    assert_problem(send(world, "POST", "", OF_TEAM), 409)
    pages = get(world, f"/webhooks?limit={MOST_OF_WORKSPACE - 1}")
    rest = get(world, f"/webhooks?cursor={pages['next_cursor']}")
    assert (len(pages["items"]), len(rest["items"])) == (MOST_OF_WORKSPACE - 1, 1)
