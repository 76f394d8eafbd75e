"""The page of API tokens: shown once, revoked, nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from experiments import clock
from experiments.models import ApiToken
from experiments.services.access import find_api_token, make_api_token
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db
NEW = {"name": "nightly", "scope": "read", "expires": "30"}


@pytest.fixture
def alice(client):
    user = make_user("alice")
    make_workspace(user)
    client.force_login(user)
    return user


def test_token_is_shown_once_and_works(client, alice):
    made = client.post("/account/tokens/", NEW)
    plain = re.search(r'id="secret" value="(st_[^"]+)"', made.content.decode())[1]

    assert made.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert plain not in client.get("/account/tokens/").content.decode()
    token = find_api_token(plain)
    assert (token.user, token.name, token.scope) == (alice, "nightly", "read")
    assert timedelta(days=29) < token.expires_at - clock.now() <= timedelta(days=30)


def test_every_problem_is_said_at_its_field_and_what_was_typed_stays(client, alice):
    page = client.post(
        "/account/tokens/", {"name": " ", "scope": "root", "expires": "date", "day": "2001-02-03"}
    )
    text = page.content.decode()

    assert page.status_code == 422
    assert "use 1 to 120" in text
    assert "use one of read, write, admin" in text
    assert "would end on 2001-02-03" in text
    assert 'value="2001-02-03"' in text
    assert not ApiToken.objects.exists()


def test_an_end_that_is_none_is_refused(client, alice):
    for wrong in ({"expires": ""}, {"expires": "date", "day": "soon"}, {"expires": "²"}):
        assert client.post("/account/tokens/", NEW | wrong).status_code == 422
    assert client.post("/account/tokens/", NEW | {"expires": "never"}).status_code == 200
    assert ApiToken.objects.get().expires_at is None


def test_tokens_of_others_are_neither_seen_nor_revoked(client, alice):
    theirs, plain = make_api_token(make_user("bob"), name="theirs of bob")

    assert "theirs of bob" not in client.get("/account/tokens/").content.decode()
    assert client.post(f"/account/tokens/{theirs.pk}/revoke/").status_code == 404
    assert find_api_token(plain) is not None


def test_revoked_token_is_useless_at_once(client, alice):
    token, plain = make_api_token(alice, name="old")

    assert client.get(f"/account/tokens/{token.pk}/revoke/").status_code == 405
    assert client.post(f"/account/tokens/{token.pk}/revoke/").url == "/account/tokens/"
    assert find_api_token(plain) is None
