"""Sobol sampling: a scrambled quasi-random sequence, which covers the space more evenly.

Source: Sobol 1967, scrambled as Owen 1998 describes; scipy.stats.qmc holds the direction numbers.
One dimension per hyperparameter, in declared order; u becomes a value by the inverse distribution.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy

from experiments.samplers.base import History, Sampler, Suggestion
from experiments.samplers.tried import Tried
from experiments.space import EXPRESSIONS
from experiments.space.space import Params

# Further points that may stand in for one whose configuration has a run already.
_SPARE: Final = 512


class Sobol(Sampler):
    """Take run n from point n of the sequence."""

    name = "sobol"
    label = "Sobol"
    help = "Random, but spread evenly over the space."
    accepts = frozenset(EXPRESSIONS)
    libraries = ("scipy.stats",)

    def suggest(self, history: History, count: int) -> list[Suggestion]:
        """Return `count` new configurations; see `Sampler.suggest`."""
        tried = Tried(self.space, history.observations)
        points = self._points(history.next_number + max(count, 0) + _SPARE)
        found: list[Suggestion] = []
        for number in range(history.next_number, history.next_number + count):
            params, note = self._next(number, points, tried)
            if params is None:
                break
            tried.add(params)
            found.append(Suggestion(params, note))
        if not found and count > 0:
            raise tried.end()
        return found

    def _next(
        self, number: int, points: np.ndarray[Any, Any], tried: Tried
    ) -> tuple[Params | None, str]:
        if tried.left() == 0:
            return None, ""
        for place in range(number, number + _SPARE):
            params = self.space.from_unit(points[place])
            if params not in tried:
                return params, f"Point {place} of the Sobol sequence of seed {self.seed}."
        note = f"Draw {number} of seed {self.seed}; the next Sobol points have runs already."
        return tried.draw(self.rng(number)), note

    def _points(self, count: int) -> np.ndarray[Any, Any]:
        """Return at least the first `count` points of the sequence: `(2^k, d)`."""
        engine = scipy.stats.qmc.Sobol(
            self.space.dimension, scramble=True, rng=np.random.default_rng(self.seed)
        )
        # A power of two: scipy warns about other sizes, and a longer block starts the same.
        return np.asarray(engine.random_base2(max(count - 1, 1).bit_length()))
