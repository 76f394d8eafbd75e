"""What a policy would have done to curves that are already known: the what-if of the forms.

Feeds the reports in order of time to the same code that decides live.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from experiments.curves import CurveSet, IntArray, is_better
from experiments.policies.base import Decision, Policy, Snapshot
from experiments.policies.known_curves import KnownCurves

Floats = Sequence[float] | np.ndarray[Any, np.dtype[np.float64]]
History = tuple[int, Floats, Floats]


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Which runs stop, when, what that saves and what it costs.

    `best_number` is the run with the best value of the whole curves, `kept_number` the best one
    of what is left of them; the best survives when they have the same value. `curves` is what is
    left. `checks` counts the reports at which a run was judged, `checks_due` those that were due.
    """

    stops: dict[int, Decision]
    reports_total: int
    reports_kept: int
    best_number: int | None
    best_value: float | None
    kept_number: int | None
    kept_value: float | None
    checks: int
    checks_due: int
    curves: CurveSet = field(repr=False, compare=False)

    @property
    def best_survives(self) -> bool:
        """Tell whether the best value of all curves would still have been found."""
        return self.best_value == self.kept_value


def replay(
    policy: Policy, goal: str, histories: Iterable[History], *, most_checks: int | None = None
) -> ReplayResult:
    """Run `policy` over (number, values, times) of each run, report by report in order of time.

    A stopped run makes no more reports; one that made its last report counts as finished from
    then on. Reports of the same time go in order of the run numbers. Runs below 0 (of an earlier
    sweep) are compared with, never judged. With `most_checks`, a run with more due reports is
    judged at so many of them: at all of the early ones, then ever more rarely.

    Raises:
        ValueError: a history has not as many times as values.
    """
    stored = {
        number: (np.asarray(values, np.float64), np.asarray(times, np.float64))
        for number, values, times in histories
    }
    for number, (values, times) in stored.items():
        if values.size != times.size:
            text = f"run {number} has {values.size} values and {times.size} times; give as many."
            raise ValueError(text)
    whole = {number: values for number, (values, _) in sorted(stored.items())}
    clock = _Clock.of([(number, stored[number][1]) for number in whole])
    checks = _checks(policy, clock.longest, most_checks)
    curves = KnownCurves(goal, whole)
    stops = _feed(policy, curves, clock, checks)
    known = KnownCurves(goal, whole)
    known.show(clock.rows)
    best_number, best_value = _best_of(known)
    kept_number, kept_value = _best_of(curves)
    return ReplayResult(
        stops=stops,
        reports_total=sum(values.size for number, values in whole.items() if number >= 0),
        reports_kept=sum(curves.count(number) for number in whole if number >= 0),
        best_number=best_number,
        best_value=best_value,
        kept_number=kept_number,
        kept_value=kept_value,
        checks=int(checks.sum()),
        checks_due=sum(policy.is_due(n) for n in range(1, clock.longest + 1)),
        curves=curves,
    )


@dataclass(frozen=True, slots=True)
class _Clock:
    """All reports in order of time: the row and the run of each, and its ordinal from 0."""

    rows: IntArray
    runs: IntArray
    ordinals: IntArray
    longest: int

    @classmethod
    def of(cls, times: Sequence[tuple[int, np.ndarray[Any, np.dtype[np.float64]]]]) -> _Clock:
        counts = [own.size for _, own in times]
        if not sum(counts):
            none = np.zeros(0, dtype=np.int64)
            return cls(none, none, none, 0)
        rows = np.repeat(np.arange(len(counts)), counts)
        ordinals = np.concatenate([np.arange(count) for count in counts])
        # A host's clock may be set back; the order of the reports of one run is certain all the
        # same.
        whole = np.concatenate([np.maximum.accumulate(own) for _, own in times if own.size])
        order = np.lexsort((ordinals, rows, whole))
        numbers = np.array([number for number, _ in times], dtype=np.int64)
        return cls(rows[order], numbers[rows[order]], ordinals[order], max(counts))


def _checks(policy: Policy, longest: int, most: int | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return at which ordinals runs are judged: `(longest,)`."""
    due = np.array([policy.is_due(n) for n in range(1, longest + 1)], dtype=np.bool_)
    places = np.flatnonzero(due)
    if most is None or places.size <= most:
        return due
    kept = np.unique(np.geomspace(1, places.size, most).round().astype(np.int64)) - 1
    thinned = np.zeros_like(due)
    thinned[places[kept]] = True
    return thinned


def _feed(
    policy: Policy,
    curves: KnownCurves,
    clock: _Clock,
    checks: np.ndarray[Any, np.dtype[np.bool_]],
) -> dict[int, Decision]:
    stops: dict[int, Decision] = {}
    if not checks.size:
        return stops
    judged = np.flatnonzero(checks[clock.ordinals] & (clock.runs >= 0))
    shown = 0
    for at in judged:
        number = int(clock.runs[at])
        if number in stops:
            continue
        curves.show(clock.rows[shown : at + 1], judged=number)
        shown = int(at) + 1
        interval = int(clock.ordinals[at]) + 1
        decision = policy.decide(Snapshot(curves=curves, run=number, interval=interval))
        if decision.stop:
            stops[number] = decision
            curves.stop(number)
    curves.show(clock.rows[shown:])
    return stops


def _best_of(curves: CurveSet) -> tuple[int | None, float | None]:
    best_number, best_value = None, None
    for number in curves.numbers:
        value = curves.best_of(number, curves.longest())
        if math.isnan(value):
            continue
        if best_value is None or is_better(curves.goal, value, best_value):
            best_number, best_value = number, value
    return best_number, best_value
