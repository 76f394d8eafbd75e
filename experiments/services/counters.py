"""What happened so far, counted: added up in Redis by whoever did it, read by /metrics.

Executors come and go with their runs, so no process knows the sums. Counts wait while Redis
is away; nothing here ever raises. A simulation on a clock of its own counts nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import redis
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError

from experiments import clock

KEY: Final = "studio:counters"
REPORTS: Final = "reports"
DELAY_SUM: Final = "report_delay_sum"
TICKS: Final = "ticks"
TICK_SECONDS: Final = "tick_seconds"
LAST_TICK: Final = "last_tick"
# Upper ends in seconds; what took longer is in none of them.
DELAY_BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_TIMEOUT: Final = 1.0
# While Redis is away every call would wait for its timeout.
_PAUSE_AFTER_FAILURE: Final = 2.0
# Reports are many: their counts go out together.
_SEND_SECONDS: Final = 1.0


def state_field(noun: str, state: str, end_reason: str) -> str:
    """Return the name of the count of runs or sweeps that came into a state."""
    return f"{noun}:{state}:{end_reason}"


def delay_field(upto: float) -> str:
    """Return the name of the count of reports in one bucket."""
    return f"report_delay:{upto:g}"


def count_move(noun: str, state: str, end_reason: str) -> None:
    """Count a run or sweep that comes into a state, once the transaction is committed."""
    if clock.is_real():
        amounts = {state_field(noun, state, end_reason): 1}
        transaction.on_commit(partial(_add_and_send, amounts), robust=True)


def count_reports(times: Sequence[np.ndarray[Any, Any]]) -> None:
    """Count reports that are being stored, by when they were made (arrays of Unix seconds)."""
    if clock.is_real():
        transaction.on_commit(partial(_count_delays, times), robust=True)


def _count_delays(arrays: Sequence[np.ndarray[Any, Any]]) -> None:
    times = np.concatenate(arrays)
    delays = np.maximum(time.time() - times, 0.0)
    delays = delays[np.isfinite(delays)]
    places = np.bincount(
        np.searchsorted(DELAY_BUCKETS, delays), minlength=len(DELAY_BUCKETS) + 1
    ).tolist()
    amounts = {delay_field(upto): n for upto, n in zip(DELAY_BUCKETS, places, strict=False) if n}
    _add(amounts | {REPORTS: int(times.size), DELAY_SUM: round(float(delays.sum()), 3)})
    if time.monotonic() - _state.sent_at >= _SEND_SECONDS:
        _send()


def count_tick(seconds: float) -> None:
    """Count a look of the watchdog, and note when it was."""
    _add({TICKS: 1, TICK_SECONDS: round(seconds, 4)})
    _send(last={LAST_TICK: time.time()})


def flush() -> None:
    """Send what has been counted; for processes that end."""
    if _state.waiting:
        _send()


def read(server: redis.Redis) -> dict[str, float]:
    """Return all counts by their names.

    Raises:
        RedisError: the server does not answer.
    """
    raw: Mapping[Any, Any] = server.hgetall(KEY)
    return {name.decode(): float(value) for name, value in raw.items()}


def client() -> redis.Redis:
    """Return a client that waits for a second at most."""
    # Its pool notices a fork and opens connections of its own there.
    url = settings.REDIS_URL
    if url not in _state.clients:
        _state.clients[url] = redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
        )
    return _state.clients[url]


def is_away() -> bool:
    """Tell whether Redis did not answer a moment ago: asking again would only take time."""
    return time.monotonic() < _state.paused_until


def note_away() -> None:
    """Note that Redis did not answer."""
    _state.paused_until = time.monotonic() + _PAUSE_AFTER_FAILURE


def _add_and_send(amounts: Mapping[str, float]) -> None:
    _add(amounts)
    _send()


def _add(amounts: Mapping[str, float]) -> None:
    with _state.lock:
        for name, amount in amounts.items():
            _state.waiting[name] = _state.waiting.get(name, 0) + amount


def _send(last: Mapping[str, float] | None = None) -> None:
    if is_away():
        return
    with _state.lock:
        amounts, _state.waiting = _state.waiting, {}
        _state.sent_at = time.monotonic()
    try:
        with client().pipeline(transaction=False) as pipeline:  # one way there and back
            for name, amount in amounts.items():
                pipeline.hincrbyfloat(KEY, name, amount)
            for name, value in (last or {}).items():
                pipeline.hset(KEY, name, value)
            pipeline.execute()
    except (RedisError, OSError):
        # They wait for the next time; that Redis is away is said where it matters.
        note_away()
        _add(amounts)


class _State:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clients: dict[str, redis.Redis] = {}
        self.waiting: dict[str, float] = {}
        self.sent_at = float("-inf")
        self.paused_until = 0.0


_state: Final = _State()
