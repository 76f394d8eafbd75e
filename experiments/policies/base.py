"""What every early-termination policy shares: when it is applied, what it sees, what it answers.

A policy is pure: the same snapshot gives the same decision. It never stops a run itself.
Source of the timing rule: Azure Machine Learning, "Tune hyperparameters" (docs/policies.md).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

import numpy as np

from experiments.curves import CurveSet, IntArray, IntervalView, direction
from experiments.policies.fields import FieldSpec, check_fields
from experiments.problems import Problem, ProblemsError

# Equal runs survive. Decimal inputs are not exact in binary (0.8 - 0.2 > 0.6), so two values this
# close, relative to the numbers they were computed from, count as equal.
TIE: Final = 1e-12


@dataclass(frozen=True, slots=True)
class RunCurve:
    """All primary-metric reports of one run, in order; `number` < 0: a run of an earlier sweep."""

    number: int
    values: Sequence[float] | np.ndarray[Any, np.dtype[np.float64]]
    state: Literal["running", "finished"] = "running"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a policy sees: the curves of the sweep, the run to judge and its report count.

    `names` says what the runs of earlier sweeps (numbers below 0) are called in a sentence.
    """

    curves: CurveSet
    run: int
    interval: int
    names: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, goal: str, runs: Sequence[RunCurve], *, run: int, interval: int) -> Snapshot:
        """Build a snapshot from plain curves."""
        curves = CurveSet(goal)
        for curve in runs:
            curves.append(curve.number, curve.values)
            if curve.state == "finished":
                curves.set_finished(curve.number)
        return cls(curves=curves, run=run, interval=interval)

    @property
    def goal(self) -> str:
        """Return the goal of the sweep: "maximize" or "minimize"."""
        return self.curves.goal

    def text_of(self, number: int) -> str:
        """Name a run in a sentence; runs below 0 belong to a sweep that this one goes on from."""
        return (
            f"run {number}" if number >= 0 else self.names.get(number, "a run of an earlier sweep")
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Stop or go on, with the numbers that were compared; `reason` is one sentence, never empty.

    `leader` is the best run at the interval. Numbers that were not needed or are not finite are
    None.
    """

    stop: bool
    interval: int
    own: float | None
    limit: float | None
    leader: int | None
    leader_value: float | None
    reason: str
    policy: str


@dataclass(frozen=True, slots=True)
class Case:
    """One run before its judge: its best, everybody's best at the interval, and the leader."""

    snapshot: Snapshot
    own: float
    best: IntervalView
    leader: int
    leader_value: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rule of one policy says about a case."""

    stop: bool
    limit: float | None
    text: str


class Policy(ABC):
    """An early-termination rule. Subclasses give the texts, the `fields` and `judge`."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    fields: ClassVar[tuple[FieldSpec, ...]] = ()

    def __init__(self, **config: Any) -> None:
        """Keep the settings, with defaults for those left out.

        Raises:
            ProblemsError: a setting is wrong.
        """
        problems = self.check(config, self.name)
        if problems:
            raise ProblemsError(problems)
        self.config: Final[dict[str, Any]] = {
            field.name: field.default if config.get(field.name) is None else config[field.name]
            for field in self.fields
        }
        self.evaluation_interval: Final[int] = self.config.get("evaluation_interval", 1)
        self.delay_evaluation: Final[int] = self.config.get("delay_evaluation", 0)

    @classmethod
    def check(cls, config: Mapping[str, Any], path: str) -> list[Problem]:
        """Return every problem of the settings, each below `path`."""
        return check_fields(cls.fields, config, path)

    def is_due(self, n: int) -> bool:
        """Tell whether a run is judged at its `n`-th report of the primary metric."""
        return n >= max(1, self.delay_evaluation) and n % self.evaluation_interval == 0

    def first_due(self) -> int:
        """Return the report at which a run is judged for the first time."""
        start = max(1, self.delay_evaluation)
        return -(-start // self.evaluation_interval) * self.evaluation_interval

    def decide(self, snapshot: Snapshot) -> Decision:
        """Judge one run at one interval; only what runs had up to that interval counts."""
        spared = self._spared_because(snapshot)
        if spared:
            return self._decision(snapshot, Verdict(stop=False, limit=None, text=spared))
        case = _open_case(snapshot)
        return self._decision(snapshot, self.judge(case), case)

    @abstractmethod
    def judge(self, case: Case) -> Verdict:
        """Apply the rule to a run that is due, still running and has a finite best."""

    def limit_at(self, goal: str, interval: int, curves: CurveSet) -> float | None:
        """Return the value a run must reach at `interval`; None where there is no such value."""
        del goal, interval, curves
        return None

    def limit_line(self, goal: str, curves: CurveSet, points: int = 200) -> list[tuple[int, float]]:
        """Return (interval, limit) at up to `points` due intervals that some run has reached."""
        due = range(self.first_due(), curves.longest() + 1, self.evaluation_interval)
        every = -(-len(due) // points) if due else 1
        line = [(n, self.limit_at(goal, n, curves)) for n in due[::every]]
        return [(n, limit) for n, limit in line if limit is not None]

    def summary(self) -> str:
        """Return the policy in a few words: "Bandit, slack factor 0.1, every 2 from 6"."""
        return f"{self.rule()}, {self._timing_text()}"

    def rule(self) -> str:
        """Return the policy without its timing: "Bandit, slack factor 0.1"."""
        return ", ".join([self.label, *self._summary_parts()])

    def _title(self) -> str:
        return f"{self.name.replace('_', ' ')} policy"

    def _summary_parts(self) -> list[str]:
        return []

    def _timing_text(self) -> str:
        first = self.first_due()
        if self.evaluation_interval == 1:
            return "every interval" if first == 1 else f"every interval from {first}"
        return f"every {self.evaluation_interval} from {first}"

    def _spared_because(self, snapshot: Snapshot) -> str:
        n, curves, run = snapshot.interval, snapshot.curves, snapshot.run
        if not self.is_due(n):
            return f"not applied here; it is applied {self._timing_text()}"
        if curves.is_finished(run):
            return f"run {run} has already finished"
        if curves.count(run) < n:
            return f"run {run} has made only {curves.count(run)} of {n} reports"
        if math.isnan(curves.best_of(run, n)):
            return f"run {run} has no finite value yet, and such a run is not stopped"
        return ""

    def _decision(self, snapshot: Snapshot, verdict: Verdict, case: Case | None = None) -> Decision:
        return Decision(
            stop=verdict.stop,
            interval=snapshot.interval,
            own=case.own if case else None,
            limit=verdict.limit,
            leader=case.leader if case else None,
            leader_value=case.leader_value if case else None,
            reason=f"{self._title()} at interval {snapshot.interval}: {verdict.text}",
            policy=self.name,
        )


def _open_case(snapshot: Snapshot) -> Case:
    best = snapshot.curves.best_at(snapshot.interval)
    # argmax takes the first of equals, and runs stand in ascending order: the earliest leads.
    worst_to_best = direction(snapshot.goal) * best.values
    at = int(np.nanargmax(worst_to_best))
    return Case(
        snapshot=snapshot,
        own=snapshot.curves.best_of(snapshot.run, snapshot.interval),
        best=best,
        leader=int(best.numbers[at]),
        leader_value=float(best.values[at]),
    )


def is_worse(goal: str, own: float, limit: float, *, scale: float) -> bool:
    """Tell whether `own` is beyond doubt worse than `limit`; equal values are not.

    `scale` is the size of the numbers that `limit` was computed from.
    """
    gap = direction(goal) * (limit - own)
    return gap > TIE * max(abs(own), abs(scale))


def comparison_text(own: float, limit: float) -> tuple[str, str]:
    """Write two compared numbers briefly, with enough digits to see that they differ."""
    for digits in range(3, 17):
        a, b = f"{own:.{max(4, digits)}g}", f"{limit:.{digits}g}"
        if (float(a) > float(b)) == (own > limit) and (float(a) < float(b)) == (own < limit):
            return a, b
    return f"{own:.17g}", f"{limit:.17g}"


def runs_text(numbers: IntArray) -> str:
    """Count runs in a sentence, and say how many of them are of earlier sweeps."""
    return f"{numbers.size} run{'' if numbers.size == 1 else 's'}{earlier_text(numbers)}"


def earlier_text(numbers: IntArray) -> str:
    """Say how many of these runs are of earlier sweeps, as the end of a sentence's part."""
    earlier = int((numbers < 0).sum())
    return f" ({earlier} of earlier sweeps)" if earlier else ""
