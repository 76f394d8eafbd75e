"""What a check before the launch showed, line by line, and whether the sweep may be started. Pure.

Sentences for people; the same for the form, REST and the command line.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from experiments.check_facts import (
    CheckFacts,
    CheckLine,
    LoggedMetric,
    Mark,
    Outcome,
    TriedRun,
    count_text,
    span_text,
)
from experiments.check_pace import (
    Pace,
    estimate_text,
    has_own_limit,
    is_capped,
    is_over_limit,
    pace_of,
)
from experiments.policies import make_policy
from experiments.states import NOT_ITS_FAULT, RUN_TERMINAL, EndReason, RunState

_USAGE_ERROR: Final = 2
_MOST_NAMES: Final = 20
_HEADLINES: Final[dict[Outcome, str]] = {
    "passed": "The check passed: the sweep can be started.",
    "failed": "The check failed. Nothing was started.",
    "canceled": "The check was canceled.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome with its lines; `offered` are names to take for the primary metric instead."""

    outcome: Outcome
    headline: str
    lines: list[CheckLine]
    offered: list[str]
    pace: Pace | None


def judge(facts: CheckFacts) -> Verdict:
    """Return what the check shows so far."""
    found = [
        _start_line(facts),
        _arguments_line(facts),
        _metric_line(facts),
        _reports_line(facts),
        _policy_line(facts),
        _end_line(facts),
    ]
    lines = [line for line in found if line is not None]
    outcome = _outcome(facts, lines)
    pace = pace_of(facts) if outcome == "passed" else None
    if pace is not None:
        mark: Mark = "warn" if pace.is_least or is_over_limit(facts, pace) else "ok"
        lines.append(CheckLine("estimate", mark, "Whole sweep", estimate_text(facts, pace)))
    return Verdict(outcome, _headline(facts, outcome), lines, _offered(facts), pace)


def _outcome(facts: CheckFacts, lines: list[CheckLine]) -> Outcome:
    run = facts.run
    if not facts.is_over:
        return "waiting" if run is None or run.state in _WAITING else "running"
    if any(line.mark == "bad" for line in lines):
        return "failed"
    return "passed" if _went_on(facts) else "canceled"


_WAITING: Final = frozenset({RunState.NOT_STARTED, RunState.QUEUED})


def _headline(facts: CheckFacts, outcome: Outcome) -> str:
    if outcome == "waiting":
        return "Waiting for a worker…"
    if outcome == "running":
        elapsed = facts.run.elapsed if facts.run else None
        if elapsed is None:
            return "Starting…"
        return f"Running: {elapsed:.0f} s of at most {facts.cap:g} s…"
    return _HEADLINES[outcome]


def _start_line(facts: CheckFacts) -> CheckLine | None:
    run = facts.run
    if not facts.is_over and (run is None or run.state in _WAITING):
        mark: Mark = "wait" if facts.slots else "warn"
        return CheckLine("start", mark, "Start", _waiting_text(facts))
    if run is None:
        # It ended without a run: canceled, or the sampler has a fault.
        is_canceled = facts.end_reason == EndReason.USER
        return CheckLine("start", "warn" if is_canceled else "bad", "Start", facts.reason)
    if run.end_reason == EndReason.BAD_COMMAND:
        return CheckLine("start", "bad", "Start", run.reason)
    if run.waited is not None:
        text = f"The command started {span_text(run.waited)} after the check, on {run.worker}."
        return CheckLine("start", "ok", "Start", text)
    if run.state in RUN_TERMINAL:
        return _never_started(facts, run)
    return CheckLine("start", "wait", "Start", f"{run.worker} gets the files ready.")


def _never_started(facts: CheckFacts, run: TriedRun) -> CheckLine:
    if facts.end_reason == EndReason.TIMEOUT:
        return CheckLine("start", "bad", "Start", f"No worker of {facts.compute} took it in time.")
    is_canceled = run.state == RunState.CANCELED
    reason = facts.reason if is_canceled and facts.reason else run.reason
    return CheckLine("start", "warn" if is_canceled else "bad", "Start", reason)


def _waiting_text(facts: CheckFacts) -> str:
    if not facts.slots:
        return (
            f"No worker is attached to {facts.compute}; the check waits for one "
            f"(studio worker --compute {facts.compute})."
        )
    return (
        f"It is the next to get a worker of {facts.compute}: {facts.busy} of "
        f"{count_text(facts.slots, 'slot')} are busy."
    )


def _arguments_line(facts: CheckFacts) -> CheckLine | None:
    run = facts.run
    if run is None or run.waited is None:
        return None
    refusal = _refusal(facts)
    if refusal:
        text = f"The script refused its arguments: {refusal}"
        return CheckLine("arguments", "bad", "Arguments", text)
    if facts.metrics or _went_on(facts):
        return CheckLine("arguments", "ok", "Arguments", "The script took its arguments.")
    return None  # it failed early: who knows


def _is_final(facts: CheckFacts) -> bool:
    """Tell whether the run has shown all it will; one that was canceled proves nothing."""
    run = facts.run
    was_canceled = run is None or (run.state == RunState.CANCELED and not is_capped(facts))
    return facts.is_over and not was_canceled


