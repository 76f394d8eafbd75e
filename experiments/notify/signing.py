"""Signatures of webhooks as the Standard Webhooks convention has them, version v1.

The library of that name signs in five lines of the standard library too, and brings an HTTP client
and a date parser along; tests check what is signed here with it.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"


def derive_secret(root: str, key: str) -> str:
    """Return the secret of a webhook: made of the studio's secret key and the webhook's own part.

    So rows alone, such as those of a backup, sign nothing.
    """
    name = f"sweep-studio.webhook.{key}".encode()
    digest = hmac.new(root.encode(), name, hashlib.sha256).digest()
    return PREFIX + b64encode(digest).decode()


def signed_headers(
    secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the three headers of a signed message; one signature for each secret that is valid."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, content) for secret in secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return "v1," + b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
