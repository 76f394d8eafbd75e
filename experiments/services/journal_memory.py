"""Which lines stand at the end of a journal, remembered between requests as hashes.

A journal only grows, so each request reads what others have added since the one before. Call with
the lock of the file held; what others append meanwhile is read the next time.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

# So much of the end of a journal is remembered at least, and twice of it at most.
REMEMBERED: Final = 1 << 20
# About 2 MB each when they are full.
_MOST_JOURNALS: Final = 16
# A journal below this is read whole for a single report: that takes no longer.
SMALL: Final = 1 << 16


class JournalMemory:
    """The end of one journal. Of two generations of lines the older one is forgotten as a whole."""

    __slots__ = ("_end", "_old", "_young", "_young_bytes")

    def __init__(self) -> None:
        self._old: set[int] = set()
        self._young: set[int] = set()
        self._young_bytes = 0
        self._end = -1

    def catch_up(self, journal: int) -> None:
        """Read what the open file has beyond what is known, up to its last whole line."""
        size = os.fstat(journal).st_size
        if not 0 <= size - self._end <= REMEMBERED or self._end < 0:
            # It is new here, was cut, or too much came meanwhile.
            self._old, self._young, self._young_bytes = set(), set(), 0
            self._end = max(0, size - REMEMBERED)
        data = os.pread(journal, size - self._end, self._end)
        data = data[: data.rfind(b"\n") + 1]
        self._add(map(hash, data.splitlines(keepends=True)), len(data))

    def note(self, lines: Mapping[int, bytes], begin: int, size: int) -> None:
        """Take lines by their hash, `size` bytes at `begin`, if all before them is known."""
        if begin == self._end:
            self._add(lines, size)

    def _add(self, hashes: Iterable[int], size: int) -> None:
        self._young.update(hashes)
        self._end += size
        self._young_bytes += size
        if self._young_bytes > REMEMBERED:
            self._old, self._young, self._young_bytes = self._young, set(), 0

    def unknown(self, lines: Sequence[bytes]) -> dict[int, bytes]:
        """Return those lines that are not there, each once, by their hash.

        A hash of 64 bits that is seeded anew by each process: of a million lines one is taken for
        another in a billion journals.
        """
        found = dict(zip(map(hash, lines), lines, strict=True))
        if self._young.isdisjoint(found) and self._old.isdisjoint(found):
            return found
        return {
            key: line
            for key, line in found.items()
            if key not in self._young and key not in self._old
        }


class Memories:
    """The journals that were written to last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, int], JournalMemory] = OrderedDict()

    def find(self, journal: int) -> JournalMemory | None:
        """Return what is remembered of an open file."""
        with self._lock:
            memory = self._known.get(_identity(journal))
            if memory is not None:
                self._known.move_to_end(_identity(journal))
            return memory

    def of(self, journal: int) -> JournalMemory:
        """Return what is remembered of an open file, from now on if nothing was."""
        memory = self.find(journal)
        if memory is None:
            memory = JournalMemory()
            with self._lock:
                self._known[_identity(journal)] = memory
                if len(self._known) > _MOST_JOURNALS:
                    self._known.popitem(last=False)
        return memory


def _identity(journal: int) -> tuple[int, int]:
    status = os.fstat(journal)
    return status.st_dev, status.st_ino
