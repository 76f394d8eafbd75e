"""Addresses in messages that leave the studio: whole, and signed where they act by themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.urls import reverse

from experiments.models import NotificationChannel

_STOP_SALT: Final = "experiments.notifications.stop"
_ADDRESS_SALT: Final = "experiments.notifications.address"
_ADDRESS_SECONDS: Final = 24 * 3600


def absolute(path: str) -> str:
    """Return a path of the studio as an address for people elsewhere.

    In a thread `reverse` knows no prefix, so it is added here where it is missing.
    """
    base = settings.STUDIO_BASE_PATH
    if base and not path.startswith(f"{base}/"):
        path = base + path
    parts = urlsplit(settings.STUDIO_PUBLIC_URL or _noted_url())
    return f"{parts.scheme}://{parts.netloc}{path}" if parts.netloc else path


def stop_url(channel: NotificationChannel) -> str:
    """Return the address that ends the e-mails of a person, without signing in."""
    token = signing.dumps(channel.public_id, salt=_STOP_SALT)
    return absolute(reverse("notifications_stop", args=[token]))


def channel_to_stop(token: str) -> NotificationChannel | None:
    """Return the channel that the token of such an address ends."""
    try:
        public_id = signing.loads(token, salt=_STOP_SALT)
    except signing.BadSignature:
        return None
    return NotificationChannel.objects.filter(public_id=public_id).first()


@dataclass(frozen=True, slots=True)
class NewAddress:
    """An address that somebody wants their e-mail at."""

    user: int
    address: str
    instead_of: str


def address_url(user: User, address: str) -> str:
    """Return what confirms a new e-mail address of a person, signed in, within a day."""
    content = [user.pk, address, user.email]
    token = signing.dumps(content, salt=_ADDRESS_SALT)
    return absolute(reverse("notifications_confirm", args=[token]))


def read_address(token: str) -> NewAddress | None:
    """Return what such a token says; None when it is forged or too old."""
    try:
        user, address, instead_of = signing.loads(
            token, salt=_ADDRESS_SALT, max_age=_ADDRESS_SECONDS
        )
    except signing.BadSignature:
        return None
    return NewAddress(user, address, instead_of)


def _noted_url() -> str:
    try:
        noted = json.loads((settings.STUDIO_HOME / "address.json").read_text())
        return str(noted["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
