"""How busy slots were: spans of runs cut into equal pieces of time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SlotUse:
    """The mean number of busy slots in each piece of `seconds`, from `start` (Unix seconds) on."""

    start: float
    seconds: float
    busy: list[float]

    @property
    def most(self) -> float:
        """Return the largest of them."""
        return max(self.busy, default=0.0)

    @property
    def slot_seconds(self) -> float:
        """Return the time of all runs together."""
        return sum(self.busy) * self.seconds


def slot_use(
    spans: Iterable[tuple[float, float]], *, start: float, end: float, pieces: int
) -> SlotUse:
    """Return how many of `spans` (start, end) lay in each of `pieces` equal parts of a time.

    >>> slot_use([(0, 10), (5, 20), (-5, 5)], start=0, end=20, pieces=2).busy
    [2.0, 1.0]
    """
    found = np.array(list(spans), dtype=float).reshape(-1, 2)
    edges = np.linspace(start, end, pieces + 1)
    # How much of each span lies before an edge; the difference is what lies between two.
    before = np.clip(edges[None, :], found[:, :1], np.maximum(found[:, 1:], found[:, :1]))
    seconds = np.diff(before.sum(axis=0)) if len(found) else np.zeros(pieces)
    width = (end - start) / pieces
    return SlotUse(start, width, [round(float(value), 6) for value in seconds / width])
