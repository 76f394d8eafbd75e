"""What was made a moment ago for somebody else, for those who look again anyway. Pure."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lately(Generic[T]):
    """Values for so many seconds from when they were begun; those that are older are dropped."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, T]] = {}

    def get(self, key: Hashable) -> T | None:
        """Return the value of a key while it is new enough."""
        begun, value = self._kept.get(key, (float("-inf"), None))
        return value if time.monotonic() - begun < self._seconds else None

    def keep(self, key: Hashable, value: T) -> T:
        """Keep a value that is made from now on, and return it."""
        now = time.monotonic()
        with self._lock:
            new = {k: kept for k, kept in self._kept.items() if now - kept[0] < self._seconds}
            self._kept = {**new, key: (now, value)}
        return value

    def forget(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept = {}
