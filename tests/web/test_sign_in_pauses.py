"""Guessing passwords: paused by account, address and spray; the owner of an account gets in."""

from __future__ import annotations

import pytest
from django.test import Client

from experiments.models import AuditEntry
from experiments.services import sign_in as service
from tests.factories import make_user, make_workspace

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("attempts_in_memory")]
PASSWORD = "correct horse 7"


@pytest.fixture
def alice():
    user = make_user("alice", password=PASSWORD)
    user.email = "alice@example.org"
    user.save(update_fields=["email"])
    make_workspace(user)
    return user


def attempt(address, name="alice", password=PASSWORD):
    client = Client(REMOTE_ADDR=address)
    return client.post("/sign-in/", {"username": name, "password": password}).status_code


def test_guesses_from_elsewhere_do_not_lock_the_owner_out(alice):
    guesses = [attempt("192.0.2.1", password=f"guess {n}") for n in range(6)]

    assert guesses == [401, 401, 401, 401, 429, 429]
    assert attempt("192.0.2.1") == 429
    assert attempt("192.0.2.2") == 302


def test_name_and_address_of_an_account_are_counted_together(alice):
    for n in range(5):
        attempt("192.0.2.1", "alice" if n % 2 else "ALICE@example.org", f"guess {n}")

    assert attempt("192.0.2.1", "alice@example.org") == 429


def test_one_address_may_not_try_one_password_on_many_accounts(alice, monkeypatch):
    monkeypatch.setattr(service, "MAX_OF_ADDRESS", 8)
    statuses = [attempt("192.0.2.1", f"user{n}", "Summer2026!") for n in range(9)]

    assert statuses == [401] * 7 + [429] * 2
    assert attempt("192.0.2.1") == 429
    assert attempt("192.0.2.2") == 302
    assert AuditEntry.objects.filter(act="sign_in_paused", address="192.0.2.1").count() == 1


def test_network_of_ipv6_counts_as_one_client(alice):
    for n in range(5):
        attempt(f"2001:db8:0:1::{n}", password="guess")

    assert attempt("2001:db8:0:1:ffff::9") == 429
    assert attempt("2001:db8:0:2::1") == 302


def test_guesses_from_many_addresses_pause_the_account_but_not_where_its_owner_is(
    alice, monkeypatch
):
    monkeypatch.setattr(service, "MAX_OF_ACCOUNT", 10)
    assert attempt("198.51.100.7") == 302
    for n in range(10):
        attempt(f"192.0.2.{n}", password="guess")

    assert attempt("203.0.113.5") == 429
    assert attempt("198.51.100.7") == 302


def test_successes_are_no_failures(alice, monkeypatch):
    monkeypatch.setattr(service, "MAX_OF_ADDRESS", 3)

    assert {attempt("192.0.2.1") for _ in range(6)} == {302}


def test_what_was_typed_as_a_name_is_written_down_only_when_it_is_one(alice):
    attempt("192.0.2.1", "alice", "guess")
    attempt("192.0.2.1", "my-secret-passw0rd", "guess")

    failed = AuditEntry.objects.filter(act="sign_in_failed").order_by("pk")
    assert [entry.about for entry in failed] == ["alice", ""]
    assert "my-secret" not in str(list(failed.values()))
