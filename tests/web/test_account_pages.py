"""One's own account: what it shows, what it changes, and how it is closed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from experiments.models import ApiToken, AuditEntry, Membership, Run, SignUp, Sweep
from experiments.notify.mail_server import MailServer
from experiments.services.access import (
    find_api_token,
    make_api_token,
    make_run_token,
    run_for_token,
)
from experiments.services.notification_links import address_url
from experiments.services.sign_up import is_email_proven
from tests.factories import make_running_run, make_sweep, make_user, make_workspace

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("attempts_in_memory")]
PASSWORD = "correct horse 7"


@pytest.fixture
def alice(client):
    user = make_user("alice", password=PASSWORD)
    make_workspace(user)
    client.force_login(user)
    return user


def close(client, how, **more):
    data = {"how": how, "username": "alice", "password": PASSWORD, **more}
    return client.post("/account/close/", data)


def test_page_shows_ones_own_things_with_a_fixed_number_of_queries(
    client, alice, django_assert_max_num_queries
):
    make_workspace(make_user("bob"), name="Bob's own")
    for number in range(9):
        make_api_token(alice, name=f"token {number}")

    with django_assert_max_num_queries(20):
        text = client.get("/account/").content.decode()
    assert "9 tokens" in text
    assert Membership.objects.get(user=alice).workspace.name in text
    assert "Bob" not in text


def test_name_is_changed_and_written_down(client, alice):
    assert client.post("/account/name/", {"name": " Alice  van der Berg "}).status_code == 302
    alice.refresh_from_db()

    assert (alice.first_name, alice.last_name) == ("Alice van der", "Berg")
    assert AuditEntry.objects.filter(act="account.changed", by=alice).count() == 1
    for wrong in ("x" * 301, "a\nb" * 60, "a\0b"):
        assert client.post("/account/name/", {"name": wrong}).status_code == 422


def test_address_changes_only_by_the_link_and_is_proven_then(client, alice, settings):
    assert "sends no e-mail" in client.get("/account/").content.decode()
    assert client.post("/account/address/", {"address": "a@example.org"}).status_code == 422
    settings.STUDIO_MAIL_SERVER = MailServer("127.0.0.1", 1, "studio@example.org")
    SignUp.objects.create(user=alice, way="open", unproven_email="old@example.org")
    User.objects.filter(pk=alice.pk).update(email="old@example.org")
    alice.refresh_from_db()

    assert not is_email_proven(alice)
    assert "not confirmed" in client.get("/account/").content.decode()
    assert client.post("/account/address/", {"address": "nonsense"}).status_code == 422
    assert client.post("/account/address/", {"address": "old@example.org"}).status_code == 302
    alice.refresh_from_db()
    assert not is_email_proven(alice)
    client.get(address_url(alice, "old@example.org"))
    alice.refresh_from_db()
    assert is_email_proven(alice)


def test_deactivated_account_is_shut_everywhere_and_its_runs_go_on(client, alice):
    make_user("root", is_superuser=True)
    elsewhere = Client()
    elsewhere.force_login(alice)
    _, plain = make_api_token(alice, name="t")
    running = make_running_run(make_sweep(owner=alice))
    run_token, digest = make_run_token()
    Run.objects.filter(pk=running.pk).update(token_digest=digest)

    assert "deactivated" in close(client, "deactivate").content.decode()
    assert client.get("/account/").status_code == elsewhere.get("/account/").status_code == 302
    assert find_api_token(plain) is None
    assert run_for_token(run_token) is not None
    pair = {"username": "alice", "password": PASSWORD}
    assert client.post("/sign-in/", pair).status_code == 401
    assert User.objects.get(username="alice").first_name == ""


def test_erased_account_leaves_its_work_and_nothing_of_its_own(client, alice):
    make_user("root", is_superuser=True)
    User.objects.filter(pk=alice.pk).update(first_name="Alice", email="alice@example.org")
    sweep = make_sweep(owner=alice)

    assert "deleted" in close(client, "erase").content.decode()
    gone = User.objects.get(pk=alice.pk)
    assert (gone.username, gone.first_name, gone.email) == (f"former-member-{gone.pk}", "", "")
    assert (gone.is_active, gone.has_usable_password()) == (False, False)
    assert not Membership.objects.filter(user=gone).exists()
    assert Sweep.objects.get(pk=sweep.pk).owner == gone


@pytest.mark.parametrize(
    "wrong", [{"username": "Alice"}, {"password": "guess"}, {"how": "burn"}, {"password": ""}]
)
def test_account_is_closed_only_by_who_is_sure_and_knows_the_password(client, alice, wrong):
    make_user("root", is_superuser=True)
    make_api_token(alice, name="kept")

    page = close(client, **({"how": "erase"} | wrong))
    assert page.status_code == 422
    alice.refresh_from_db()
    assert alice.is_active
    assert ApiToken.objects.filter(user=alice).exists()
    assert client.get("/account/").status_code == 200


def test_last_administrator_and_last_owner_of_a_team_stay(client, alice):
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    assert "last administrator" in close(client, "deactivate").content.decode()
    make_user("root", is_superuser=True)
    bob = make_user("bob")
    workspace = Membership.objects.get(user=alice).workspace
    Membership.objects.filter(user=alice).update(role="Owner")
    make_workspace(bob, role="Reader", name=workspace.name)

    assert "only Owner" in close(client, "erase").content.decode()
    assert User.objects.get(pk=alice.pk).is_active
    assert close(client, "deactivate").status_code == 200
