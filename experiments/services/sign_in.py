"""Checking a name and a password, with a pause after too many failures.

Attempts are counted in the cache before the password is looked at, so that guesses sent at the
same moment cannot pass the limit together. Unknown names are counted like known ones.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Final

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

MAX_FAILURES: Final = 5
PAUSE_SECONDS: Final = 15 * 60


class SignInPausedError(Exception):
    """Too many failures with this name; even the right password waits."""


def sign_in_with_password(request: HttpRequest, *, username: str, password: str) -> User | None:
    """Return the person, or None when the pair is wrong.

    Raises:
        SignInPausedError: five failures within a quarter of an hour.
    """
    key = _attempts_key(username)
    attempts = _count_attempt(key)
    if attempts > MAX_FAILURES:
        raise SignInPausedError
    user = authenticate(request, username=username, password=password)
    if isinstance(user, User):
        _set_attempts(key, 0)
        return user
    if attempts == MAX_FAILURES:
        # The pause starts with the last failure, not with the first.
        _set_attempts(key, MAX_FAILURES)
        raise SignInPausedError
    return None


def _attempts_key(username: str) -> str:
    digest = hashlib.sha256(username.strip().casefold().encode()).hexdigest()
    return f"sign-in-attempts:{digest}"


def _count_attempt(key: str) -> int:
    try:
        cache.add(key, 0, PAUSE_SECONDS)
        return cache.incr(key)
    except ValueError:
        # It ran out between the two calls.
        _set_attempts(key, 1)
        return 1
    except RedisError as error:
        # People must be able to sign in and see what is wrong while Redis is away.
        logger.warning("Sign-in attempts are not counted, because Redis does not answer: %s", error)
        return 1


def _set_attempts(key: str, attempts: int) -> None:
    try:
        cache.set(key, attempts, PAUSE_SECONDS)
    except RedisError as error:
        logger.warning("Sign-in attempts are not stored: %s", error)
