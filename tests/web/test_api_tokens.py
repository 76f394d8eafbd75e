"""REST of API tokens: made, listed, revoked; scope admin, nobody else's, no way to live longer."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from experiments import clock
from experiments.models import ApiToken, AuditEntry
from experiments.services.access import make_api_token
from experiments.services.api_tokens import MOST_TOKENS
from tests.factories import make_user, make_workspace
from tests.web.api_world import assert_problem, call

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    user = make_user("alice")
    make_workspace(user)
    return user


@pytest.fixture
def admin(alice):
    return make_api_token(alice, name="first", scope="admin")[1]


def test_token_is_made_shown_once_used_and_revoked(alice, admin):
    made = call("POST", "/tokens", token=admin, body={"name": "night", "scope": "read", "days": 30})
    document = json.loads(made.content)

    assert made.status_code == 201
    assert document["token"].startswith("st_")
    listed = call("GET", "/tokens", token=admin).content.decode()
    assert document["token"] not in listed
    assert [one["name"] for one in json.loads(listed)["items"]] == ["night", "first"]
    assert call("GET", "/sweeps", token=document["token"]).status_code == 200
    assert call("POST", "/sweeps", token=document["token"], body={}).status_code == 403

    assert call("DELETE", f"/tokens/{document['id']}", token=admin).status_code == 204
    assert call("GET", "/sweeps", token=document["token"]).status_code == 401
    acts = list(AuditEntry.objects.filter(about="night").values_list("act", flat=True))
    assert acts == ["token.revoked", "token.created"]


@pytest.mark.parametrize("scope", ["read", "write"])
def test_token_of_a_lesser_scope_manages_no_tokens(alice, scope):
    kept, plain = make_api_token(alice, name="kept", scope=scope)

    for method, path in (("GET", ""), ("POST", ""), ("DELETE", f"/{kept.pk}")):
        body = {"name": "x", "scope": "admin"} if method == "POST" else None
        response = call(method, f"/tokens{path}", token=plain, body=body)
        assert "scope" in assert_problem(response, 403)[0]["message"]
    assert ApiToken.objects.count() == 1


def test_tokens_of_others_are_not_there_even_for_administrators(alice, admin):
    mine = ApiToken.objects.get(user=alice)
    root = make_api_token(make_user("root", is_superuser=True), name="root", scope="admin")[1]

    assert_problem(call("DELETE", f"/tokens/{mine.pk}", token=root), 404)
    names = [one["name"] for one in json.loads(call("GET", "/tokens", token=root).content)["items"]]
    assert names == ["root"]


def test_token_made_with_a_token_does_not_outlive_it(alice):
    plain = make_api_token(alice, name="short", scope="admin", expires=timedelta(days=2))[1]

    for days in (None, 3):
        response = call("POST", "/tokens", token=plain, body={"name": "long", "days": days})
        problem = assert_problem(response, 422)[0]
        assert problem["path"] == "expires"
        assert "ends with it" in problem["message"]
    made = call("POST", "/tokens", token=plain, body={"name": "day", "days": 1})
    assert made.status_code == 201


def test_number_of_tokens_has_an_end(alice, admin):
    now = clock.now()
    ApiToken.objects.bulk_create(
        ApiToken(user=alice, name="n", digest=f"{n:064}", created_at=now)
        for n in range(MOST_TOKENS)
    )

    assert (
        "revoke one"
        in assert_problem(call("POST", "/tokens", token=admin, body={"name": "one more"}), 409)[0][
            "message"
        ]
    )
