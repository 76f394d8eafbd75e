"""Sobol sampling: a scrambled quasi-random sequence, which covers the space more evenly.

Source: Sobol 1967, scrambled as Owen 1998 describes; scipy.stats.qmc holds the direction numbers.
One dimension per hyperparameter, in declared order; u becomes a value by the inverse distribution.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy.stats import qmc

from experiments.samplers.base import (
    SEED,
    History,
    Key,
    Sampler,
    SpaceExhausted,
    Suggestion,
    draw_unused,
)
from experiments.space import EXPRESSIONS

# Points further on in the sequence that stand in for one whose configuration has been tried.
_SPARE: Final = 64
_SPARE_START: Final = 1 << 14


class Sobol(Sampler):
    """Take run n from point n of the sequence."""

    name = "sobol"
    label = "Sobol"
    help = "Random, but spread evenly and the same for the same seed."
    accepts = frozenset(EXPRESSIONS)
    fields = (SEED,)

    def suggest(self, history: History, count: int) -> list[Suggestion]:
        """Return `count` new configurations; see `Sampler.suggest`."""
        used = self.used_keys(history)
        found: list[Suggestion] = []
        for number in range(history.next_number, history.next_number + count):
            params, note = self._next(number, used)
            if params is None:
                break
            used.add(self.space.key(params))
            found.append(Suggestion(params, note))
        if not found and count > 0:
            if self.space.cardinality() is None:
                raise SpaceExhausted(
                    "The sequence gave no configuration that is not tried already."
                )
            raise self.exhausted(len(used))
        return found

    def _next(self, number: int, used: set[Key]) -> tuple[dict[str, Any] | None, str]:
        params = self.space.from_unit(self._points(number, 1)[0])
        if self.space.key(params) not in used:
            return params, f"Point {number} of the Sobol sequence with seed {self.seed}."
        for u in self._points(_SPARE_START + number * _SPARE, _SPARE):
            params = self.space.from_unit(u)
            if self.space.key(params) not in used:
                return (
                    params,
                    "A later point of the Sobol sequence; the next one was tried already.",
                )
        note = "Drawn at random; the next points of the Sobol sequence were tried already."
        return draw_unused(self.space, self.rng(number), used), note

    def _points(self, start: int, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return points `start` to `start + count` of the sequence: `(count, d)`."""
        engine = qmc.Sobol(
            self.space.dimension, scramble=True, rng=np.random.default_rng(self.seed)
        )
        if start:
            engine.fast_forward(start)
        # One by one: scipy warns about blocks that are no power of two.
        return np.vstack([engine.random(1) for _ in range(count)])
