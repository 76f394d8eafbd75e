"""A look at something costly that is kept for some seconds, however many requests ask for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Seen = TypeVar("Seen")


class Kept(Generic[Seen]):
    """What `look` saw last; one thread looks, the others take what is known meanwhile.

    Before the first look is over the others wait for it, unless there is a `first`.
    """

    def __init__(
        self, look: Callable[[], Seen], seconds: float, *, first: Seen | None = None
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known = first
        self._looked_at = float("-inf")

    def value(self) -> Seen:
        """Return what was seen, as of some seconds ago at most; what `look` raises goes on."""
        if self._is_old() and self._lock.acquire(blocking=self._known is None):
            try:
                # Somebody else may have looked while this one waited.
                if self._is_old():
                    self._known = self._look()
                    self._looked_at = time.monotonic()
            finally:
                self._lock.release()
        assert self._known is not None  # noqa: S101 - whoever had none has waited for it
        return self._known

    def forget(self) -> None:
        """Look again when next asked."""
        self._looked_at = float("-inf")

    def _is_old(self) -> bool:
        return time.monotonic() - self._looked_at > self._seconds
