"""Failures by what they have in common, and the parts of the search space where they happen.

Pure: facts about ended runs in, groups out. Counts come first; a test only decides whether they are
told, since among many parameters something always looks unusual.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.failure_lines import FailureLine, failure_line
from experiments.ranks import fisher, mann_whitney
from experiments.space.base import Expression
from experiments.space.literals import is_number
from experiments.states import NOT_ITS_FAULT

# A pattern in fewer runs is an anecdote.
LEAST: Final = 3
LEVEL: Final = 0.05
# Of the runs in a region, so many must have failed for the advice to leave it out.
LEAVE_OUT: Final = 0.75
# Groups that are compared with the parameters, by size; more would be a list nobody reads.
_MOST_COMPARED: Final = 12
_MOST_VALUES: Final = 50

Test = Literal["is", "from", "upto"]


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended; `reason` is its sentence, `is_failed` whether it failed."""

    number: int
    params: Mapping[str, Any]
    is_failed: bool
    end_reason: str
    reason: str
    ended: datetime


@dataclass(frozen=True, slots=True)
class Region:
    """Runs with one value of a parameter ("is"), or from or up to a value."""

    name: str
    test: Test
    value: Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A region where a failure is over-represented: `failed` of `inside` runs there, `others` of
    `outside` elsewhere. `p` is corrected for all comparisons of the group; `by` names the test."""

    region: Region
    failed: int
    inside: int
    others: int
    outside: int
    p: float
    by: str

    @property
    def is_avoidable(self) -> bool:
        """Whether leaving the region out would have avoided much and lost little."""
        return self.failed >= LEAVE_OUT * self.inside and self.outside > 0


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Runs that failed alike, by number; `example` is the latest sentence as it was."""

    line: FailureLine
    numbers: tuple[int, ...]
    example: str
    example_number: int
    first: datetime
    last: datetime
    is_own_fault: bool
    findings: tuple[Finding, ...] = ()
    note: str = ""

    @property
    def count(self) -> int:
        """Return how many runs failed this way."""
        return len(self.numbers)


def failure_groups(
    runs: Iterable[Ended], expressions: Mapping[str, Expression]
) -> list[FailureGroup]:
    """Return the failures of a sweep, the most frequent first."""
    ended = list(runs)
    by_text: dict[str, list[Ended]] = {}
    for run in ended:
        if run.is_failed:
            by_text.setdefault(failure_line(run.reason).text, []).append(run)
    ordered = sorted(by_text.values(), key=lambda members: (-len(members), members[0].number))
    return [
        _group(members, ended, expressions if place < _MOST_COMPARED else {})
        for place, members in enumerate(ordered)
    ]


def _group(
    members: Sequence[Ended], ended: Sequence[Ended], expressions: Mapping[str, Expression]
) -> FailureGroup:
    latest = max(members, key=lambda run: (run.ended, run.number))
    is_own_fault = latest.end_reason not in NOT_ITS_FAULT
    numbers = frozenset(run.number for run in members)
    # Runs that were lost say nothing about their values, whichever they failed with.
    others = [r for r in ended if r.number not in numbers and r.end_reason not in NOT_ITS_FAULT]
    note = ""
    findings: list[Finding] = []
    if not is_own_fault:
        note = "The machine ended these runs, not their values."
    elif len(members) < LEAST or len(others) < LEAST:
        note = _too_few(len(members), len(others))
    else:
        findings = find_regions(members, others, expressions)
        if not findings and expressions:
            note = "No value or range of a parameter stands out among these runs."
    return FailureGroup(
        line=failure_line(latest.reason),
        numbers=tuple(sorted(numbers)),
        example=latest.reason,
        example_number=latest.number,
        first=min(run.ended for run in members),
        last=latest.ended,
        is_own_fault=is_own_fault,
        findings=tuple(findings),
        note=note,
    )


def _too_few(failed: int, others: int) -> str:
    if others < LEAST:
        was = {0: "No run has", 1: "Only 1 run has"}.get(others, f"Only {others} runs have")
        return f"{was} ended otherwise: too few to compare the parameters with."
    runs = "1 run" if failed == 1 else f"{failed} runs"
    return f"{runs}: too few to relate to parameters, {LEAST} are needed."


