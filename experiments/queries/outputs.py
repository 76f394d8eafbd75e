"""Which runs of a sweep would lose their outputs when only those of the best ones are kept."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.models import Resumption, Run, Sweep
from experiments.queries.sizes import output_bytes
from experiments.space.literals import brief
from experiments.states import RUN_TERMINAL, SWEEP_ACTIVE


@dataclass(frozen=True, slots=True)
class RunOutputs:
    """A run and the size of its outputs as rows know it; `reader` is what still needs them."""

    run: Run
    size_bytes: int
    reader: str = ""


@dataclass(frozen=True, slots=True)
class OutputsPlan:
    """What keeping the outputs of the `best` best runs would do; each list is best first.

    `kept` are the best runs, `held` would go but is needed by a live sweep.
    """

    best: int
    kept: list[RunOutputs]
    held: list[RunOutputs]
    removed: list[RunOutputs]

    @property
    def freed_bytes(self) -> int:
        """Return how much the removal would free."""
        return sum(one.size_bytes for one in self.removed)

    @property
    def kept_bytes(self) -> int:
        """Return how much would stay."""
        return sum(one.size_bytes for one in [*self.kept, *self.held])


def plan_outputs(sweep: Sweep, best: int) -> OutputsPlan:
    """Return what would happen; runs that have no outputs are in none of the lists but `kept`."""
    sizes = output_bytes(sweep.pk)
    readers = readers_of_outputs(sweep)
    runs = list(Run.objects.filter(sweep=sweep, state__in=sorted(RUN_TERMINAL)))
    ranked = sorted(runs, key=lambda run: _rank(run, sweep.goal))
    found = [RunOutputs(run, sizes.get(run.pk, 0), readers.get(run.pk, "")) for run in ranked]
    kept = [one for one in found if one.run.best_value is not None][:best]
    chosen = {one.run.pk for one in kept}
    others = [one for one in found if one.run.pk in sizes and one.run.pk not in chosen]
    return OutputsPlan(
        best=best,
        kept=kept,
        held=[one for one in others if one.reader],
        removed=[one for one in others if not one.reader],
    )


def readers_of_outputs(sweep: Sweep) -> dict[int, str]:
    """Return the runs of a sweep whose outputs a live sweep resumes, and what that is called."""
    rows = Resumption.objects.filter(
        source__sweep=sweep, sweep__state__in=sorted(SWEEP_ACTIVE)
    ).select_related("sweep")
    return {
        row.source_id: f"{brief(row.sweep.name)} ({row.sweep.public_id})"
        for row in rows
        if row.source_id is not None
    }


def _rank(run: Run, goal: str) -> tuple[bool, float, int]:
    """Order runs best first: of equals the first in sampling order, those without a value last."""
    if run.best_value is None:
        return True, 0.0, run.number
    return False, -run.best_value if goal == "maximize" else run.best_value, run.number
