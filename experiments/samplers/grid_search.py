"""Grid sampling: every combination of choices, the last declared parameter varying fastest."""

from __future__ import annotations

from itertools import islice

from experiments.samplers.base import History, Sampler, Suggestion


class GridSearch(Sampler):
    """Try all combinations in a fixed order."""

    name = "grid"
    label = "Grid"
    help = "Tries every combination of listed values, in order."
    accepts = frozenset({"choice"})

    def suggest(self, history: History, count: int) -> list[Suggestion]:
        """Return the next `count` combinations without a run; see `Sampler.suggest`."""
        used = self.used_keys(history)
        total = self.space.cardinality() or 0
        fresh = (
            Suggestion(params, f"Combination {place} of {total}.")
            for place, params in enumerate(self.space.iterate_grid(), start=1)
            if self.space.key(params) not in used
        )
        found = list(islice(fresh, count))
        if not found and count > 0:
            raise self.exhausted(total)
        return found
