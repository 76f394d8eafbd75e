"""The state machine of runs and sweeps: states, legal transitions, end reasons and their badges.

The one table that services, templates, the API and the browser read. Pure; assigns nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    """Where the process of a run is; why it ended is its `EndReason`."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    STARTING = "Starting"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    NOT_RESPONDING = "NotResponding"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"


class SweepState(StrEnum):
    """Where the controller of a sweep stands."""

    QUEUED = "Queued"
    RUNNING = "Running"
    PAUSED = "Paused"
    CANCEL_REQUESTED = "CancelRequested"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"


class EndReason(StrEnum):
    """Why a run or a sweep ended; always stored together with a sentence."""

    FINISHED = "finished"
    POLICY = "policy"
    USER = "user"
    SWEEP_CANCELED = "sweep_canceled"
    RUN_TIMEOUT = "run_timeout"
    SWEEP_TIMEOUT = "sweep_timeout"
    NONZERO_EXIT = "nonzero_exit"
    WORKER_LOST = "worker_lost"
    PREEMPTED = "preempted"
    BAD_COMMAND = "bad_command"
    MAX_RUNS = "max_runs"
    SPACE_EXHAUSTED = "space_exhausted"
    TIMEOUT = "timeout"
    TOO_MANY_FAILURES = "too_many_failures"
    SAMPLER_ERROR = "sampler_error"
    ALL_RUNS_FAILED = "all_runs_failed"


R = RunState
S = SweepState

RUN_TRANSITIONS: Final[dict[RunState, frozenset[RunState]]] = {
    R.NOT_STARTED: frozenset({R.QUEUED, R.CANCELED}),
    # Back to NotStarted: a pause or a lower limit takes its turn from a waiting run.
    R.QUEUED: frozenset({R.STARTING, R.CANCELED, R.NOT_STARTED}),
    R.STARTING: frozenset({R.RUNNING, R.FAILED, R.CANCEL_REQUESTED, R.NOT_RESPONDING}),
    R.RUNNING: frozenset({R.FINALIZING, R.FAILED, R.CANCEL_REQUESTED, R.NOT_RESPONDING}),
    R.FINALIZING: frozenset({R.COMPLETED, R.FAILED, R.NOT_RESPONDING}),
    R.CANCEL_REQUESTED: frozenset({R.CANCELED, R.FAILED, R.COMPLETED}),
    R.NOT_RESPONDING: frozenset({R.STARTING, R.RUNNING, R.FINALIZING, R.FAILED, R.CANCELED}),
    R.COMPLETED: frozenset(),
    R.FAILED: frozenset(),
    R.CANCELED: frozenset(),
}

SWEEP_TRANSITIONS: Final[dict[SweepState, frozenset[SweepState]]] = {
    S.QUEUED: frozenset({S.RUNNING, S.CANCEL_REQUESTED, S.FAILED}),
    S.RUNNING: frozenset({S.PAUSED, S.CANCEL_REQUESTED, S.COMPLETED, S.FAILED}),
    S.PAUSED: frozenset({S.RUNNING, S.CANCEL_REQUESTED}),
    S.CANCEL_REQUESTED: frozenset({S.CANCELED}),
    # An ended sweep goes on only to repeat runs, and ends again when they have.
    S.COMPLETED: frozenset({S.RUNNING}),
    S.FAILED: frozenset({S.RUNNING}),
    S.CANCELED: frozenset({S.RUNNING}),
}

RUN_TERMINAL: Final = frozenset(s for s, nexts in RUN_TRANSITIONS.items() if not nexts)
SWEEP_TERMINAL: Final = frozenset({S.COMPLETED, S.FAILED, S.CANCELED})
# Ends that are no fault of the run: it is repeated, and no failure in a row.
NOT_ITS_FAULT: Final = frozenset({EndReason.WORKER_LOST, EndReason.PREEMPTED})
# States in which a run holds or waits for a slot: what the concurrency limit counts.
RUN_ACTIVE: Final = frozenset(RunState) - RUN_TERMINAL
# States in which a process may exist on a compute target.
RUN_LIVE: Final = frozenset(
    {R.STARTING, R.RUNNING, R.FINALIZING, R.CANCEL_REQUESTED, R.NOT_RESPONDING}
)
SWEEP_ACTIVE: Final = frozenset(SweepState) - SWEEP_TERMINAL

