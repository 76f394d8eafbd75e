"""The doctor at what runs beside the web server and around it: scheduler, messenger, mail, TLS."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from studio import env
from studio.doctor_finding import Seen, warned

# The watchdog looks every five seconds, the messenger every second.
_SILENT_SECONDS: Final = 60.0
_LATE: Final = timedelta(minutes=2)
_MAIL_LATELY: Final = timedelta(days=1)
_MAIL_TRIES: Final = 3
_LOG: Final = "Look into logs/watchdog.log of the data folder"


def scheduler() -> Seen:
    """The watchdog, which starts runs and gives lost ones up, has looked a moment ago."""
    from redis.exceptions import RedisError

    from experiments.formats import format_duration
    from experiments.services import counters

    try:
        known = counters.read(counters.client())
    except (RedisError, OSError):
        return Seen("not known: Redis does not answer", "Mend Redis first.")
    last, looks = known.get(counters.LAST_TICK, 0.0), known.get(counters.TICKS, 0.0)
    why = "Nothing starts, and no lost run is given up."
    if not last:
        return Seen("has not looked yet", "Start the studio: `studio up`.", why)
    ago = max(0.0, time.time() - last)
    if ago > _SILENT_SECONDS:
        text = f"looked {format_duration(ago)} ago for the last time"
        return Seen(text, f"{_LOG}, and start the studio again: `studio up`.", why)
    mean = known.get(counters.TICK_SECONDS, 0.0) / max(1.0, looks)
    return Seen(f"looked {ago:.0f} s ago; a look takes {1000 * mean:.0f} ms")


def messenger() -> Seen:
    """Whatever is to be told or sent is on its way within minutes."""
    from django.utils import timezone

    from experiments.models import Delivery, Notification

    before = timezone.now() - _LATE
    unspread = Notification.objects.filter(spread_at__isnull=True, created_at__lt=before).count()
    due = Delivery.objects.filter(outcome=Delivery.Outcome.WAITING, due_at__lt=before).count()
    if not unspread and not due:
        return Seen("nothing waits for long")
    text = f"{unspread + due} notifications wait for more than {_LATE.seconds // 60} minutes"
    why = "E-mails and webhooks come late or not at all."
    return warned(text, f"{_LOG}, which sends them.", why)


def mail() -> Seen:
    """The mail server, where there is one, took one of the last messages."""
    from django.conf import settings

    server = settings.STUDIO_MAIL_SERVER
    if server is None:
        return Seen("none set (STUDIO_EMAIL_URL): nobody gets e-mail from the studio")
    refused = mail_refused()
    if refused:
        cure = "Correct STUDIO_EMAIL_URL, or ask whoever runs the mail server."
        why = "Nobody gets e-mail from the studio."
        return warned(f"{server.host}:{server.port}: {refused}", cure, why)
    return Seen(f"messages go to {server.host}:{server.port}")


def mail_refused() -> str:
    """Return why the last three messages of a day were not sent; "" when one was, or none."""
    from django.utils import timezone

    from experiments.models import DeliveryAttempt, NotificationChannel

    tries = DeliveryAttempt.objects.filter(
        delivery__channel__kind=NotificationChannel.Kind.EMAIL,
        began_at__gt=timezone.now() - _MAIL_LATELY,
    ).order_by("-pk")
    errors = list(tries.values_list("error", flat=True)[:_MAIL_TRIES])
    # One of them may have had a wrong address.
    return errors[0] if len(errors) == _MAIL_TRIES and all(errors) else ""


def tls() -> Seen:
    """People who come from other machines come over TLS."""
    from studio.doctor_address import public_url

    url = env.text("STUDIO_PUBLIC_URL").rstrip("/") or public_url()
    if not url:
        return Seen("the address of the studio is not known")
    parts = urlsplit(url)
    if parts.scheme == "https":
        return Seen(f"people come by {url}")
    if _is_here(parts.hostname or ""):
        return Seen(f"not needed: {url} is reached from this machine alone")
    cure = "Put a proxy with TLS in front (docs/deploy.md), and set STUDIO_PUBLIC_URL to https://."
    return warned(f"people come by {url}", cure, "Passwords and tokens are readable on the way.")


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
