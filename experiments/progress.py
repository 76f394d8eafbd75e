"""How far a sweep is: runs by state, time used, time left, time saved by early stopping.

Pure: facts about runs and the time in, numbers out. Knows neither database nor pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median

from experiments.formats import metric_digits
from experiments.states import RUN_LIVE, RUN_TERMINAL, EndReason, RunState


@dataclass(frozen=True, slots=True)
class RunFact:
    """What progress needs to know about one run."""

    state: str
    end_reason: str
    started: datetime | None
    ended: datetime | None
    best_value: float | None
    reports: int
    is_retry: bool

    @property
    def is_stopped_early(self) -> bool:
        """Tell whether a policy ended the run."""
        return self.state == RunState.CANCELED and self.end_reason == EndReason.POLICY

    def seconds(self, now: datetime) -> float:
        """Return how long the run has had a slot; 0 before it started."""
        return ((self.ended or now) - self.started).total_seconds() if self.started else 0.0


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """Numbers of the header. Times are in seconds; None where there is nothing to go by yet.

    `counts` maps states to numbers of runs, with `stopped_early` among the canceled. `ended` leaves
    out runs that were lost and repeated. `digits` tells the metric values apart.
    """

    counts: dict[str, int]
    ended: int
    live: int
    elapsed: float | None
    remaining: float | None
    spent: float
    saved: float
    digits: int
    usual_reports: int


def measure_progress(
    facts: Sequence[RunFact],
    *,
    total: int,
    concurrency: int,
    started: datetime | None,
    ended: datetime | None,
    deadline: datetime | None,
    now: datetime,
) -> SweepProgress:
    """Return the progress of a sweep of `total` runs, `concurrency` of them at a time."""
    terminal = [fact for fact in facts if fact.state in RUN_TERMINAL]
    live = [fact for fact in facts if fact.state in RUN_LIVE]
    finished = len(terminal) - sum(fact.is_retry for fact in facts)
    remaining = None
    if started is not None and ended is None:
        remaining = _remaining(facts, max(0, total - finished), concurrency, now)
        if remaining is not None and deadline is not None:
            remaining = min(remaining, max(0.0, (deadline - now).total_seconds()))
    return SweepProgress(
        counts=_count(facts),
        ended=finished,
        live=len(live),
        elapsed=((ended or now) - started).total_seconds() if started else None,
        remaining=remaining,
        spent=sum(fact.seconds(now) for fact in facts),
        saved=_saved(facts, now),
        digits=metric_digits(fact.best_value for fact in facts),
        usual_reports=max((f.reports for f in facts if f.state == RunState.COMPLETED), default=0),
    )


def _count(facts: Iterable[RunFact]) -> dict[str, int]:
    counts = {"stopped_early": 0}
    for fact in facts:
        counts[fact.state] = counts.get(fact.state, 0) + 1
        counts["stopped_early"] += fact.is_stopped_early
    return counts


def _remaining(
    facts: Sequence[RunFact], left: int, concurrency: int, now: datetime
) -> float | None:
    # Stopped and failed runs are in the mean: the runs to come will be stopped as often.
    ended = [f.seconds(now) for f in facts if f.state in RUN_TERMINAL and f.started]
    if not ended:
        return None
    mean = fmean(ended)
    live = [fact.seconds(now) for fact in facts if fact.state in RUN_LIVE]
    work = max(0, left - len(live)) * mean + sum(max(0.0, mean - seconds) for seconds in live)
    # As many at a time as there are now: slots may be fewer than the limit allows.
    return work / max(1, min(concurrency, len(live) or concurrency))


def _saved(facts: Sequence[RunFact], now: datetime) -> float:
    whole = [f.seconds(now) for f in facts if f.state == RunState.COMPLETED]
    if not whole:
        return 0.0
    usual = median(whole)
    stopped = (fact.seconds(now) for fact in facts if fact.is_stopped_early)
    return math.fsum(max(0.0, usual - seconds) for seconds in stopped)
