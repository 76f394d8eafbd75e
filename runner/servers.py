"""Wait for the servers that a process of the studio needs, when they are away as it starts.

A server that is being started again takes a moment; giving up at once, again and again, would make
the supervisor give up the whole studio.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import django_rq
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from redis.exceptions import RedisError

_PAUSE_SECONDS = 1.0


def wait_for_servers(say: Callable[[str], object]) -> None:
    """Return when database and Redis answer, or after STUDIO_SERVER_SECONDS: then others say why.

    Says once what it waits for.
    """
    deadline = time.monotonic() + settings.STUDIO_SERVER_SECONDS
    said = False
    while problem := _problem():
        if time.monotonic() > deadline:
            return
        if not said:
            said = True
            say(f"{problem}; waiting up to {settings.STUDIO_SERVER_SECONDS} s for it.")
        time.sleep(_PAUSE_SECONDS)


def _problem() -> str:
    """Return which server does not answer and why; "" when both do."""
    try:
        connection.ensure_connection()
    except (OperationalError, InterfaceError) as error:
        return f"The database does not answer ({_line(error)})"
    try:
        django_rq.get_connection("default").ping()
    except (RedisError, OSError) as error:
        return f"The Redis-protocol server does not answer ({_line(error)})"
    return ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
