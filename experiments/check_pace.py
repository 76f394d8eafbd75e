"""How long a run and the whole sweep will take, from the one run of a check. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from experiments.check_facts import CheckFacts, Plan, ReportTimes, count_text, span_text
from experiments.formats import format_duration
from experiments.states import EndReason, RunState

# Arguments that say how long a script goes on. Only epochs are taken for one report each: of
# steps there are often many more than reports, so they count by the steps that were logged.
_EPOCHS: Final = re.compile(r"-{0,2}(?:(?:n|num|max|total)[-_]?)?epochs?", re.IGNORECASE)
_STEPS: Final = re.compile(
    r"-{0,2}(?:(?:n|num|max|total)[-_]?)?(?:steps?|iters?|iterations?|rounds?)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of one run. `is_exact`: a full run was seen; `is_least`: it takes longer than that.

    `basis` says in words where the number comes from.
    """

    per_run: float
    basis: str
    is_exact: bool = False
    is_least: bool = False


def is_capped(facts: CheckFacts) -> bool:
    """Tell whether the run was stopped at the time limit."""
    return facts.run is not None and facts.run.end_reason == EndReason.RUN_TIMEOUT


def has_own_limit(facts: CheckFacts) -> bool:
    """Tell whether the limit of the check is that which every run of the sweep has."""
    return facts.plan.run_timeout is not None and facts.plan.run_timeout <= facts.cap


def pace_of(facts: CheckFacts) -> Pace | None:
    """Return how long one run takes; None while that cannot be said."""
    run = facts.run
    if run is None or run.elapsed is None:
        return None
    if run.state == RunState.COMPLETED:
        return Pace(run.elapsed, "measured on a full run", is_exact=True)
    if run.state != RunState.CANCELED or not is_capped(facts):
        return None
    if has_own_limit(facts):
        return Pace(run.elapsed, "the time limit of each run", is_exact=True)
    longer = _extrapolated(facts.plan, facts.times) if facts.times else None
    if longer is None or longer.per_run <= run.elapsed:
        return Pace(run.elapsed, "the run was not over by then", is_least=True)
    limit = facts.plan.run_timeout
    if limit is not None and limit < longer.per_run:
        return Pace(limit, "the time limit of each run")
    return longer


def estimate_seconds(facts: CheckFacts, pace: Pace) -> float:
    """Return how long the whole sweep takes at this pace."""
    return -(-facts.plan.total_runs // _at_once(facts)) * pace.per_run


def estimate_text(facts: CheckFacts, pace: Pace) -> str:
    """Say how long the whole sweep takes, where that comes from, and which limit comes first."""
    plan, at_once = facts.plan, _at_once(facts)
    whole = estimate_seconds(facts, pace)
    shown = format_duration(whole if whole < 60 else math.ceil(whole / 60) * 60)
    runs = count_text(plan.total_runs, "run")
    side = f", {at_once} at a time" if plan.total_runs > 1 else ""
    per_run = span_text(pace.per_run)
    if pace.is_least:
        text = f"More than {shown} for {runs}{side}: one takes longer than {per_run}."
    else:
        text = f"About {shown} for {runs}{side}, at {per_run} a run ({pace.basis})."
    wanted = min(plan.runs_at_once, plan.total_runs)
    if 0 < facts.slots < wanted:
        text += f" {facts.compute} has {count_text(facts.slots, 'slot')} for {wanted} at a time."
    if plan.policy is not None:
        text += " Runs that are stopped early make it shorter."
    return text + _limit_text(facts, pace, whole)


def _limit_text(facts: CheckFacts, pace: Pace, whole: float) -> str:
    if whole <= facts.plan.duration or pace.per_run <= 0:
        return ""
    runs = int(facts.plan.duration / pace.per_run) * _at_once(facts)
    minutes = facts.plan.duration / 60
    return f" max_duration_minutes {minutes:g} comes first, after about {count_text(runs, 'run')}."


def is_over_limit(facts: CheckFacts, pace: Pace) -> bool:
    """Tell whether the duration of the sweep ends before its runs do."""
    return estimate_seconds(facts, pace) > facts.plan.duration


def _at_once(facts: CheckFacts) -> int:
    wanted = min(facts.plan.runs_at_once, facts.plan.total_runs)
    return max(1, min(wanted, facts.slots or wanted))


def _extrapolated(plan: Plan, times: ReportTimes) -> Pace | None:
    """Return the pace of a run that goes on as it began to, where its length is known."""
    for name, total in _numbered_options(plan):
        is_epochs = _EPOCHS.fullmatch(name) is not None
        if (is_epochs or _STEPS.fullmatch(name)) and (
            seconds := _until(times, total, may_count_reports=is_epochs)
        ):
            return Pace(seconds, f"extrapolated to {name} {total}")
    reports, per_report = plan.earlier_reports, times.per_report
    if reports and per_report is not None and reports > times.reports:
        seconds = times.first + (reports - 1) * per_report
        return Pace(
            seconds, f"extrapolated to {reports} reports, as in earlier runs of this experiment"
        )
    return None


def _until(times: ReportTimes, total: int, *, may_count_reports: bool) -> float | None:
    first, last = times.first_step, times.last_step
    if first is not None and last is not None and last > first:
        return times.last + max(0.0, total - last) * (times.last - times.first) / (last - first)
    per_report = times.per_report
    if not may_count_reports or per_report is None:
        return None
    return times.first + (total - 1) * per_report


def _numbered_options(plan: Plan) -> list[tuple[str, int]]:
    """Return the options of the script that have a whole number: `--epochs 20`, `--epochs=20`."""
    words = list(plan.words)
    pairs = [tuple(word.split("=", 1)) for word in words if word.startswith("-") and "=" in word]
    pairs += list(pairwise(words))
    return [(pair[0], int(pair[1])) for pair in pairs if re.fullmatch(r"\d{1,9}", pair[1])]
