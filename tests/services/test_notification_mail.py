"""Notifications by e-mail, to a real mail server: what they say, digests, refusals."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from experiments.models import Delivery, DeliveryAttempt, Notification
from experiments.notify.mail_server import MailServer
from experiments.services.notification_channels import email_channel_of, set_email, test_channel
from tests.factories import make_user
from tests.receivers import mail_server
from tests.services.outbox import end_sweep, make_due, send_all, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    user = make_user("alice")
    user.email = "alice@example.org"
    user.save()
    return user


@pytest.fixture
def mail(settings):
    with mail_server() as box:
        sender = "Studio <studio@example.org>"
        settings.STUDIO_MAIL_SERVER = MailServer("127.0.0.1", box.port, sender)
        settings.STUDIO_PUBLIC_URL = "https://studio.example.org"
        yield box


def test_an_email_says_what_happened_and_how_to_end_it(mail, alice):
    set_email(alice, is_on=True, events=["sweep.finished"], scopes=["mine"])
    end_sweep("digits Bcc: evil@example.org <b>", lr=0.5)
    make_due()

    assert send_all() == 1

    (sent,) = mail.mails
    assert mail.recipients == ["alice@example.org"]
    assert (sent["To"], sent["From"], sent["Bcc"]) == (
        "alice@example.org", "Studio <studio@example.org>", None
    )  # fmt: skip
    assert sent["Subject"] == (
        "[Sweep Studio] digits Bcc: evil@example.org <b>: completed, best accuracy 0.5"
    )
    plain = sent.get_body(("plain",)).get_content()
    html = sent.get_body(("html",)).get_content()
    assert "  lr = 0.5" in plain
    assert "https://studio.example.org/sweeps/HD_" in plain
    assert "&lt;b&gt;: completed" in html
    assert "<b>" not in html
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop = sent["List-Unsubscribe"].strip(" <>")
    assert stop.startswith("https://studio.example.org/notifications/stop/")
    assert stop in plain
    assert Notification.objects.get().public_id in sent["Message-ID"]


def test_many_ends_are_one_email_a_minute(mail, alice):
    set_email(alice, is_on=True, events=["sweep.finished"], scopes=["mine"])
    for n in range(30):
        end_sweep(f"sweep {n}")
    make_due()

    assert send_all() == 30
    end_sweep("late")
    make_due()
    assert send_all() == 0
    make_due(timedelta(seconds=61))
    assert send_all() == 1
    assert [sent["Subject"] for sent in mail.mails] == [
        "[Sweep Studio] 30 notifications",
        "[Sweep Studio] late: completed, best accuracy 0.5",
    ]
    assert mail.mails[0].get_body(("plain",)).get_content().count("Best run") == 30
    assert DeliveryAttempt.objects.first().answer == "taken by 127.0.0.1 (one message with 29 more)"


def test_mail_that_is_refused_is_given_up_and_a_server_that_is_away_is_asked_again(
    mail, alice, settings
):
    channel = email_channel_of(alice)
    mail.refusal = "550 no such person"
    test_channel(channel)
    send_all()

    assert (states(), Delivery.objects.get().error) == (["failed"], "550 no such person")
    set_email(alice, is_on=True, events=["sweep.finished"], scopes=["mine"])
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.STUDIO_MAIL_SERVER = MailServer("127.0.0.1", port, "studio@example.org")
    end_sweep()
    make_due()
    send_all()
    assert states() == ["failed", "waiting"]
    settings.STUDIO_MAIL_SERVER = None
    make_due()
    send_all()
    assert "STUDIO_EMAIL_URL is not set" in Delivery.objects.first().error
