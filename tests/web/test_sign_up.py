"""Making an account: what each policy allows, proven addresses, invitations, nothing for free."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User

from experiments.models import AuditEntry, Membership, SignUp
from experiments.notify.mail_server import MailServer
from experiments.services.invitations import InvitationTerms, create_invitation
from experiments.services.sign_up import is_email_proven
from experiments.services.site import change_site
from tests.factories import make_user, make_workspace
from tests.receivers import mail_server, wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("attempts_in_memory")]
ADA = {"name": "Ada King Lovelace", "email": "ada@example.org", "password": "analytical-1"}


@pytest.fixture
def mailbox(settings):
    with mail_server() as box:
        settings.STUDIO_MAIL_SERVER = MailServer("127.0.0.1", box.port, "studio@example.org")
        settings.STUDIO_PUBLIC_URL = "https://studio.example"
        yield box


def policy(name, domains=""):
    change_site(by=None, sign_up=name, sign_up_domains=domains)


def link_in(mail):
    text = mail.get_body(("plain",)).get_content()
    return re.search(r"https://studio\.example(/\S+)", text)[1]


@pytest.mark.parametrize("name", ["closed", "invited", "domains"])
def test_strangers_make_no_account_where_the_policy_lets_none_in(client, name):
    policy(name, "example.org")

    assert "Make an account" not in client.get("/sign-in/").content.decode()
    assert client.get("/sign-up/").status_code == 403
    assert client.post("/sign-up/", ADA).status_code == 403
    assert not User.objects.exists()


def test_open_studio_without_mail_makes_an_account_at_once(client):
    policy("open")

    assert "Make an account" in client.get("/sign-in/").content.decode()
    assert client.post("/sign-up/", ADA | {"is_superuser": "1", "is_staff": "1"}).url == "/"
    ada = User.objects.get()
    assert (ada.username, ada.first_name, ada.last_name) == ("ada", "Ada King", "Lovelace")
    assert (ada.is_superuser, ada.is_staff) == (False, False)
    assert not is_email_proven(ada)
    assert client.get("/account/").status_code == 200
    assert AuditEntry.objects.filter(act="account.created", about="ada").exists()
    client.logout()
    # With the address instead of the user name.
    pair = {"username": "ADA@example.org", "password": ADA["password"]}
    assert client.post("/sign-in/", pair).status_code == 302


def test_every_problem_of_a_new_account_is_said_at_once(client):
    policy("open")
    page = client.post("/sign-up/", {"name": " ", "email": "ada", "password": "1234"})
    text = page.content.decode()

    assert page.status_code == 422
    for sentence in ("use 1 to 150", "is no e-mail address", "too short"):
        assert sentence in text
    assert client.post("/sign-up/", ADA).status_code == 302
    client.logout()
    assert client.post("/sign-up/", ADA | {"email": "Ada@example.org"}).status_code == 422
    other = client.post("/sign-up/", ADA | {"email": "ada@example.net"})
    assert other.status_code == 302
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "ada-2"]


def test_address_of_a_domain_is_proven_by_a_link_before_there_is_an_account(client, mailbox):
    policy("domains", "example.org, uni.edu")
    assert client.post("/sign-up/", {"email": "eve@example.net"}).status_code == 422
    assert client.post("/sign-up/", {"email": "eve@evil.example.org"}).status_code == 422

    sent = client.post("/sign-up/", {"email": "ada@example.org"})
    wait_until(lambda: mailbox.mails)
    assert "on its way" in sent.content.decode()
    assert not User.objects.exists()
    link = link_in(mailbox.mails[0])
    assert client.get(link).status_code == 200
    # The address is that of the link, whatever the form says.
    assert client.post(link, ADA | {"email": "boss@example.org"}).url == "/"
    ada = User.objects.get()
    assert (ada.email, is_email_proven(ada), ada.signed_up.way) == (ADA["email"], True, "domains")
    client.logout()
    assert client.get(link).status_code == 410
    assert client.get(f"{link[:-2]}x/").status_code == 410


def test_answer_does_not_tell_whether_an_address_has_an_account(client, mailbox):
    policy("open")
    User.objects.create_user("ada", "ada@example.org", ADA["password"])

    answers = {
        client.post("/sign-up/", {"email": f"{name}@example.org"})
        .content.decode()
        .replace(f"{name}@", "NAME@")
        for name in ("ada", "eve")
    }
    assert len({re.sub(r'content="\w{64}"', "", text) for text in answers}) == 1
    wait_until(lambda: len(mailbox.mails) == 2)
    assert "You have an account already" in mailbox.mails[0]["Subject"]


def test_invitation_lets_somebody_make_an_account_and_come_in(client):
    policy("invited")
    owner = make_user("owner")
    workspace = make_workspace(owner)
    _, plain = create_invitation(
        workspace, InvitationTerms(role="Reader", email="ada@example.org"), user=owner
    )
    form = ADA | {"invitation": plain}

    assert workspace.name in client.get(f"/sign-up/?invitation={plain}").content.decode()
    assert client.post("/sign-up/", form | {"email": "eve@example.org"}).status_code == 422
    made = client.post("/sign-up/", form)
    assert made.url == f"/invitations/{plain}/"
    client.post(made.url)
    ada = User.objects.get(username="ada")
    assert Membership.objects.get(user=ada, workspace=workspace).role == "Reader"
    assert SignUp.objects.get(user=ada).way == "invited"
    client.logout()
    assert client.get(f"/sign-up/?invitation={plain}").status_code == 403

    _, other = create_invitation(workspace, InvitationTerms(), user=owner)
    policy("closed")
    assert client.post("/sign-up/", form | {"invitation": other}).status_code == 403


def test_accounts_of_one_network_have_a_limit(client):
    policy("open")
    statuses = []
    for number in range(11):
        form = ADA | {"email": f"ada{number}@example.org"}
        statuses.append(client.post("/sign-up/", form).status_code)
        client.logout()

    assert statuses == [302] * 10 + [429]
