"""What is known of a check before the launch, and the lines that say what it showed. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from experiments.formats import format_duration

Mark = Literal["ok", "bad", "warn", "wait"]
Outcome = Literal["waiting", "running", "passed", "failed", "canceled"]
# Below this a span is told with tenths of a second.
_SHORT: Final = 9.95


@dataclass(frozen=True, slots=True)
class LoggedMetric:
    """One metric of the run; `last` is its last finite value."""

    name: str
    reports: int
    last: float | None


@dataclass(frozen=True, slots=True)
class ReportTimes:
    """First and last report of the primary metric, in seconds since the script started."""

    reports: int
    first: float
    last: float
    first_step: float | None = None
    last_step: float | None = None

    @property
    def per_report(self) -> float | None:
        """Seconds from one report to the next; None with fewer than two."""
        return (self.last - self.first) / (self.reports - 1) if self.reports > 1 else None


@dataclass(frozen=True, slots=True)
class Plan:
    """The sweep that is to be launched; times in seconds.

    `words` are the arguments of the script, `earlier_reports` how often completed runs of the
    experiment reported the same metric.
    """

    total_runs: int
    runs_at_once: int
    duration: float
    run_timeout: float | None = None
    policy: Mapping[str, Any] | None = None
    words: Sequence[str] = ()
    earlier_reports: int | None = None


@dataclass(frozen=True, slots=True)
class TriedRun:
    """The one run of a check; `elapsed` counts from the start of the script."""

    state: str
    end_reason: str = ""
    reason: str = ""
    exit_code: int | None = None
    worker: str = ""
    waited: float | None = None
    elapsed: float | None = None


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """Everything that is known of a check; `cap` is its time limit in seconds.

    `end_reason` and `reason` are those of the whole check, which may end without a run.
    """

    metric: str
    cap: float
    plan: Plan
    compute: str
    slots: int = 0
    busy: int = 0
    is_over: bool = False
    end_reason: str = ""
    reason: str = ""
    run: TriedRun | None = None
    metrics: Sequence[LoggedMetric] = ()
    times: ReportTimes | None = None
    log_lines: Sequence[str] = field(default=())

    @property
    def primary(self) -> LoggedMetric | None:
        """The primary metric, once it was logged."""
        return next((metric for metric in self.metrics if metric.name == self.metric), None)

    @property
    def others(self) -> list[LoggedMetric]:
        """The other metrics that were logged."""
        return [metric for metric in self.metrics if metric.name != self.metric]


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One thing that the check looked at: a mark, what it is, and one sentence."""

    key: str
    mark: Mark
    label: str
    text: str


def span_text(seconds: float) -> str:
    """Write a time span; short ones with tenths."""
    return f"{seconds:.1f} s" if seconds < _SHORT else format_duration(seconds)


def count_text(count: int, noun: str) -> str:
    """Write a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