def _went_on(facts: CheckFacts) -> bool:
    """Tell whether the script ended well, or was running still at the time limit."""
    run = facts.run
    return run is not None and (run.state == RunState.COMPLETED or is_capped(facts))


def _refusal(facts: CheckFacts) -> str:
    """Return what an argument parser printed; they end with 2 and a line of usage."""
    if facts.run is None or facts.run.exit_code != _USAGE_ERROR:
        return ""
    lines = [line.strip() for line in facts.log_lines if line.strip()]
    if not any(line.lower().startswith(("usage:", "try '")) for line in lines):
        return ""
    errors = [line for line in lines if "error:" in line.lower()]
    return errors[-1] if errors else lines[-1]


def _metric_line(facts: CheckFacts) -> CheckLine | None:
    run, primary, name = facts.run, facts.primary, facts.metric
    if run is None or run.waited is None:
        return None
    if primary is not None:
        return _logged_line(name, primary, is_final=_is_final(facts))
    if facts.others:
        mark: Mark = "bad" if _is_final(facts) else "warn"
        never = "was never logged" if facts.is_over else "was not logged so far"
        names = ", ".join(f'"{other}"' for other in _offered(facts))
        text = f'"{name}" {never}. The script logged {names}; the name must match exactly.'
        return CheckLine("metric", mark, "Metric", text)
    if not facts.is_over:
        return CheckLine("metric", "wait", "Metric", f'"{name}" was not logged so far.')
    if run.state == RunState.COMPLETED:
        text = f'No metric was logged at all. Call run.log("{name}", value) in the script.'
        return CheckLine("metric", "bad", "Metric", text)
    if is_capped(facts):
        text = (
            f"No metric was logged within {span_text(run.elapsed or facts.cap)}. Give the check "
            f'more time if the first report takes longer; else call run.log("{name}", value).'
        )
        return CheckLine("metric", "bad", "Metric", text)
    return CheckLine("metric", "warn", "Metric", f'"{name}" was not logged before the end.')


def _logged_line(name: str, primary: LoggedMetric, *, is_final: bool) -> CheckLine:
    if primary.last is None:
        text = f'"{name}" was logged, but no report of it is a finite number.'
        return CheckLine("metric", "bad" if is_final else "warn", "Metric", text)
    text = f'"{name}" was logged under exactly this name; its last value is {primary.last:.6g}.'
    return CheckLine("metric", "ok", "Metric", text)


def _reports_line(facts: CheckFacts) -> CheckLine | None:
    times = facts.times
    if facts.primary is None or times is None:
        return None
    text = f"{count_text(times.reports, 'report')}, the first after {span_text(times.first)}"
    if times.per_report is not None:
        text += f", then one every {span_text(times.per_report)}"
    return CheckLine("reports", "ok", "Reports", f"{text}.")


def _policy_line(facts: CheckFacts) -> CheckLine | None:
    """Warn of a policy that a full run ends before."""
    run, primary = facts.run, facts.primary
    is_full = run is not None and run.state == RunState.COMPLETED
    if not is_full or primary is None or facts.plan.policy is None:
        return None
    policy = make_policy(facts.plan.policy)
    if primary.reports >= policy.first_due():
        return None
    text = (
        f"The policy will never judge a run: it begins at report {policy.first_due()}, and this "
        f"run had {count_text(primary.reports, 'report')}."
    )
    return CheckLine("policy", "warn", "Early stop", text)


def _end_line(facts: CheckFacts) -> CheckLine | None:
    run = facts.run
    if run is None or run.waited is None or not facts.is_over:
        return None
    elapsed = span_text(run.elapsed or 0.0)
    if run.state == RunState.COMPLETED:
        return CheckLine("end", "ok", "End", f"It ended with exit code 0 after {elapsed}.")
    if is_capped(facts):
        if has_own_limit(facts):
            text = f"It was stopped after {elapsed}, the time limit that every run has."
            return CheckLine("end", "warn", "End", text)
        fine = facts.primary is not None and facts.primary.last is not None
        text = f"It was still running after {elapsed}{': fine' if fine else ''}."
        return CheckLine("end", "ok" if fine else "warn", "End", text)
    if run.state == RunState.CANCELED:
        return CheckLine("end", "warn", "End", facts.reason or run.reason)
    if run.end_reason in NOT_ITS_FAULT:
        return CheckLine("end", "bad", "End", f"{run.reason} Check again.")
    return CheckLine("end", "bad", "End", run.reason)


def _offered(facts: CheckFacts) -> list[str]:
    """Return the other names, the one most like the wanted first, while it is missing."""
    if facts.primary is not None and facts.primary.last is not None:
        return []
    wanted = facts.metric.lower()

    def unlike(name: str) -> tuple[float, str]:
        return -SequenceMatcher(None, wanted, name.lower()).ratio(), name

    names = sorted((m.name for m in facts.others if m.last is not None), key=unlike)
    return names[:_MOST_NAMES]
