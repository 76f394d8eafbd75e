"""Counts attempts in the cache, within a window that begins with the first of them.

Where Redis does not answer nothing is counted: people must be able to sign in and see what is
wrong.
"""

from __future__ import annotations

import hashlib
import logging
from ipaddress import IPv6Address, ip_address
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

from experiments.client_address import client_address

logger = logging.getLogger(__name__)

_NETWORK_BITS: Final = 64


def count(kind: str, *of: str, seconds: int) -> int:
    """Count one more attempt of a kind by or at somebody; return how many there were."""
    key = _key(kind, of)
    try:
        cache.add(key, 0, seconds)
        return cache.incr(key)
    except ValueError:
        # It ran out between the two calls.
        put(kind, *of, number=1, seconds=seconds)
        return 1
    except RedisError as error:
        logger.warning(
            "Attempts (%s) are not counted, because Redis does not answer: %s", kind, error
        )
        return 1


def put(kind: str, *of: str, number: int, seconds: int) -> None:
    """Set a count, and let its window begin now."""
    try:
        cache.set(_key(kind, of), number, seconds)
    except RedisError as error:
        logger.warning("Attempts (%s) are not stored: %s", kind, error)


def take_back(kind: str, *of: str) -> None:
    """Forget one attempt, because it was none."""
    try:
        cache.decr(_key(kind, of))
    except ValueError:
        return
    except RedisError as error:
        logger.warning("Attempts (%s) are not stored: %s", kind, error)


def network() -> str:
    """Return what counts as one client: an address, or the network that a site gets in IPv6."""
    text = client_address()
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        return f"{int(address) >> (128 - _NETWORK_BITS):x}::/{_NETWORK_BITS}"
    return text


def _key(kind: str, of: tuple[str, ...]) -> str:
    # Hashed: names may be of any length and hold anything.
    digest = hashlib.sha256("\0".join(of).encode("utf-8", "replace")).hexdigest()
    return f"attempts:{kind}:{digest}"
