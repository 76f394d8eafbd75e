"""The receipt of a run that a policy stopped: what was compared, where the limit came from, what
it saved. Pure: numbers that were stored with the decision in, sentences out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

_OF_RUN: Final = re.compile(r"= \S+ of (.+)$")


@dataclass(frozen=True, slots=True)
class Judged:
    """The stored decision; `leader` None: a run of an earlier sweep, which the reason names."""

    policy: str
    interval: int
    own: float | None
    limit: float | None
    leader: int | None
    leader_value: float | None
    reason: str

    @property
    def source(self) -> str:
        """Return where the limit came from, as the end of a sentence that begins with it."""
        said = self.reason.partition(": ")[2] or self.reason
        if self.policy == "bandit":
            found = _OF_RUN.search(said)
            return found.group(1) if found else said
        if self.policy == "median_stopping":
            return said.partition(", ")[2] or said
        return said.partition("ranks ")[2] or said

    @property
    def formula(self) -> str:
        """Return how the limit was computed, for policies that compute it from one value."""
        said = self.reason.partition(": ")[2]
        if self.policy != "bandit" or " = " not in said:
            return ""
        found = re.search(r"[<>]=? (.+) = \S+ of ", said)
        return found.group(1) if found else ""


@dataclass(frozen=True, slots=True)
class Saving:
    """What a stop saved, estimated from completed runs; None where none has completed yet."""

    seconds: float | None
    reports: int | None
    completed: int

    @property
    def method(self) -> str:
        """Return how it was estimated."""
        if not self.completed:
            return "Not known: no run of this sweep has completed."
        runs = "1 completed run" if self.completed == 1 else f"{self.completed} completed runs"
        return f"An estimate: the median of {runs} less what this run took."


def saving_of(seconds: float, reports: int, completed: Sequence[tuple[float, int]]) -> Saving:
    """Estimate what a stop saved from (seconds, reports) of the runs that completed."""
    if not completed:
        return Saving(None, None, 0)
    usual = median(took for took, _ in completed)
    usual_reports = median(count for _, count in completed)
    return Saving(
        seconds=max(0.0, usual - seconds),
        reports=max(0, round(usual_reports - reports)),
        completed=len(completed),
    )
