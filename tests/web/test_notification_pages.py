"""Pages of notifications and webhooks: what they do, what they never show, who gets in."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client

from experiments.models import Delivery, DeliveryAttempt, Membership, NotificationChannel
from experiments.notify.mail_server import MailServer
from experiments.services.notification_channels import current_secret
from experiments.services.notification_links import stop_url
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db
SECRET_URL = "https://hooks.example.org/services/T0/B1/very-secret-path"
OWN = {"personal": "1", "name": "mine", "kind": "webhook", "url": SECRET_URL}
CHOICES = {"events": ["sweep.failed", "sweep.finished"], "sweeps": ["mine", "starred"]}


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice():
    user = make_user("alice")
    make_workspace(user)
    return user


@pytest.fixture
def client(alice) -> Client:
    return signed_in(alice)


@pytest.fixture
def mail(settings):
    settings.STUDIO_MAIL_SERVER = MailServer("127.0.0.1", 1, "studio@example.org")


def make(client: Client, query: str = "", **changes) -> tuple[NotificationChannel, str]:
    """Make a webhook on the page; return it and what the page showed."""
    response = client.post(f"/webhooks/new/{query}", {**OWN, **CHOICES, **changes})
    assert response.status_code in (200, 302), response.content
    return NotificationChannel.objects.latest("pk"), response.content.decode()


def test_the_secret_is_shown_once_and_the_url_never(client):
    channel, made = make(client)

    assert current_secret(channel) in made
    pages = [
        client.get(address).content.decode()
        for address in ("/account/notifications/", f"/webhooks/{channel.public_id}/")
    ]
    assert "hooks.example.org/…path" in pages[1]
    for page in pages:
        assert "whsec_" not in page
        assert "very-secret" not in page
        assert channel.secret_key not in page
    again = client.post(f"/webhooks/{channel.public_id}/secret/").content.decode()
    channel.refresh_from_db()
    assert current_secret(channel) in again
    assert made.count("whsec_") == again.count("whsec_") == 1
    assert current_secret(channel) not in made


def test_a_webhook_is_changed_and_an_empty_url_keeps_its_own(client):
    channel, _ = make(client)
    address = f"/webhooks/{channel.public_id}/"

    client.post(address, {"name": "other", "url": "", **CHOICES, "personal": "1"})
    channel.refresh_from_db()
    assert (channel.name, channel.url, channel.is_on) == ("other", SECRET_URL, False)
    client.post(address, {"name": "other", "url": "https://a.org/", "state": "on", **CHOICES})
    channel.refresh_from_db()
    assert (channel.url, channel.is_on) == ("https://a.org/", True)
    assert client.post(f"{address}delete/").status_code == 302
    assert not NotificationChannel.objects.exists()


def test_every_mistake_is_named_at_its_field_and_the_typed_url_does_not_come_back(client):
    response = client.post(
        "/webhooks/new/",
        {"personal": "1", "name": " ", "kind": "fax", "url": "http://127.0.0.1/secret-token"},
    )

    text = response.content.decode()
    assert response.status_code == 422
    assert "5 problems below" in text
    for said in ("use one of webhook, slack", "private network", "events is empty", "sweeps is"):
        assert said in text
    assert "secret-token" not in text


def test_a_test_and_the_log_of_it(client):
    channel, _ = make(client, kind="slack")
    address = f"/webhooks/{channel.public_id}/"

    response = client.post(f"{address}test/")

    assert response["Location"] == f"{address}#log"
    assert "data-waiting" in client.get(address).content.decode()
    delivery = Delivery.objects.get()
    began = delivery.created_at
    DeliveryAttempt.objects.create(
        delivery=delivery, number=1, began_at=began, duration=0.25, status=404, answer="<b>no</b>"
    )
    Delivery.objects.update(outcome="failed", error="It answered 404 Not Found.")
    part = client.get(address, headers={"X-Fragment": "1"}).content.decode()
    assert part.startswith('<div data-part="log">')
    assert "It answered 404 Not Found." in part  # no attempt says so
    assert "&lt;b&gt;no&lt;/b&gt;" in part
    client.post(f"{address}deliveries/{delivery.pk}/again/")
    assert Delivery.objects.get().outcome == "waiting"


def test_the_log_is_paged_with_a_fixed_number_of_queries(client, django_assert_num_queries):
    from experiments.services.notification_channels import _send_now

    channel, _ = make(client)
    for _ in range(30):
        DeliveryAttempt.objects.create(
            delivery=_send_now(channel, "test", {"message": "a"}),
            number=1, began_at=channel.created_at, duration=0.1,
        )  # fmt: skip
    address = f"/webhooks/{channel.public_id}/"

    with django_assert_num_queries(5):  # session, person, webhook, log, attempts
        part = client.get(address, headers={"X-Fragment": "1"}).content.decode()

    assert part.count("<ol") == 25
    older = re.search(r'href="(\?before=\d+)', part)
    assert older is not None
    rest = client.get(address + older[1], headers={"X-Fragment": "1"}).content.decode()
    assert rest.count("<ol") == 5


def test_who_may_see_and_change_the_webhooks_of_a_workspace(client):
    channel, _ = make(client, "?workspace=team", sweeps=[], personal="")
    assert channel.workspace is not None
    bob, carol, root = make_user("bob"), make_user("carol"), make_user("root", is_superuser=True)
    make_workspace(bob, role=Membership.Role.CONTRIBUTOR)
    make_workspace(carol, name="Elsewhere")
    own, _ = make(signed_in(bob))
    address = f"/webhooks/{channel.public_id}/"
    posts = ("test/", "secret/", "delete/", "deliveries/1/again/", "")

    for person, of_list, of_one in ((bob, 403, 404), (carol, 404, 404), (root, 200, 200)):
        asked = signed_in(person)
        assert asked.get("/workspaces/team/webhooks/").status_code == of_list, person
        assert asked.get("/webhooks/new/?workspace=team").status_code == of_list
        assert asked.get(address).status_code == of_one
        if of_one == 404:
            assert {asked.post(address + part).status_code for part in posts} == {404}
    for asked in (client, signed_in(root)):
        assert asked.get(f"/webhooks/{own.public_id}/").status_code == 404
    assert Client().get(address).status_code == 302
    assert NotificationChannel.objects.count() == 2
    assert "very-secret" not in client.get("/workspaces/team/webhooks/").content.decode()
    assert Client(enforce_csrf_checks=True).post(f"{address}delete/").status_code == 403


def test_email_needs_an_address_that_was_confirmed(client, alice, mail):
    asked = {"email": "on", "events": ["sweep.failed"], "sweeps": ["mine"]}
    assert (
        "Give and confirm"
        in client.post("/account/notifications/", asked, follow=True).content.decode()
    )

    client.post("/account/notifications/address/", {"address": "alice@example.org"})
    url = urlsplit(Delivery.objects.get().notification.body["data"]["url"]).path
    bob = signed_in(make_user("bob"))
    bob.get(url)
    assert make_user("bob").email == ""
    client.get(url)
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"

    client.post("/account/notifications/", asked)
    channel = NotificationChannel.objects.get()
    assert (channel.is_on, channel.events, channel.scopes) == (True, ["sweep.failed"], ["mine"])
    assert "was used already" in client.get(url, follow=True).content.decode()
    wrong = client.post("/account/notifications/address/", {"address": "a@b\nBcc: c@d"})
    assert (wrong.status_code, b"is no e-mail address" in wrong.content) == (422, True)
    wrong = client.post("/account/notifications/", {"email": "on", "events": ["x"]})
    assert (wrong.status_code, b"events has &#x27;x&#x27;" in wrong.content) == (422, True)


def test_links_to_addresses_are_not_sent_without_end(client, mail):
    for n in range(7):
        client.post("/account/notifications/address/", {"address": f"victim{n}@example.org"})

    assert Delivery.objects.count() == 5


def test_the_link_of_an_email_ends_them_for_whoever_has_it(alice):
    alice.email = "alice@example.org"
    alice.save()
    channel = NotificationChannel.objects.create(
        user=alice, kind="email", name="E-mail", events=["sweep.failed"], scopes=["mine"]
    )
    path = urlsplit(stop_url(channel)).path
    guest = Client(enforce_csrf_checks=True)

    assert b"No more e-mails?" in guest.get(path).content
    channel.refresh_from_db()
    assert channel.is_on  # scanners of mail follow links
    assert guest.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    channel.refresh_from_db()
    assert not channel.is_on
    assert guest.post(f"{path[:-3]}x/").status_code == 404
    assert Client().get("/account/notifications/").status_code == 302
