"""Sending for real: signatures, retries, limits, addresses inside, crashes, e-mail, digests."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from standardwebhooks.webhooks import Webhook

from experiments import clock
from experiments.models import Delivery, DeliveryAttempt, Notification, NotificationChannel
from experiments.notify.addresses import AddressRefused, read_url, resolve
from experiments.notify.kinds import EVENTS
from experiments.notify.posting import post
from experiments.notify.waits import MOST_ATTEMPTS
from experiments.problems import ProblemsError
from experiments.services.notification_channels import (
    ChannelFields,
    change_channel,
    create_webhook,
    redeliver,
    rotate_secret,
    test_channel,
)
from experiments.services.notification_sending import LEASE, _claim
from experiments.services.refused import Refused
from tests.factories import make_user
from tests.receivers import receiver
from tests.services.outbox import end_sweep, make_due, send_all, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def web():
    with receiver() as kept:
        yield kept


@pytest.fixture
def inside(settings):
    settings.STUDIO_WEBHOOK_PRIVATE = True


def hook(url: str, kind: str = "webhook") -> tuple[NotificationChannel, str]:
    fields = ChannelFields(name="hook", url=url, events=list(EVENTS), scopes=["mine"])
    return create_webhook(kind, fields, user=make_user(), workspace=None)


def test_a_signed_webhook_is_what_the_library_of_the_convention_accepts(web, inside):
    channel, secret = hook(web.url)
    end_sweep()

    assert send_all() == 1

    (sent,) = web.posts
    said = Webhook(secret).verify(sent.body, {k.lower(): v for k, v in sent.headers.items()})
    assert said["type"] == "sweep.finished"
    assert sent.headers["webhook-id"] == Notification.objects.get().public_id
    assert sent.path == "/hook/a-secret-path"
    assert (states(), send_all()) == (["sent"], 0)
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.status, attempt.answer, attempt.error) == (200, "ok", "")
    assert 0 < attempt.duration < 60
    channel.refresh_from_db()
    assert channel.failing_since is None


def test_two_secrets_sign_while_one_takes_the_place_of_the_other(web, inside):
    channel, old = hook(web.url)
    new = rotate_secret(channel)
    end_sweep()
    send_all()

    (sent,) = web.posts
    headers = {key.lower(): value for key, value in sent.headers.items()}
    assert old != new
    assert Webhook(old).verify(sent.body, headers) == Webhook(new).verify(sent.body, headers)
    NotificationChannel.objects.update(previous_until=clock.now())
    end_sweep()
    send_all()
    assert len(web.posts[1].headers["webhook-signature"].split()) == 1


def test_what_fails_is_tried_again_later_with_the_same_id_and_body(web, inside):
    channel, _ = hook(web.url)
    web.answers = [(500, {}, b"oh no\r\n<b>"), (429, {"Retry-After": "3600"}, b"")]
    end_sweep()

    assert send_all() == 1
    first = Delivery.objects.get()
    assert (first.outcome, first.tries, first.error) == ("waiting", 1, "It answered 500 Internal "
        "Server Error.")  # fmt: skip
    assert timedelta(seconds=5) < first.due_at - clock.now() < timedelta(seconds=15)
    channel.refresh_from_db()
    assert channel.failing_since is not None
    assert send_all() == 0  # not yet
    make_due()
    assert send_all() == 1
    assert Delivery.objects.get().due_at - clock.now() > timedelta(minutes=55)
    make_due()
    assert send_all() == 1

    assert states() == ["sent"]
    assert len({(post.headers["webhook-id"], post.body) for post in web.posts}) == 1
    attempts = DeliveryAttempt.objects.order_by("number")
    assert [(one.number, one.status) for one in attempts] == [(1, 500), (2, 429), (3, 200)]
    assert attempts[0].answer == "oh no <b>"
    channel.refresh_from_db()
    assert channel.failing_since is None


def test_a_delivery_is_given_up_and_may_be_sent_again_by_hand(web, inside):
    channel, _ = hook(web.url)
    web.answers = [(503, {}, b"")] * MOST_ATTEMPTS
    end_sweep()
    for _ in range(MOST_ATTEMPTS):
        make_due()
        send_all()

    assert states() == ["failed"]
    channel.refresh_from_db()
    assert channel.is_on  # one bad day is no reason
    redeliver(Delivery.objects.get())
    with pytest.raises(Refused):
        redeliver(Delivery.objects.get())
    assert (send_all(), states()) == (1, ["sent"])


def test_a_receiver_that_is_gone_or_fails_for_days_is_turned_off(web, inside):
    gone, _ = hook(web.url)
    web.answers = [(410, {}, b"")]
    end_sweep()
    end_sweep()
    send_all()
    gone.refresh_from_db()

    assert (gone.is_on, states()) == (False, ["failed", "failed"])
    assert "410" in gone.off_reason
    change_channel(gone, ChannelFields(is_on=True))
    web.answers = [(500, {}, b"")]
    end_sweep()
    NotificationChannel.objects.update(failing_since=clock.now() - timedelta(days=6))
    Delivery.objects.filter(outcome="waiting").update(tries=MOST_ATTEMPTS - 1)
    send_all()
    gone.refresh_from_db()
    assert not gone.is_on
    assert "Nothing has reached it since" in gone.off_reason


def test_whoever_dies_between_claim_and_result_leaves_it_to_be_sent(web, inside):
    hook(web.url)
    end_sweep()
    assert _claim(Delivery.objects.get())  # and the process is killed here

    assert send_all() == 0
    assert not _claim(Delivery(pk=Delivery.objects.get().pk, due_at=clock.now()))
    Delivery.objects.update(due_at=Delivery.objects.get().due_at - LEASE)
    assert send_all() == 1
    assert (states(), len(web.posts)) == (["sent"], 1)


def test_redirects_are_not_followed(web, inside):
    hook(web.url)
    web.answers = [(302, {"Location": f"http://127.0.0.1:{web.port}/elsewhere"}, b"")]
    end_sweep()

    send_all()

    assert [post.path for post in web.posts] == ["/hook/a-secret-path"]
    assert "redirects are not followed" in Delivery.objects.get().error


def test_addresses_inside_are_refused_when_typed_and_when_a_name_leads_there(web, monkeypatch):
    with pytest.raises(ProblemsError, match="private network"):
        hook(web.url)
    answers(monkeypatch, "127.0.0.1")
    hook(f"http://hooks.example.org:{web.port}/")
    end_sweep()

    send_all()

    assert (web.posts, states()) == ([], ["failed"])  # at once: trying again changes nothing
    assert "hooks.example.org (127.0.0.1) is an address of this machine" in (
        Delivery.objects.get().error
    )


def test_one_address_inside_among_others_is_enough_to_refuse(monkeypatch):
    answers(monkeypatch, "8.8.8.8", "10.0.0.1")

    with pytest.raises(AddressRefused):
        resolve(read_url("http://hooks.example.org/", allow_private=False), allow_private=False)


def test_the_connection_goes_to_the_address_that_was_checked(web, monkeypatch):
    """A name server that changes its answer after the check gains nothing: it is asked once."""
    asked = answers(monkeypatch, "127.0.0.1")
    target = read_url(f"http://hooks.example.org:{web.port}/a", allow_private=True)

    answer = post(target, b"{}", {}, allow_private=True)

    assert (answer.status, asked) == (200, ["hooks.example.org"])
    assert web.posts[0].headers["Host"] == f"hooks.example.org:{web.port}"


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let names lead to these addresses; return the list of names that are asked for."""
    real, asked = socket.getaddrinfo, []

    def found(host: str, port: Any, *words: Any, **options: Any) -> Any:
        if host not in addresses:
            asked.append(host)
            kind = socket.SOCK_STREAM
            return [(socket.AF_INET, kind, 6, "", (address, port)) for address in addresses]
        return real(host, port, *words, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


def test_a_receiver_that_drips_or_talks_for_ever_is_cut_off(web):
    target = read_url(web.url, allow_private=True)
    web.answers = [(200, {}, b"x" * 3_000_000)]

    assert len(post(target, b"{}", {}, allow_private=True).text) == 300
    web.is_slow = True
    answer = post(target, b"{}", {}, allow_private=True, timeout=0.3)
    assert answer.error == "No answer within 0.3 s."
    assert answer.duration < 30


def test_what_is_no_web_server_is_told_in_words():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    target = read_url(f"http://127.0.0.1:{port}/", allow_private=True)
    secure = read_url(f"https://127.0.0.1:{port}/", allow_private=True)

    assert post(target, b"", {}, allow_private=True).error == "Connection refused."
    assert post(secure, b"", {}, allow_private=True).error == "Connection refused."


def test_slack_gets_a_line_and_what_ends_together_comes_together(web, inside):
    hook(web.url, "slack")
    end_sweep("one <b>", lr=0.5)
    make_due()
    send_all()
    for name in ("two", "three"):
        end_sweep(name)
    make_due()
    assert send_all() == 0  # they wait for a moment
    make_due(timedelta(seconds=11))
    assert send_all() == 2

    texts = [json.loads(post.body)["text"] for post in web.posts]
    assert "one &lt;b&gt;: completed, best accuracy 0.5>*\nAll ended.\nlr=0.5" in texts[0]
    assert [line.split("|")[1] for line in texts[1].splitlines()] == [
        "two: completed, best accuracy 0.5>*",
        "three: completed, best accuracy 0.5>*",
    ]
    assert all("webhook-signature" not in post.headers for post in web.posts)
    assert states() == ["sent"] * 3


def test_tests_go_through_channels_that_are_off_and_not_too_often(web, inside):
    channel, _ = hook(web.url)
    change_channel(channel, ChannelFields(is_on=False))
    for _ in range(6):
        test_channel(channel)
    with pytest.raises(Refused):
        test_channel(channel)

    assert send_all() == 6
    assert {json.loads(post.body)["type"] for post in web.posts} == {"test"}


def test_a_secret_is_nowhere_in_the_rows(inside):
    channel, secret = hook("https://hooks.example.org/a")

    texts = {str(value) for value in NotificationChannel.objects.values().get().values()}

    assert secret.startswith("whsec_")
    assert not any(secret.removeprefix("whsec_") in text for text in texts)
    assert channel.secret_key in texts
    assert django_settings.SECRET_KEY not in texts
