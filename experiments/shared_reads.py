"""What is new after a cursor, read once for all sockets of a process that follow the same thing.

Pure. Readers that ask within the same while get the same answer. Those that are behind are brought
to the cursor of the others, so that from then on one read serves all of them. Where reading takes
long, since many want something, it is done less often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Frame:
    """What followed a cursor up to another: a message, and whether anything is in it.

    `begun` is when it was asked for (by the monotonic clock): what happened later is not in it.
    """

    cursor: int
    text: str
    is_empty: bool
    begun: float = 0.0


# Reads take at most this share of the time, but nobody waits more than so many times as long.
_SHARE: Final = 0.1
_LONGEST: Final = 4
# Reads what follows a cursor, merged from at most so many changes.
Read: TypeAlias = Callable[[int, int], Awaitable[Frame]]


class SharedReads:
    """The reads of one subject: at most one in `pace` seconds after each cursor."""

    def __init__(self, read: Read, *, seconds: float, window: int) -> None:
        self._read = read
        self._least = seconds
        self._cost = 0.0
        self._window = window
        self._begun = float("-inf")
        self._first: asyncio.Task[Frame] | None = None
        self._reads: dict[int, asyncio.Task[Frame]] = {}

    @property
    def pace(self) -> float:
        """Seconds between two frames: as given, or more where reading takes long."""
        return max(self._least, min(self._cost / _SHARE, self._least * _LONGEST))

    async def after(self, cursor: int) -> Frame:
        """Return what follows `cursor`, perhaps as of up to `seconds` ago; see `Frame.begun`."""
        now = time.monotonic()
        if now - self._begun >= self.pace:
            self._begun, self._first, self._reads = now, None, {}
        read = self._reads.get(cursor)
        if read is None:
            read = asyncio.create_task(self._look(cursor, self._first))
            self._reads[cursor] = read
            self._first = self._first or read
        # A socket that closes does not end what others wait for.
        return await asyncio.shield(read)

    async def _look(self, cursor: int, first: asyncio.Task[Frame] | None) -> Frame:
        begun = time.monotonic()
        limit = self._window
        if first is not None:
            leader = await first
            if cursor < leader.cursor < cursor + limit:
                limit, begun = leader.cursor - cursor, leader.begun
        asked = time.monotonic()
        frame = await self._read(cursor, limit)
        # One that waited for something else says little: half of what was known.
        self._cost = (self._cost + time.monotonic() - asked) / 2
        return replace(frame, begun=begun)
