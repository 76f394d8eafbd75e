"""Sessions: where somebody is signed in, ended one by one or all; keys that nobody knew before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from experiments import clock, consumers
from experiments.browsers import browser_words
from experiments.models import SignedInSession
from experiments.services import sessions
from experiments.services.access import make_sign_in_link
from tests.factories import make_user, make_workspace
from tests.live.test_sockets import Client as Socket
from tests.live.test_sockets import run

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
PASSWORD = "correct horse 7"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("attempts_in_memory")]


@pytest.fixture
def alice():
    user = make_user("alice", password=PASSWORD)
    make_workspace(user)
    return user


def signed_in(agent=FIREFOX, address="192.0.2.7"):
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    assert client.post("/sign-in/", {"username": "alice", "password": PASSWORD}).status_code == 302
    return client


def is_in(client):
    return client.get("/account/").status_code == 200


def row_of(client):
    return SignedInSession.objects.get(session_id=client.session.session_key)


def test_page_says_where_and_with_what_somebody_is_signed_in(alice):
    here, _there = signed_in(), signed_in(PHONE, "2001:db8::1")
    text = here.get("/account/sessions/").content.decode()

    assert "Firefox 131 on Linux" in text
    assert "192.0.2.7" in text
    assert "Safari 18 on iPhone" in text
    assert "2001:db8::1" in text
    assert text.count("this browser") == 1
    assert "by password" in text
    assert here.session.session_key not in text


def test_one_session_is_ended_and_all_others(alice):
    here, second, third, fourth = (signed_in() for _ in range(4))

    here.post(f"/account/sessions/{row_of(second).pk}/end/")
    assert [is_in(one) for one in (here, second, third, fourth)] == [True, False, True, True]
    here.post("/account/sessions/others/")
    assert [is_in(one) for one in (here, third, fourth)] == [True, False, False]
    assert here.post(f"/account/sessions/{row_of(here).pk}/end/").url == "/sign-in/"
    assert not is_in(here)


def test_sessions_of_others_are_not_there(alice):
    here = signed_in()
    bob = Client()
    bob.force_login(make_user("bob"))

    assert bob.post(f"/account/sessions/{row_of(here).pk}/end/").status_code == 404
    bob.post("/account/sessions/others/")
    assert is_in(here)


def test_signing_in_gives_a_session_another_key_each_time(alice):
    client = Client()
    client.get("/sign-in/")
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted

    client.post("/sign-in/", {"username": "alice", "password": PASSWORD})
    first = client.session.session_key
    client.post("/sign-in/", {"username": "alice", "password": PASSWORD})

    assert len({planted, first, client.session.session_key}) == 3
    assert not Session.objects.filter(pk__in=[planted, first]).exists()


def test_new_password_ends_all_other_sessions(alice):
    here, other = signed_in(), signed_in()
    new = {"new_password1": "a-fine-1-phrase", "new_password2": "a-fine-1-phrase"}

    here.post("/account/password/", {"old_password": PASSWORD, **new})
    assert (is_in(here), is_in(other)) == (True, False)
    assert SignedInSession.objects.filter(user=alice).count() == 1

    # Also one that the administration sets.
    alice.refresh_from_db()
    alice.set_password("another-fine-1")
    alice.save()
    assert not is_in(here)
    assert not SignedInSession.objects.filter(user=alice).exists()


def test_deactivated_person_is_out_at_once_and_for_good(alice):
    here = signed_in()
    plain = make_sign_in_link(alice)
    alice.is_active = False
    alice.save()

    assert not is_in(here)
    assert here.get(f"/sign-in/{plain}/").status_code == 410
    User.objects.filter(pk=alice.pk).update(is_active=True)
    assert not is_in(here)


def test_use_is_noted_seldom_and_costs_no_query_in_between(
    alice, monkeypatch, django_assert_num_queries
):
    here = signed_in()
    old = clock.now() - timedelta(hours=1)
    SignedInSession.objects.update(seen_at=old, address="")
    # Session and person; the page itself needs none.
    with django_assert_num_queries(2):
        assert here.get("/sign-in/").status_code == 302
    assert row_of(here).seen_at == old

    monkeypatch.setattr(sessions, "SEEN_SECONDS", 0.0)
    here.get("/sign-in/")
    assert row_of(here).seen_at > old
    assert row_of(here).address == "192.0.2.7"


def test_session_from_before_there_were_rows_gets_one(alice, monkeypatch):
    here = signed_in()
    SignedInSession.objects.all().delete()
    monkeypatch.setattr(sessions, "SEEN_SECONDS", 0.0)

    assert is_in(here)
    assert row_of(here).user == alice


def test_expired_sessions_are_removed_with_their_rows(alice):
    here, _ = signed_in(), signed_in()
    Session.objects.filter(pk=here.session.session_key).update(expire_date=clock.now())

    sessions.forget_expired_sessions()

    assert SignedInSession.objects.count() == Session.objects.count() == 1


@pytest.mark.parametrize("how", ["sessions", "account"])
@pytest.mark.django_db(transaction=True)
def test_socket_closes_when_its_session_or_account_ends(alice, how, monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_SECONDS", 60.0)

    def end():
        if how == "sessions":
            sessions.end_sessions(alice)
        else:
            alice.is_active = False
            alice.save()

    async def scenario() -> None:
        client = await database_sync_to_async(signed_in)()
        socket = Socket("/ws/sweeps/", alice)
        socket.socket.scope["session"] = client.session
        await socket.connect()
        await database_sync_to_async(end)()
        assert await socket.close_code() == consumers.ANONYMOUS

    run(scenario)


def test_browsers_have_names_that_people_know():
    assert browser_words("") == "An unknown program"
    assert browser_words("curl/8.9.1") == "curl 8"
    edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0"
    assert browser_words(edge) == "Edge 130 on Windows"
