"""The slowest queries of all processes, kept in Redis for the administration; no values of them.

A wrapper around every query takes the time: two looks at the clock and a comparison, 0.3 us. Only
what took longer than the threshold costs more. Nothing here ever raises. With SQLite the time is
that until the first row, and the wait for a lock counts in.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import redis
from django.db.backends.base.base import BaseDatabaseWrapper
from redis.exceptions import RedisError

from experiments.services import counters
from experiments.sql_shapes import shape_of

THRESHOLD_SECONDS: Final = 0.2
MOST_KEPT: Final = 50
_KEY: Final = "studio:slow-queries"
_WORST: Final = f"{_KEY}:worst"
_PARTS: Final = ("about", "count", "total")
_KEPT_SECONDS: Final = 7 * 24 * 3600
_ROOT: Final = str(Path(__file__).resolve().parents[2])
_OURS: Final = tuple(f"{_ROOT}/{name}/" for name in ("experiments", "runner", "studio"))
# The route of a request or the name of a job.
_place: ContextVar[str] = ContextVar("slow_query_place", default="")


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """Queries of one shape from one place, as often as they were slow; `code` is who asked."""

    place: str
    code: str
    sql: str
    count: int
    worst: float
    total: float
    last: datetime

    @property
    def mean(self) -> float:
        """Return how long one took on average, of those that were slow."""
        return self.total / max(1, self.count)


def note_place(name: str) -> None:
    """Say what the queries from here on are for: the route of a request, the name of a job."""
    _place.set(name)


def watch(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Take the time of all queries of a connection (a receiver of `connection_created`)."""
    if _timed not in connection.execute_wrappers:
        # In front: whoever adds one for a while takes the last one away again.
        connection.execute_wrappers.insert(0, _timed)


def slowest(server: redis.Redis) -> list[SlowQuery]:
    """Return the slowest queries of the last week, the worst first.

    Raises:
        RedisError: the server does not answer.
    """
    worst: Any = server.zrange(_WORST, 0, -1, desc=True, withscores=True)
    known: Any = server.hgetall(_KEY)
    found = []
    for member, seconds in worst:
        name = member.decode()
        about, count, total = (known.get(f"{name}:{part}".encode()) for part in _PARTS)
        # Somebody else is taking it away, or it was written by a newer version.
        if about is None or count is None or total is None:
            continue
        told = json.loads(about)
        told["last"] = datetime.fromtimestamp(told.pop("at"), UTC)
        found.append(SlowQuery(**told, count=int(count), worst=seconds, total=float(total)))
    since = datetime.fromtimestamp(time.time() - _KEPT_SECONDS, UTC)
    return [query for query in found if query.last > since]


def forget_all(server: redis.Redis) -> None:
    """Begin anew: after a mend one wants to see what is slow still."""
    server.delete(_KEY, _WORST)


def _timed(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    begun = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        seconds = time.perf_counter() - begun
        if seconds >= THRESHOLD_SECONDS:
            _note(str(sql), seconds, context["connection"], failed=sys.exc_info()[0] is not None)


def _note(sql: str, seconds: float, connection: BaseDatabaseWrapper, *, failed: bool) -> None:
    send = partial(_send, shape_of(sql), _place.get(), _code(), seconds)
    if connection.in_atomic_block and not failed:
        # No wait for Redis while others wait for this transaction.
        connection.on_commit(send, robust=True)
    else:
        send()


def _code() -> str:
    """Return the function of ours that asked, "experiments/queries/page.py:rows"."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_OURS) and path != __file__:
            return f"{path[len(_ROOT) + 1 :]}:{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
    return ""


def _send(sql: str, place: str, code: str, seconds: float) -> None:
    if counters.is_away():
        return
    name = hashlib.sha256(f"{place}\n{sql}".encode()).hexdigest()[:16]
    about = {"place": place, "code": code, "sql": sql, "at": time.time()}
    try:
        server = counters.client()
        with server.pipeline(transaction=False) as pipeline:
            pipeline.hset(_KEY, f"{name}:about", json.dumps(about))
            pipeline.hincrby(_KEY, f"{name}:count", 1)
            pipeline.hincrbyfloat(_KEY, f"{name}:total", round(seconds, 4))
            pipeline.zadd(_WORST, {name: seconds}, gt=True)
            pipeline.zcard(_WORST)
            pipeline.expire(_KEY, _KEPT_SECONDS)
            pipeline.expire(_WORST, _KEPT_SECONDS)
            kept = pipeline.execute()[4]
        if kept > MOST_KEPT:
            _drop(server, kept - MOST_KEPT)
    except (RedisError, OSError):
        counters.note_away()


def _drop(server: redis.Redis, count: int) -> None:
    """Take the least slow ones away."""
    dropped: Any = server.zpopmin(_WORST, count)
    fields = [f"{member.decode()}:{part}" for member, _ in dropped for part in _PARTS]
    if fields:
        server.hdel(_KEY, *fields)
