"""What a policy would have done to curves that are already known: the what-if of the forms.

Feeds the reports in order of time to the same code that decides live.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.curves import CurveSet, is_better
from experiments.policies.base import Decision, Policy, Snapshot

History = tuple[int, Sequence[float], Sequence[float]]


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Which runs stop, when, what that saves and what it costs.

    `best_number` is the run with the best value of the whole curves, `kept_number` the best one
    of what is left of them; the best survives when they have the same value.
    """

    stops: dict[int, Decision]
    reports_total: int
    reports_kept: int
    best_number: int | None
    best_value: float | None
    kept_number: int | None
    kept_value: float | None

    @property
    def share_saved(self) -> float:
        """Return the share of the reports that would not have been computed, 0..1."""
        if not self.reports_total:
            return 0.0
        return 1 - self.reports_kept / self.reports_total

    @property
    def best_survives(self) -> bool:
        """Tell whether the best value of all curves would still have been found."""
        return self.best_value == self.kept_value


def replay(policy: Policy, goal: str, histories: Iterable[History]) -> ReplayResult:
    """Run `policy` over (number, values, times) of each run, report by report in order of time.

    A stopped run makes no more reports; one that made its last report counts as finished from
    then on. Reports of the same time go in order of the run numbers. Runs below 0 (of an earlier
    sweep) are compared with, never judged.

    Raises:
        ValueError: a history has not as many times as values.
    """
    stored = {number: (values, times) for number, values, times in histories}
    for number, (values, times) in stored.items():
        if len(values) != len(times):
            text = f"run {number} has {len(values)} values and {len(times)} times; give as many."
            raise ValueError(text)
    stops, curves = _feed(policy, goal, stored)
    whole = CurveSet(goal)
    for number, (values, _) in stored.items():
        whole.append(number, values)
    best_number, best_value = _best_of(whole)
    kept_number, kept_value = _best_of(curves)
    return ReplayResult(
        stops=stops,
        reports_total=sum(whole.count(number) for number in stored if number >= 0),
        reports_kept=sum(curves.count(number) for number in stored if number >= 0),
        best_number=best_number,
        best_value=best_value,
        kept_number=kept_number,
        kept_value=kept_value,
    )


def _feed(
    policy: Policy, goal: str, stored: dict[int, tuple[Sequence[float], Sequence[float]]]
) -> tuple[dict[int, Decision], CurveSet]:
    stops: dict[int, Decision] = {}
    curves = CurveSet(goal)
    reports = sorted(
        (float(time), number, ordinal)
        for number, (_, times) in stored.items()
        for ordinal, time in enumerate(_never_backwards(times))
    )
    for _, number, ordinal in reports:
        if number in stops:
            continue
        values = stored[number][0]
        curves.append(number, [float(values[ordinal])])
        if number >= 0 and policy.is_due(ordinal + 1):
            decision = policy.decide(Snapshot(curves=curves, run=number, interval=ordinal + 1))
            if decision.stop:
                stops[number] = decision
        if number in stops or ordinal + 1 == len(values):
            curves.set_finished(number)
    return stops, curves


def _never_backwards(times: Sequence[float]) -> list[float]:
    # A host's clock may be set back; the order of the reports of one run is certain all the same.
    forward: list[float] = []
    for time in times:
        forward.append(max(float(time), forward[-1]) if forward else float(time))
    return forward


def _best_of(curves: CurveSet) -> tuple[int | None, float | None]:
    best_number, best_value = None, None
    for number in curves.numbers:
        value = curves.best_of(number, curves.longest())
        if math.isnan(value):
            continue
        if best_value is None or is_better(curves.goal, value, best_value):
            best_number, best_value = number, value
    return best_number, best_value
