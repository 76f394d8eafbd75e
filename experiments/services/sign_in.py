"""Checking a name and a password, with a pause after too many failures.

Attempts are counted in the cache before the password is looked at, so that guesses sent at the
same moment cannot pass the limit together. Unknown names are counted like known ones.
"""

from __future__ import annotations

import hashlib
from typing import Final

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest

MAX_FAILURES: Final = 5
PAUSE_SECONDS: Final = 15 * 60


class SignInPaused(Exception):
    """Too many failures with this name; even the right password waits."""


def sign_in_with_password(request: HttpRequest, *, username: str, password: str) -> User | None:
    """Return the person, or None when the pair is wrong.

    Raises:
        SignInPaused: five failures within a quarter of an hour.
    """
    key = _attempts_key(username)
    attempts = _count_attempt(key)
    if attempts > MAX_FAILURES:
        raise SignInPaused
    user = authenticate(request, username=username, password=password)
    if isinstance(user, User):
        cache.delete(key)
        return user
    if attempts == MAX_FAILURES:
        # The pause starts with the last failure, not with the first.
        cache.touch(key, PAUSE_SECONDS)
        raise SignInPaused
    return None


def _attempts_key(username: str) -> str:
    digest = hashlib.sha256(username.strip().casefold().encode()).hexdigest()
    return f"sign-in-attempts:{digest}"


def _count_attempt(key: str) -> int:
    cache.add(key, 0, PAUSE_SECONDS)
    try:
        return cache.incr(key)
    except ValueError:
        # It ran out between the two calls.
        cache.set(key, 1, PAUSE_SECONDS)
        return 1
