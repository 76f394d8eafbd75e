"""The one place where services read the time, so that a simulation can run on a clock of its own.

Pure. What measures how long this process has waited for something uses `time.monotonic` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

# A context variable: other threads of the process, such as requests, keep the real time.
_source: ContextVar[Callable[[], datetime] | None] = ContextVar("clock", default=None)


def now() -> datetime:
    """Return the time in UTC: the real one, or that of the simulation this code runs in."""
    source = _source.get()
    return datetime.now(UTC) if source is None else source()


def is_real() -> bool:
    """Tell whether this code runs in the real time, not in a simulation."""
    return _source.get() is None


@contextmanager
def running_on(source: Callable[[], datetime]) -> Iterator[None]:
    """Let `now` ask `source` inside the block."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)
