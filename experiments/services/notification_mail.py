"""Notifications as e-mail: plain and simple HTML, with a way out in every one of them."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from experiments.models import Delivery, NotificationChannel
from experiments.notify.kinds import EventKind
from experiments.notify.mail_server import MailServer
from experiments.notify.posting import Answer
from experiments.notify.texts import Reading, digest_title, one_line, plain_text, reading_of
from experiments.services.notification_links import absolute, stop_url
from experiments.services.smtp import backend_of

_RULE: Final = f"\n\n{'-' * 40}\n\n"
_NO_SERVER: Final = "This studio sends no e-mail: STUDIO_EMAIL_URL is not set."


def send_mail(channel: NotificationChannel, deliveries: Sequence[Delivery]) -> Answer:
    """Send one e-mail about deliveries to the person of a channel; never raises for the server."""
    begin = time.monotonic()
    server = settings.STUDIO_MAIL_SERVER
    if server is None:
        return Answer(0.0, error=_NO_SERVER)
    message = _message(channel, deliveries, server)
    if not message.to[0]:
        return Answer(0.0, error="The account has no e-mail address.", is_final=True)
    error, is_final = "", False
    try:
        backend_of(server).send_messages([message])
    except smtplib.SMTPResponseException as refusal:
        said = refusal.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        error, is_final = f"{refusal.smtp_code} {text}", 500 <= refusal.smtp_code < 600
    except smtplib.SMTPRecipientsRefused as refusal:
        code, said = next(iter(refusal.recipients.values()))
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        error, is_final = f"{code} {text}", 500 <= code < 600
    except (OSError, smtplib.SMTPException) as problem:
        error = f"{server.host} takes no mail: {problem}"
    duration = time.monotonic() - begin
    text = "" if error else f"taken by {server.host}"
    return Answer(duration, text=text, error=one_line(error), is_final=is_final)


def _message(
    channel: NotificationChannel, deliveries: Sequence[Delivery], server: MailServer
) -> EmailMultiAlternatives:
    bodies = [delivery.notification.body or {} for delivery in deliveries]
    readings = [reading_of(body) for body in bodies]
    data = bodies[0].get("data", {})
    is_address = bodies[0].get("type") == EventKind.ADDRESS
    to = data["address"] if is_address else (channel.user.email if channel.user else "")
    headers = {
        "Message-ID": _message_id(deliveries, server),
        "Auto-Submitted": "auto-generated",
    }
    stop = settings_url = ""
    if not is_address:
        stop, settings_url = stop_url(channel), absolute(reverse("notifications"))
        # RFC 8058: mail programs show a button that asks nobody anything.
        headers["List-Unsubscribe"] = f"<{stop}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    title = digest_title(readings)
    message = EmailMultiAlternatives(
        subject=one_line(f"[Sweep Studio] {title}", 200),
        body=_plain(readings, stop, settings_url),
        from_email=server.sender,
        to=[to],
        headers=headers,
    )
    context: dict[str, Any] = {
        "title": title,
        "readings": readings,
        "stop_url": stop,
        "settings_url": settings_url,
    }
    html = render_to_string("experiments/notification_mail.html", context)
    message.attach_alternative(html, "text/html")
    return message


def _message_id(deliveries: Sequence[Delivery], server: MailServer) -> str:
    # Made of what is told: a mail program that gets it twice shows it once.
    first = deliveries[0]
    host = server.sender.rpartition("@")[2].strip("<> ") or "localhost"
    return f"<{first.notification.public_id}.{first.pk}.{len(deliveries)}@{host}>"


def _plain(readings: Sequence[Reading], stop: str, settings_url: str) -> str:
    text = _RULE.join(plain_text(reading) for reading in readings)
    if settings_url:
        text += f"{_RULE}What you are told of: {settings_url}\nNo more e-mails: {stop}"
    return text + "\n"
