"""Random sampling: independent draws; a finite space is drawn from without replacement."""

from __future__ import annotations

from experiments.samplers.base import (
    SEED,
    History,
    Sampler,
    SpaceExhausted,
    Suggestion,
    draw_unused,
)
from experiments.space import EXPRESSIONS


class RandomSearch(Sampler):
    """Draw every hyperparameter from its expression."""

    name = "random"
    label = "Random"
    help = "Draws each value from its distribution. A good first look at any space."
    accepts = frozenset(EXPRESSIONS)
    fields = (SEED,)

    def suggest(self, history: History, count: int) -> list[Suggestion]:
        """Return `count` new configurations; see `Sampler.suggest`."""
        used = self.used_keys(history)
        found: list[Suggestion] = []
        for number in range(history.next_number, history.next_number + count):
            params = draw_unused(self.space, self.rng(number), used)
            if params is None:
                break
            used.add(self.space.key(params))
            found.append(Suggestion(params, f"Drawn at random with seed {self.seed}."))
        if not found and count > 0:
            raise self._end(used)
        return found

    def _end(self, used: set[tuple[str, ...]]) -> SpaceExhausted:
        if self.space.cardinality() is not None:
            return self.exhausted(len(used))
        return SpaceExhausted("A thousand draws gave no configuration that is not tried already.")
