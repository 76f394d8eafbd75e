"""A value that is read again when it is some seconds old: one read for all who ask. Pure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """What `read` answered last, for some seconds; made for settings that many places ask for."""

    def __init__(self, read: Callable[[], T], *, seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = threading.Lock()
        self._last: T | None = None
        self._until = float("-inf")

    def value(self) -> T:
        """Return the value, read again if it is too old; raises whatever the reading raises."""
        with self._lock:
            if self._last is not None and time.monotonic() < self._until:
                return self._last
        found = self._read()
        self.keep(found)
        return found

    def last(self) -> T | None:
        """Return what was known last, however old; None when nothing ever was."""
        return self._last

    def keep(self, value: T, *, seconds: float | None = None) -> None:
        """Answer this from now on, for as long as always or for so many seconds."""
        with self._lock:
            self._last = value
            self._until = time.monotonic() + (self._seconds if seconds is None else seconds)

    def forget(self) -> None:
        """Read again when next asked."""
        with self._lock:
            self._until = float("-inf")
