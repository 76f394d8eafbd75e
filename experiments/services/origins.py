"""Which request a sweep comes from, for the log: kept in Redis, since ticks advance sweeps as well.

Of no use to anything else, so it may be lost, and nothing here ever raises.
"""

from __future__ import annotations

from typing import Final

from redis.exceptions import RedisError

from experiments import clock, log_context
from experiments.services import counters

_KEPT_SECONDS: Final = 30 * 24 * 3600


def keep_origin(sweep_id: int) -> None:
    """Note that the request of this code wants something of a sweep."""
    request_id = log_context.request_id()
    if not request_id or counters.is_away():
        return
    try:
        counters.client().set(_key(sweep_id), request_id, ex=_KEPT_SECONDS)
    except (RedisError, OSError):
        counters.note_away()


def origin_of(sweep_id: int) -> str:
    """Return the request that this code works for, or the last that wanted something of a sweep."""
    request_id = log_context.request_id()
    if request_id or counters.is_away() or not clock.is_real():
        return request_id
    try:
        kept = counters.client().get(_key(sweep_id))
    except (RedisError, OSError):
        counters.note_away()
        return ""
    return kept.decode() if isinstance(kept, bytes) else ""


def _key(sweep_id: int) -> str:
    return f"studio:origin:{sweep_id}"