def find_regions(
    failed: Sequence[Ended], others: Sequence[Ended], expressions: Mapping[str, Expression]
) -> list[Finding]:
    """Return at most one region for each parameter, the surest first.

    Values are compared by Fisher's exact test, ranges by the rank test of Mann and Whitney, both
    corrected by the number of comparisons (Bonferroni).
    """
    candidates: list[tuple[Finding, float]] = []
    comparisons = 0
    for name, expression in expressions.items():
        inside, outside = ([run.params.get(name) for run in runs] for runs in (failed, others))
        found, tried = _compare(name, expression, inside, outside)
        comparisons += tried
        if found is not None:
            candidates.append(found)
    kept = [
        _corrected(finding, p * comparisons)
        for finding, p in candidates
        if p * comparisons <= LEVEL
    ]
    return sorted(kept, key=lambda finding: finding.p)


def _corrected(finding: Finding, p: float) -> Finding:
    f = finding
    return Finding(f.region, f.failed, f.inside, f.others, f.outside, min(1.0, p), f.by)


def _compare(
    name: str, expression: Expression, failed: Sequence[Any], others: Sequence[Any]
) -> tuple[tuple[Finding, float] | None, int]:
    """Return the best region of one parameter with its bare p, and how many were tried."""
    every = [*failed, *others]
    distinct = {_key(value): value for value in every}
    if len(distinct) < 2:
        return None, 0
    are_numbers = all(is_number(value) for value in every)
    if expression.scale != "category" and are_numbers and len(distinct) > _few(expression):
        return _compare_ranges(name, failed, others)
    if len(distinct) > _MOST_VALUES:
        return None, 0
    regions = [Region(name, "is", value) for value in distinct.values()]
    if are_numbers:
        inner = sorted(distinct.values())
        # The ends alone are values; in between, more than one of them.
        regions += [Region(name, "from", value) for value in inner[1:-1]]
        regions += [Region(name, "upto", value) for value in inner[1:-1]]
    return _best_of(regions, failed, others), len(regions)


def _few(expression: Expression) -> int:
    return 10 if expression.is_discrete else 0


def _best_of(
    regions: Sequence[Region], failed: Sequence[Any], others: Sequence[Any]
) -> tuple[Finding, float] | None:
    counts = [(_count(r, failed), _count(r, others)) for r in regions]
    a = np.array([found for found, _ in counts])
    c = np.array([found for _, found in counts])
    n, m = len(failed), len(others)
    ps = fisher(a, c, n, m)
    best = int(np.argmin(ps))
    return _finding(regions[best], int(a[best]), int(c[best]), n, m, "Fisher"), float(ps[best])


def _compare_ranges(
    name: str, failed: Sequence[float], others: Sequence[float]
) -> tuple[tuple[Finding, float] | None, int]:
    mine, theirs = np.array(failed, np.float64), np.array(others, np.float64)
    p = mann_whitney(mine, theirs)
    is_high = float(np.median(mine)) >= float(np.median(theirs))
    cut = _cut(mine, theirs) if is_high else -_cut(-mine, -theirs)
    region = Region(name, "from" if is_high else "upto", cut)
    a, c = _count(region, failed), _count(region, others)
    return (_finding(region, a, c, len(mine), len(theirs), "Mann-Whitney"), p), 1


def _cut(mine: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Return the value from which on failures and others differ most in their shares."""
    cuts = np.unique(mine)
    a = len(mine) - np.searchsorted(np.sort(mine), cuts, side="left")
    c = len(theirs) - np.searchsorted(np.sort(theirs), cuts, side="left")
    gain = a / len(mine) - c / len(theirs)
    return float(cuts[int(np.argmax(gain))])


def _finding(region: Region, a: int, c: int, n: int, m: int, by: str) -> Finding:
    return Finding(region, a, a + c, n - a, n + m - a - c, math.nan, by)


def _count(region: Region, values: Iterable[Any]) -> int:
    return sum(is_inside(region, value) for value in values)


def is_inside(region: Region, value: Any) -> bool:
    """Tell whether a value lies in a region."""
    if region.test == "is":
        return _key(value) == _key(region.value)
    if not is_number(value):
        return False
    return bool(value >= region.value if region.test == "from" else value <= region.value)


def _key(value: Any) -> str:
    return repr(float(value)) if is_number(value) else json.dumps(value, sort_keys=True)
