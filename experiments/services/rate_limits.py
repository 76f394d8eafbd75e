"""Counts requests in Redis: so many a minute for each name, refilled evenly.

A limit protects the studio from a loop gone wild. Where Redis does not answer nobody is limited.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

_TIMEOUT: Final = 0.5
_PAUSE_AFTER_FAILURE: Final = 5.0
_WINDOW: Final = 60.0
# Keeps the moment at which the whole quota is there again. Redis runs a script as one command and
# its clock is the same for every process.
_TAKE: Final = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local cost, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local next = full + cost
if next - now > window + 0.000001 then
    return {0, tostring(full - now), tostring(next - now - window)}
end
redis.call('SET', KEYS[1], string.format('%.6f', next), 'EX', math.ceil(window) + 1)
return {1, tostring(next - now), '0'}
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left for a name. `reset`: seconds until everything is; `wait`: until one more is."""

    limit: int
    remaining: int
    reset: int
    wait: int
    is_allowed: bool


class _State:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.scripts: dict[str, Any] = {}
        self.paused_until = 0.0


_state: Final = _State()


def take(name: str, per_minute: int) -> Allowance | None:
    """Take one request out of the quota of a name; None: it has no limit, or Redis is away."""
    if per_minute <= 0 or time.monotonic() < _state.paused_until:
        return None
    cost = _WINDOW / per_minute
    try:
        allowed, used, wait = _script()(keys=[f"studio:rate:{name}"], args=[cost, _WINDOW])
    except (redis.RedisError, OSError) as error:
        _state.paused_until = time.monotonic() + _PAUSE_AFTER_FAILURE
        logger.warning("requests are not counted: %s", error)
        return None
    left = max(0.0, _WINDOW - float(used))
    return Allowance(
        limit=per_minute,
        # What is refilled between two looks at the clock is not a whole request.
        remaining=math.floor(left / cost + 1e-6),
        reset=math.ceil(float(used)),
        wait=max(1, math.ceil(float(wait))) if not allowed else 0,
        is_allowed=bool(allowed),
    )


def _script() -> Any:
    # One client per address; its pool notices a fork and opens connections of its own there.
    url = settings.REDIS_URL
    with _state.lock:
        if url not in _state.scripts:
            client = redis.Redis.from_url(
                url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
            )
            _state.scripts[url] = client.register_script(_TAKE)
        return _state.scripts[url]
