"""A forgotten password: the same answer for all, a link that works once, a real mail server."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from experiments.models import Identity
from experiments.notify.mail_server import MailServer
from tests.factories import make_user, make_workspace
from tests.receivers import mail_server, wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("attempts_in_memory")]
PASSWORD = "correct horse 7"
NEW = {"new_password1": "a-fine-1-phrase", "new_password2": "a-fine-1-phrase"}


@pytest.fixture
def alice():
    user = make_user("alice", password=PASSWORD)
    user.email = "Alice@example.org"
    user.save(update_fields=["email"])
    make_workspace(user)
    return user


@pytest.fixture
def mailbox(settings):
    with mail_server() as box:
        settings.STUDIO_MAIL_SERVER = MailServer("127.0.0.1", box.port, "studio@example.org")
        settings.STUDIO_PUBLIC_URL = "https://studio.example"
        yield box


def ask(client, name):
    return client.post("/password-reset/", {"name": name})


def link_in(mail):
    text = mail.get_body(("plain",)).get_content()
    return re.search(r"https://studio\.example(/password-reset/\S+)", text)[1]


def test_link_sets_a_password_once_signs_in_and_ends_other_sessions(client, alice, mailbox):
    elsewhere = Client()
    elsewhere.force_login(alice)

    page = ask(client, "alice@EXAMPLE.org")
    wait_until(lambda: mailbox.mails)
    link = link_in(mailbox.mails[0])
    assert "a link is on its way" in page.content.decode()
    # To the address of the account, not to what was typed.
    assert mailbox.recipients == ["Alice@example.org"]
    assert client.get(link).status_code == 200
    assert client.post(link, {**NEW, "new_password2": "other"}).status_code == 422
    assert client.post(link, NEW).url == "/"

    assert client.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert Client().get(link).status_code == 410
    assert Client().post(link, NEW).status_code == 410
    alice.refresh_from_db()
    assert alice.check_password(NEW["new_password1"])
    wait_until(lambda: len(mailbox.mails) == 2)
    assert "Your password was changed" in mailbox.mails[1]["Subject"]


def test_answer_is_the_same_whether_there_is_an_account(client, alice, mailbox):
    inactive = make_user("gone", password=PASSWORD)
    User.objects.filter(pk=inactive.pk).update(email="gone@example.org", is_active=False)
    only_sso = make_user("sso")
    only_sso.set_unusable_password()
    only_sso.email = "sso@example.org"
    only_sso.save()
    Identity.objects.create(user=only_sso, issuer="https://id.example", subject="1")
    make_user("plain", password=PASSWORD)

    def answer(name):
        text = ask(client, name).content.decode().replace(name, "NAME")
        return re.sub(r'value="\w{64}"|content="\w{64}"', "", text)

    names = ["nobody@example.org", "gone@example.org", "sso@example.org", "plain", "a\0b", ""]
    answers = [answer(name) for name in (*names, "alice")]

    assert len(set(answers[:-2] + answers[-1:])) == 1
    wait_until(lambda: mailbox.mails)
    assert mailbox.recipients == ["Alice@example.org"]


def test_nobody_is_flooded_and_no_client_tries_without_end(client, alice, mailbox):
    statuses = [ask(client, "alice").status_code for _ in range(11)]

    assert statuses == [200] * 10 + [429]
    wait_until(lambda: len(mailbox.mails) >= 3)
    assert len(mailbox.mails) == 3


@pytest.mark.parametrize("link", ["MQ/x-y/", "AA/set-password/", "_/-/", "4pCT/c0-0/"])
def test_link_that_never_was_does_nothing(client, alice, link):
    assert client.get(f"/password-reset/{link}").status_code == 410


def test_studio_without_mail_names_another_way(client, alice):
    for page in (client.get("/password-reset/"), ask(client, "alice")):
        text = page.content.decode()
        assert "sends no e-mail" in text
        assert "one-time link" in text
        assert 'name="name"' not in text
