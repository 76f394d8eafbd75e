"""When waiting runs may start: the queue of one compute target played through, first come first.

Pure: seconds in, seconds out. An unknown duration makes everything after it unknown.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence


def expected_starts(
    free: int, live: Iterable[float | None], waiting: Sequence[float | None]
) -> list[float | None]:
    """Return in how many seconds each waiting run starts, in the order of the queue.

    `free` slots take a run now; `live` says when each busy one will be free, None: not known;
    `waiting` says how long each waiting run will last. Without any slot nothing is known.

    >>> expected_starts(1, [30.0], [60.0, 60.0, None, 10.0])
    [0.0, 30.0, 60.0, 90.0]
    >>> expected_starts(0, [None], [60.0])
    [None]
    """
    slots = [0.0] * max(0, free)
    slots += [math.inf if left is None else max(0.0, left) for left in live]
    heapq.heapify(slots)
    starts: list[float | None] = []
    for seconds in waiting:
        if not slots or math.isinf(slots[0]):
            starts.append(None)
            continue
        start = heapq.heappop(slots)
        starts.append(start)
        heapq.heappush(slots, math.inf if seconds is None else start + seconds)
    return starts
