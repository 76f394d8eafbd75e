"""Grid sampling: every combination of choices, the last declared parameter varying fastest."""

from __future__ import annotations

from itertools import islice

from experiments.samplers.base import History, Sampler, Suggestion
from experiments.samplers.tried import Tried


class GridSearch(Sampler):
    """Try all combinations in a fixed order."""

    name = "grid"
    label = "Grid"
    help = "Tries every combination of listed values, in order."
    accepts = frozenset({"choice"})
    fields = ()

    def suggest(self, history: History, count: int) -> list[Suggestion]:
        """Return the next `count` combinations without a run; see `Sampler.suggest`."""
        tried = Tried(self.space, history.observations)
        places = list(islice(tried.next_places(), max(count, 0)))
        if not places and count > 0:
            raise tried.end()
        return [
            Suggestion(self.space.at_index(place), f"Combination {place + 1} of {tried.total}.")
            for place in places
        ]
