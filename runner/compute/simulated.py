"""What simulated runs do: the reports of a script, how fast it makes them, how it ends.

Pure: no processes, no database, no clock. `runner.simulation` carries it out on a virtual clock.
"""

from __future__ import annotations

import signal as signals
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trace:
    """One attempt at a run, in virtual seconds.

    It starts for `startup_seconds`, reports each of `values` after another `seconds_per_report`,
    and ends with the last of them. `is_lost`: its worker vanishes there instead. `silent_after`
    reports the worker gives no sign for `silent_seconds` while the script goes on.
    """

    values: Values
    seconds_per_report: float = 30.0
    startup_seconds: float = 2.0
    exit_code: int | None = 0
    signal: int | None = None
    error_line: str = ""
    is_lost: bool = False
    silent_after: int | None = None
    silent_seconds: float = 0.0


# Hyperparameters, the number of the run, which attempt it is (1 for the first) -> what it does.
Script = Callable[[Mapping[str, Any], int, int], Trace]


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares of the runs, 0..1, that meet each kind of fault; drawn by seed and run number."""

    seed: int = 0
    crash: float = 0.0
    nan: float = 0.0
    never_logs: float = 0.0
    preempted: float = 0.0
    lost: float = 0.0

    @property
    def total(self) -> float:
        """The share of the runs that meet any fault."""
        return self.crash + self.nan + self.never_logs + self.preempted + self.lost


def with_faults(script: Script, faults: Faults) -> Script:
    """Return a script some of whose runs fail, each at a random place.

    Raises:
        ValueError: the shares are below 0 or more than 1 together.
    """
    shares = (faults.crash, faults.nan, faults.never_logs, faults.preempted, faults.lost)
    if min(shares) < 0 or faults.total > 1:
        raise ValueError(f"Faults {shares} are shares of the runs; use 0 to 1, at most 1 in all.")
    edges = np.cumsum(shares)

    def faulty(params: Mapping[str, Any], number: int, attempt: int) -> Trace:
        trace = script(params, number, attempt)
        rng = np.random.default_rng((faults.seed, number, attempt))
        kind = int(np.searchsorted(edges, rng.random(), side="right"))
        if kind == len(shares):
            return trace
        return _FAULTS[kind](trace, int(rng.integers(0, len(trace.values) + 1)))

    return faulty


def _crashed(trace: Trace, at: int) -> Trace:
    error = "RuntimeError: the simulated script failed"
    return replace(trace, values=trace.values[:at], exit_code=1, error_line=error)


def _turned_nan(trace: Trace, at: int) -> Trace:
    values = np.array(trace.values, dtype=np.float64)
    values[at:] = np.nan
    return replace(trace, values=values)


def _mute(trace: Trace, at: int) -> Trace:
    del at
    return replace(trace, values=())


def _preempted(trace: Trace, at: int) -> Trace:
    return replace(trace, values=trace.values[:at], exit_code=None, signal=signals.SIGTERM)


def _lost(trace: Trace, at: int) -> Trace:
    return replace(trace, values=trace.values[:at], is_lost=True)


# In the order of the shares.
_FAULTS = (_crashed, _turned_nan, _mute, _preempted, _lost)
