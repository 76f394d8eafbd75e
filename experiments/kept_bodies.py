"""Finished answers that many people ask for: the newest of each question, made once. Pure.

Whoever may ask has been checked before. What an answer was made of is its version, which only
grows: an answer of a later version is right for whoever asked for an earlier one.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Final, TypeAlias

Version: TypeAlias = tuple[int, ...]
# Half the effort of the usual level, and a tenth more bytes.
_LEVEL: Final = 4
# A single answer takes at most this share of the room.
_SHARE: Final = 4


@dataclass(frozen=True, slots=True)
class Finished:
    """A body as it is sent to whoever takes gzip, and of which version it is."""

    version: Version
    packed: bytes

    def plain(self) -> bytes:
        """Return the body itself."""
        return gzip.decompress(self.packed)


class KeptBodies:
    """The newest bodies by question, at most `most` bytes of them; safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, Finished] = OrderedDict()
        self._making: dict[tuple[Hashable, Version], Future[Finished]] = {}

    def get(self, question: Hashable, version: Version, make: Callable[[], bytes]) -> Finished:
        """Return the body of this version or a later one; made here unless somebody is at it.

        What `make` raises goes to everybody who waits for it, and nothing is kept.
        """
        with self._lock:
            kept = self._kept.get(question)
            if kept is not None and kept.version >= version:
                self._kept.move_to_end(question)
                return kept
            making = self._making.get((question, version))
            is_made_here = making is None
            making = making or self._making.setdefault((question, version), Future())
        return self._make(question, version, make, making) if is_made_here else making.result()

    def forget(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return self._size

    def _make(
        self,
        question: Hashable,
        version: Version,
        make: Callable[[], bytes],
        making: Future[Finished],
    ) -> Finished:
        try:
            made = Finished(version, gzip.compress(make(), _LEVEL, mtime=0))
        except BaseException as error:
            with self._lock:
                del self._making[question, version]
            making.set_exception(error)
            raise
        with self._lock:
            del self._making[question, version]
            self._keep(question, made)
        making.set_result(made)
        return made

    def _keep(self, question: Hashable, made: Finished) -> None:
        before = self._kept.get(question)
        if before is not None and before.version > made.version:
            return
        self._drop(question)
        if len(made.packed) * _SHARE > self._most:
            return
        self._kept[question] = made
        self._size += len(made.packed)
        while self._size > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, question: Hashable) -> None:
        if (gone := self._kept.pop(question, None)) is not None:
            self._size -= len(gone.packed)
