"""How a process ended, and the sentence a person reads about it. Pure: no database."""

from __future__ import annotations

import signal as signals
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MAX_LINE: Final = 1000
_MAX_NAMES: Final = 10
# What shells, and scripts that end in order, return for SIGTERM.
_TERMINATED: Final = 128 + signals.SIGTERM


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What the executor saw of the process of a run.

    `error_line` is the last line of a traceback; `bad_command` says why nothing could be started;
    `killed_for` why the process was ended although nobody asked ("out of memory").
    """

    exit_code: int | None = None
    signal: int | None = None
    error_line: str = ""
    stopped_by_us: bool = False
    timed_out: bool = False
    bad_command: str = ""
    killed_for: str = ""
    log_bytes: int = 0
    output_bytes: int = 0

    @property
    def is_preempted(self) -> bool:
        """Whether somebody else than the studio asked the script to end."""
        asked = self.signal == signals.SIGTERM or self.exit_code == _TERMINATED
        return asked and not self.killed_for and not self.timed_out

    @property
    def is_success(self) -> bool:
        """Whether the script ended by itself with exit code 0."""
        return self.exit_code == 0 and self.signal is None and not self.killed_for

    @property
    def is_plain(self) -> bool:
        """Whether it succeeded and nobody had any reason to stop it."""
        return self.is_success and not self.stopped_by_us and not self.timed_out


@dataclass(frozen=True, slots=True)
class Logged:
    """What a run logged: the primary metric's name, its reports, and the names of all metrics."""

    metric: str
    reports: int
    best_value: float | None
    best_interval: int | None
    names: Sequence[str]


def failure_sentence(outcome: RunOutcome) -> str:
    """Say why a run failed: exit code or signal, then the last line of its traceback."""
    if outcome.bad_command:
        return f"The command could not be started: {_cut(outcome.bad_command)}"
    if outcome.stopped_by_us and outcome.killed_for:
        return f"Stopped by the studio: {_cut(outcome.killed_for)}."
    if outcome.signal is not None:
        what = f"Killed by signal {outcome.signal} ({_signal_name(outcome.signal)})"
    elif outcome.exit_code is not None:
        what = f"Exit code {outcome.exit_code}"
    else:
        what = "The process ended without leaving an exit code"
    detail = outcome.killed_for or outcome.error_line
    return f"{what}: {_cut(detail)}" if detail else f"{what}."


def preemption_sentence() -> str:
    """Say that a run was ended from outside, by the machine or a person on it."""
    return "Preempted: it was asked to end (SIGTERM), and not by the studio."


def timeout_sentence(minutes: float | None) -> str:
    """Say that a run was stopped at its own time limit."""
    return f"Stopped after run_timeout_minutes {minutes:g}." if minutes else "Stopped: timed out."


def success_sentence(logged: Logged) -> str:
    """Say what a run that ended well has shown; clear about a metric that was never logged."""
    if not logged.reports:
        return _never_logged(logged)
    if logged.best_value is None or logged.best_interval is None:
        return (
            f'Exit code 0, but no report of "{logged.metric}" is a finite number '
            f"({logged.reports} of {logged.reports} are NaN, infinite or text), "
            "so the run has no best value."
        )
    return (
        f"Exit code 0. Best {logged.metric} {logged.best_value:.6g} "
        f"at interval {logged.best_interval} of {logged.reports}."
    )


def names_text(names: Sequence[str]) -> str:
    """List metric names for a sentence, the first ten of many."""
    text = ", ".join(names[:_MAX_NAMES])
    return f"{text} and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else text


def _never_logged(logged: Logged) -> str:
    start = f'The script ended without logging "{logged.metric}".'
    if not logged.names:
        return f'{start} It logged no metric at all: call run.log("{logged.metric}", value).'
    return f"{start} It logged: {names_text(logged.names)}. The name must match exactly."


def _signal_name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return "unknown"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_LINE else f"{line[: _MAX_LINE - 1]}…"