RUN_REASONS: Final[dict[RunState, frozenset[EndReason]]] = {
    R.CANCEL_REQUESTED: frozenset(
        {
            EndReason.POLICY,
            EndReason.USER,
            EndReason.SWEEP_CANCELED,
            EndReason.SWEEP_TIMEOUT,
            EndReason.RUN_TIMEOUT,
        }
    ),
    R.COMPLETED: frozenset({EndReason.FINISHED}),
    R.FAILED: frozenset(
        {
            EndReason.NONZERO_EXIT,
            EndReason.WORKER_LOST,
            EndReason.PREEMPTED,
            EndReason.BAD_COMMAND,
        }
    ),
    R.CANCELED: frozenset(
        {
            EndReason.POLICY,
            EndReason.USER,
            EndReason.SWEEP_CANCELED,
            EndReason.SWEEP_TIMEOUT,
            EndReason.RUN_TIMEOUT,
        }
    ),
}

SWEEP_REASONS: Final[dict[SweepState, frozenset[EndReason]]] = {
    S.CANCEL_REQUESTED: frozenset({EndReason.USER, EndReason.TIMEOUT}),
    S.COMPLETED: frozenset({EndReason.MAX_RUNS, EndReason.SPACE_EXHAUSTED}),
    S.FAILED: frozenset(
        {EndReason.SAMPLER_ERROR, EndReason.ALL_RUNS_FAILED, EndReason.TOO_MANY_FAILURES}
    ),
    S.CANCELED: frozenset({EndReason.USER, EndReason.TIMEOUT}),
}


def run_predecessors(state: RunState) -> frozenset[RunState]:
    """Return the states from which a run may move to `state`."""
    return frozenset(s for s, nexts in RUN_TRANSITIONS.items() if state in nexts)


def sweep_predecessors(state: SweepState) -> frozenset[SweepState]:
    """Return the states from which a sweep may move to `state`."""
    return frozenset(s for s, nexts in SWEEP_TRANSITIONS.items() if state in nexts)


@dataclass(frozen=True, slots=True)
class Badge:
    """How a state is shown: word, CSS class of the chip, icon name in `icons.svg`."""

    label: str
    css: str
    icon: str


_RUN_BADGES: Final[dict[str, Badge]] = {
    R.NOT_STARTED: Badge("Not started", "queued", "queued"),
    R.QUEUED: Badge("Queued", "queued", "queued"),
    R.STARTING: Badge("Starting", "running", "running"),
    R.RUNNING: Badge("Running", "running", "running"),
    R.FINALIZING: Badge("Finalizing", "running", "running"),
    R.CANCEL_REQUESTED: Badge("Canceling", "canceled", "stop"),
    R.NOT_RESPONDING: Badge("Not responding", "warn", "warn"),
    R.COMPLETED: Badge("Completed", "completed", "completed"),
    R.FAILED: Badge("Failed", "failed", "failed"),
    R.CANCELED: Badge("Canceled", "canceled", "canceled"),
}
_STOPPED_EARLY: Final = Badge("Stopped early", "terminated", "terminated")
_STOPPING_EARLY: Final = Badge("Stopping early", "terminated", "terminated")
_PREEMPTED: Final = Badge("Preempted", "warn", "warn")
_PAUSED: Final = Badge("Paused", "paused", "paused")


def badge(state: str, end_reason: str = "") -> Badge:
    """Return the badge of a run or sweep state; `end_reason` tells stopped early from canceled.

    Raises:
        KeyError: `state` is not a state of the contract.
    """
    if end_reason == EndReason.POLICY and state == R.CANCELED:
        return _STOPPED_EARLY
    if end_reason == EndReason.POLICY and state == R.CANCEL_REQUESTED:
        return _STOPPING_EARLY
    if end_reason == EndReason.PREEMPTED and state == R.FAILED:
        return _PREEMPTED
    if state == S.PAUSED:
        return _PAUSED
    return _RUN_BADGES[state]


def badge_table() -> dict[str, dict[str, str]]:
    """Return every badge by `state` or `state/end_reason`, for the browser's one JSON block."""
    table = {str(s): badge(s) for s in RunState}
    table[str(S.PAUSED)] = _PAUSED
    table[f"{R.CANCELED}/{EndReason.POLICY}"] = _STOPPED_EARLY
    table[f"{R.CANCEL_REQUESTED}/{EndReason.POLICY}"] = _STOPPING_EARLY
    table[f"{R.FAILED}/{EndReason.PREEMPTED}"] = _PREEMPTED
    return {
        key: {"label": b.label, "css": b.css, "icon": b.icon} for key, b in sorted(table.items())
    }
