"""A value that is read at most once in some seconds, with one read for all who ask. Pure."""

from __future__ import annotations

import mmap
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_BYTES: Final = 8


class Remembered(Generic[T]):
    """What `read` answered last, for some seconds; made for settings that many places ask for.

    Processes that were forked from the one in which it was made forget together.
    """

    def __init__(self, read: Callable[[], T], *, seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = threading.Lock()
        self._last: T | None = None
        self._until = float("-inf")
        # When it was forgotten last by any of them, and when as of `last`.
        self._forgotten = mmap.mmap(-1, _BYTES)
        self._known = bytes(_BYTES)

    def value(self) -> T:
        """Return the value, read again if it is too old; raises whatever the reading raises."""
        forgotten = self._forgotten[:]
        with self._lock:
            is_current = time.monotonic() < self._until and forgotten == self._known
            if self._last is not None and is_current:
                return self._last
        found = self._read()
        self._keep(found, self._seconds, forgotten)
        return found

    def last(self) -> T | None:
        """Return what was known last, however old; None when nothing ever was."""
        return self._last

    def keep(self, value: T, *, seconds: float | None = None) -> None:
        """Answer this from now on, for as long as always or for so many seconds."""
        self._keep(value, self._seconds if seconds is None else seconds, self._forgotten[:])

    def forget(self) -> None:
        """Read again when next asked."""
        self._forgotten[:] = time.monotonic_ns().to_bytes(_BYTES, "little")

    def _keep(self, value: T, seconds: float, forgotten: bytes) -> None:
        with self._lock:
            self._last = value
            self._until = time.monotonic() + seconds
            self._known = forgotten
