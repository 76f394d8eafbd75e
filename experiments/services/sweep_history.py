"""What samplers see of a sweep, from its rows; and a short name for exactly that.

The same rows give the same history and the same fingerprint, in any process and after any restart.
Reads rows, writes none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Literal, TypeAlias

from experiments.models import Run, Sweep
from experiments.queries import EarlierRun, earlier_runs
from experiments.samplers.base import History, Observation
from experiments.states import RunState

Outcome: TypeAlias = Literal["pending", "completed", "failed", "canceled"]

_OUTCOMES: Final[dict[str, Outcome]] = {
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.CANCELED: "canceled",
}

_NOT_SAMPLED: Final = frozenset({Run.Origin.HAND, Run.Origin.RESUMED})


@dataclass(frozen=True, slots=True)
class Seen:
    """The part of a history that changes: hyperparameters of a run never do.

    `runs` are (number, outcome, best finite value); a pending run has no value yet, since what it
    has reported so far says little about where it ends. `prior` are (key, number, outcome, value)
    of the runs of the sweeps that this one goes on from.
    """

    next_number: int
    runs: tuple[tuple[int, Outcome, float | None], ...]
    prior: tuple[tuple[int, int, Outcome, float | None], ...] = ()

    @property
    def fingerprint(self) -> str:
        """Return a name of this history; another one for every other history."""
        return sha256(repr((self.next_number, self.runs, self.prior)).encode()).hexdigest()[:32]

    def when_completed(self, number: int, value: float) -> Seen:
        """Return the history as it will be once a pending run ends well with its best value."""
        runs = tuple(
            (number, "completed", value) if seen[0] == number else seen for seen in self.runs
        )
        return replace(self, runs=runs)


def look_at(sweep: Sweep) -> Seen:
    """Return what is known of a sweep's runs now."""
    rows = list(
        Run.objects.filter(sweep=sweep)
        .order_by("number")
        .values_list("number", "state", "best_value", "origin")
    )
    # Not the next number of a run: one that was repeated took a number of its own, one that was
    # queued by hand or resumed counts as well, and none may change which configurations follow.
    others = sum(origin in _NOT_SAMPLED for *_, origin in rows)
    return Seen(
        next_number=sweep.sampled - others,
        runs=tuple(
            (number, _OUTCOMES.get(state, "pending"), value if state in _OUTCOMES else None)
            for number, state, value, _ in rows
        ),
        prior=tuple(_seen_earlier(run) for run in earlier_runs(sweep)),
    )


def history_of(sweep: Sweep, seen: Seen) -> History:
    """Return the history that `seen` stands for, as samplers take it."""
    params = dict(Run.objects.filter(sweep=sweep).values_list("number", "params"))
    names = set(sweep.spec["search_space"])
    # Imported runs may lack values; a sampler learns from whole configurations only.
    earlier = {
        run.pk: run.params
        for run in (earlier_runs(sweep) if seen.prior else ())
        if names <= run.params.keys()
    }
    return History(
        next_number=seen.next_number,
        observations=[
            Observation(number, params[number], value, outcome)
            for number, outcome, value in seen.runs
        ],
        prior=[
            Observation(number, earlier[pk], value, outcome)
            for pk, number, outcome, value in seen.prior
            if pk in earlier
        ],
    )


def _seen_earlier(run: EarlierRun) -> tuple[int, int, Outcome, float | None]:
    is_over = run.state in _OUTCOMES
    outcome = _OUTCOMES.get(run.state, "pending")
    return run.pk, run.number, outcome, run.value if is_over else None
