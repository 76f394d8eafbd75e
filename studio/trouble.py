"""What of the studio does not work now, in sentences for the top of every page.

Looked at once in some seconds, however many pages ask; never asks the database, without which there
is no page at all (`studio/failing.py` speaks then).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from redis import Redis
from redis.exceptions import RedisError

from experiments.formats import format_filesize
from runner.quotas import free_bytes
from studio.kept import Kept

logger = logging.getLogger(__name__)

KEEP_SECONDS: Final = 5.0
# A page waits for no server longer than this.
_ANSWER_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that does not work: what, and what follows from it for those who look at pages."""

    what: str
    effect: str


class Watch(Kept[tuple[Trouble, ...]]):
    """The last look, kept for some seconds; a page waits for nobody else's."""

    def __init__(self, look: Callable[[], tuple[Trouble, ...]]) -> None:
        super().__init__(look, KEEP_SECONDS, first=())

    def troubles(self) -> tuple[Trouble, ...]:
        """Return what does not work, as of some seconds ago at most."""
        return self.value()


def look() -> tuple[Trouble, ...]:
    """Ask Redis and the disk now."""
    return tuple(trouble for trouble in (_of_redis(), _of_disk()) if trouble is not None)


def context(request: HttpRequest) -> dict[str, Any]:
    """Give templates `troubles`, which looks only when a page asks."""
    return {"troubles": WATCH.troubles}


def _of_redis() -> Trouble | None:
    options = {"socket_connect_timeout": _ANSWER_SECONDS, "socket_timeout": _ANSWER_SECONDS}
    try:
        with Redis.from_url(settings.REDIS_URL, **options) as redis:
            redis.ping()
    except (RedisError, OSError) as error:
        logger.warning("Redis does not answer: %s", error)
        return Trouble(
            "Redis does not answer.",
            "Runs that work go on; no other one starts until it is back, and pages ask for news "
            "every few seconds.",
        )
    return None


def _of_disk() -> Trouble | None:
    wanted = settings.STUDIO_MIN_FREE_BYTES
    free = min(free_bytes(settings.STUDIO_HOME), free_bytes(settings.STUDIO_STORAGE_ROOT))
    if free >= wanted:
        return None
    return Trouble(
        f"The disk of the studio is full: {format_filesize(free)} are free.",
        f"Workers take no runs until there are {format_filesize(wanted)}. Runs that work go on; "
        "what they report may come late.",
    )


WATCH: Final = Watch(look)
