"""Which configurations of a space have a run already, and a draw among the others.

A finite space is sampled without replacement, however large: places in the grid are counted, the
grid itself is never listed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final, cast

import numpy as np

from experiments.samplers.base import Observation, SpaceExhausted
from experiments.space.space import Params, SearchSpace

# Draws before a finite space is searched for its last configurations. Drawing again, rather than
# picking a place at random, keeps the weights of the expressions.
_DRAWS: Final = 200
# A space without an end can be used up in practice: qnormal(0, 1, 1) has a dozen likely values.
_ENDLESS_DRAWS: Final = 1000


class Tried:
    """The configurations of one sweep's runs, whatever became of them."""

    def __init__(self, space: SearchSpace, observations: Iterable[Observation]) -> None:
        self.space = space
        self.total = space.cardinality()
        # Where one value is drawn from a continuum, no two draws are the same.
        self._is_continuous = any(
            e.cardinality() is None and not e.is_discrete for e in space.expressions.values()
        )
        self._places: set[Hashable] = set()
        for observation in observations:
            self.add(observation.params)

    def __contains__(self, params: Mapping[str, Any]) -> bool:
        return self._place(params) in self._places

    def add(self, params: Mapping[str, Any]) -> None:
        """Count a configuration; one from outside a finite space, queued by hand, is left out."""
        place = self._place(params)
        if place is not None:
            self._places.add(place)

    def left(self) -> int | None:
        """Return how many configurations have no run; None for infinitely many."""
        return None if self.total is None else self.total - len(self._places)

    def next_places(self) -> Iterable[int]:
        """Yield the places of a finite space that have no run, in the order of the grid."""
        return (place for place in range(self.total or 0) if place not in self._places)

    def draw(self, rng: np.random.Generator) -> Params | None:
        """Return a configuration without a run; None when none is left or likely."""
        if self.left() == 0:
            return None
        for _ in range(_ENDLESS_DRAWS if self.total is None else _DRAWS):
            params = self.space.sample(rng)
            if params not in self:
                return params
        return None if self.total is None else self.pick(rng)

    def pick(self, rng: np.random.Generator) -> Params:
        """Return one of the configurations that are left in a finite space, all equally likely."""
        # The r-th place that is left: every taken place at or before it moves it on by one.
        place = _random_below(self.left() or 1, rng)
        for taken in sorted(cast("set[int]", self._places)):
            if taken > place:
                break
            place += 1
        return self.space.at_index(place)

    def end(self) -> SpaceExhausted:
        """Return why there is no further configuration, in a sentence."""
        if self.total is None:
            return SpaceExhausted(
                f"{_ENDLESS_DRAWS} draws gave no configuration that has not been tried."
            )
        if self.total == 1:
            return SpaceExhausted("The only configuration of the search space has been tried.")
        return SpaceExhausted(f"All {self.total} configurations have been tried.")

    def _place(self, params: Mapping[str, Any]) -> Hashable:
        """Return what tells a configuration from others; None when that is not needed."""
        if self._is_continuous:
            return None
        return self.space.key(params) if self.total is None else self.space.index_of(params)


def _random_below(end: int, rng: np.random.Generator) -> int:
    # Spaces may have more configurations than 64 bits can count; the 8 spare bytes keep the
    # remainder fair.
    return int.from_bytes(rng.bytes(end.bit_length() // 8 + 9)) % end
