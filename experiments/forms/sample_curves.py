"""Curves for the picture of a policy where no sweep has reported yet: made up, and called so. Pure.

Most runs fall like a power law; some start late and lead at the end, which is what a policy that
stops early can lose.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.charts.base import Curve
from experiments.learning_curves import as_score, learning_curve

RUNS: Final = 24
REPORTS: Final = 40
_AT_ONCE: Final = 4
_SEED: Final = 11
_LATE: Final = frozenset({5, 13, 18})
# The golden ratio spreads the qualities evenly, whatever their number.
_RATIO: Final = 0.6180339887


def sample_curves(goal: str) -> list[Curve]:
    """Return the made-up curves of a sweep with four runs at a time."""
    return [_curve(number, goal) for number in range(RUNS)]


def _curve(number: int, goal: str) -> Curve:
    family = "crossing" if number in _LATE else "power_law"
    quality = 0.15 + 0.8 * ((number * _RATIO) % 1)
    loss = learning_curve(family, quality, REPORTS, seed=_SEED, number=number)
    intervals = np.arange(1, REPORTS + 1)
    begin = number // _AT_ONCE * REPORTS
    return Curve(
        number=number,
        intervals=intervals,
        steps=None,
        # Not two reports at once: the order of runs would decide.
        times=begin + intervals + number % _AT_ONCE / _AT_ONCE,
        values=as_score(loss) if goal == "maximize" else loss,
    )
