"""How the values of all runs lie: a strip of bars from worse to better with a few marks. Pure.

Where something stands is a share from 0 (worse) to 1 (better), whatever the goal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from experiments.curves import direction

BARS: Final = 48
# One diverged run must not flatten the others: what is worse than this share of them stands at the
# lower end.
_CLAMPED: Final = 0.1
_LEAST_RUNS: Final = 3


@dataclass(frozen=True, slots=True)
class ValueStrip:
    """Bars of runs, and the values at both ends; `beyond` runs are worse than the lower end."""

    counts: tuple[int, ...]
    worst: float
    best: float
    beyond: int

    def place(self, value: float) -> float:
        """Return where a value stands; what is worse than the lower end stands there."""
        share = (value - self.worst) / (self.best - self.worst)
        return min(1.0, max(0.0, share))


def strip_of(values: Sequence[float], goal: str) -> ValueStrip | None:
    """Return the strip of finite values; None where too few differ to show anything."""
    sign = direction(goal)
    ordered = sorted((value for value in values if math.isfinite(value)), key=lambda v: sign * v)
    if len(ordered) < _LEAST_RUNS or ordered[0] == ordered[-1]:
        return None
    worst, best = ordered[math.floor(_CLAMPED * (len(ordered) - 1))], ordered[-1]
    if worst == best or not math.isfinite(best - worst):
        return None
    counts = [0] * BARS
    empty = ValueStrip((), worst, best, sum(sign * (value - worst) < 0 for value in ordered))
    for value in ordered:
        counts[min(BARS - 1, int(empty.place(value) * BARS))] += 1
    return ValueStrip(tuple(counts), worst, best, empty.beyond)
