"""Random sampling: independent draws; a finite space is drawn from without replacement."""

from __future__ import annotations

from experiments.samplers.base import History, Sampler, Suggestion
from experiments.samplers.tried import Tried
from experiments.space import EXPRESSIONS


class RandomSearch(Sampler):
    """Draw every hyperparameter from its expression."""

    name = "random"
    label = "Random"
    help = "Draws each value from its distribution. A good first look at any space."
    accepts = frozenset(EXPRESSIONS)

    def suggest(self, history: History, count: int) -> list[Suggestion]:
        """Return `count` new configurations; see `Sampler.suggest`."""
        tried = Tried(self.space, history.observations)
        found: list[Suggestion] = []
        for number in range(history.next_number, history.next_number + count):
            params = tried.draw(self.rng(number))
            if params is None:
                break
            tried.add(params)
            found.append(Suggestion(params, f"Draw {number} of seed {self.seed}."))
        if not found and count > 0:
            raise tried.end()
        return found
