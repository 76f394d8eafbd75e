"""Which waiting run a free slot takes: that of the workspace that has had the least of the target.

Pure: counts and seconds in, a decision and its reasons out. The rule, its bounds and a worked
example are in docs/reference/scheduling.md; claims, pages and simulated queues ask `choose`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from experiments.formats import format_filesize
from experiments.slot_ledger import Ledger, Served, Shares, charge_shares, settle_shares

DEFAULT_PRIORITY: Final = 10
# A running run counts as if it went on for so long: slots are shared now, not only in the long run.
AHEAD_SECONDS: Final = 300.0


class HoldKind(StrEnum):
    """What keeps a run from starting although a slot may be free."""

    MAINTENANCE = "maintenance"
    DRAINING = "draining"
    RUNNING_RUNS = "max_running_runs"
    RUNS_PER_DAY = "max_runs_per_day"
    STORAGE = "max_storage_bytes"


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a run may not start, as a person reads it."""

    kind: HoldKind
    sentence: str


@dataclass(frozen=True, slots=True)
class Team:
    """A workspace: its priority, its quota (None: no limit) and what it uses of it everywhere."""

    name: str = ""
    priority: int = DEFAULT_PRIORITY
    max_running: int | None = None
    max_per_day: int | None = None
    max_stored: int | None = None
    running: int = 0
    started_today: int = 0
    stored: int = 0

    @property
    def weight(self) -> float:
        """Its share beside others; 1 unless somebody gave it another priority."""
        return max(1, self.priority) / DEFAULT_PRIORITY

    def hold(self, *, is_check: bool = False) -> Hold | None:
        """Return what keeps its runs from starting.

        A check takes a slot, so it obeys the first limit alone: it is no run of the day and leaves
        no files.
        """
        if self.max_running is not None and self.running >= self.max_running:
            return Hold(HoldKind.RUNNING_RUNS, self._running_sentence(self.max_running))
        if is_check:
            return None
        if self.max_per_day is not None and self.started_today >= self.max_per_day:
            text = (
                f"workspace {self.name} has started {self.started_today} of {self.max_per_day} "
                "runs a day; it goes on at 00:00 UTC"
            )
            return Hold(HoldKind.RUNS_PER_DAY, text)
        if self.max_stored is not None and self.stored >= self.max_stored:
            used, limit = format_filesize(self.stored), format_filesize(self.max_stored)
            text = f"workspace {self.name} has used up its storage: {used} of {limit}"
            return Hold(HoldKind.STORAGE, text)
        return None

    def _running_sentence(self, limit: int) -> str:
        if limit == 0:
            return f"workspace {self.name} may run nothing: its limit of running runs is 0"
        return f"{self.running} of {limit} running slots of workspace {self.name} are in use"


@dataclass(frozen=True, slots=True)
class Line:
    """The runs of one sweep on one target: those that wait (`first`: the key of the next one) and
    those that hold a slot.
    """

    workspace: int
    sweep: int
    waiting: int = 0
    first: int = 0
    running: int = 0
    is_check: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that a decision looks at. `closed` holds every run of the target."""

    lines: Sequence[Line]
    teams: Mapping[int, Team]
    ledger: Ledger = field(default_factory=Ledger)
    served: Sequence[Served] = ()
    now: float = 0.0
    closed: Hold | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The line whose first run starts (None: none may), the ledger after that, and why sweeps wait
    that may not have a slot now.
    """

    line: Line | None
    ledger: Ledger
    holds: Mapping[int, Hold]


def choose(standing: Standing) -> Choice:
    """Choose what a free slot takes: a check first, then by what everybody has had so far.

    Some run is chosen whenever one may start.
    """
    holds = holds_of(standing)
    able = [line for line in standing.lines if line.waiting and line.sweep not in holds]
    if not able:
        return Choice(None, standing.ledger, holds)
    settled = _settle(standing, able)
    checks = [line for line in able if line.is_check]
    chosen = min(checks, key=_oldest) if checks else _least(standing, able, settled)
    return Choice(chosen, _charge(settled, standing, able, chosen), holds)


def holds_of(standing: Standing) -> dict[int, Hold]:
    """Return, by sweep, what keeps waiting runs from starting."""
    found: dict[int, Hold] = {}
    for line in standing.lines:
        team = standing.teams.get(line.workspace, Team())
        hold = standing.closed or team.hold(is_check=line.is_check)
        if line.waiting and hold is not None:
            found[line.sweep] = hold
    return found


def _least(standing: Standing, able: Sequence[Line], ledger: Ledger) -> Line:
    """Return the line that is next: first the workspace is chosen, then the sweep in it."""
    running: dict[int, int] = {}
    for line in standing.lines:
        running[line.workspace] = running.get(line.workspace, 0) + line.running
    weights = _weights(standing)
    oldest: dict[int, int] = {}
    for line in able:
        oldest[line.workspace] = min(line.first, oldest.get(line.workspace, line.first))

    def had(workspace: int) -> tuple[float, int]:
        ahead = running[workspace] * AHEAD_SECONDS / weights.get(workspace, 1.0)
        return ledger.teams.used[workspace] + ahead, oldest[workspace]

    workspace = min(oldest, key=had)
    sweeps = ledger.sweeps[workspace]
    mine = [line for line in able if line.workspace == workspace]
    return min(
        mine,
        key=lambda line: (sweeps.used[line.sweep] + line.running * AHEAD_SECONDS, line.first),
    )


def _settle(standing: Standing, able: Sequence[Line]) -> Ledger:
    """Bring the ledger up to the present: slot time is charged, newcomers are levelled."""
    ledger, lines = standing.ledger, standing.lines
    served: dict[int, dict[int, float]] = {}
    for part in standing.served:
        served.setdefault(part.workspace, {})[part.sweep] = part.seconds
    teams = settle_shares(
        ledger.teams,
        {workspace: sum(parts.values()) for workspace, parts in served.items()},
        able={line.workspace for line in able},
        present={line.workspace for line in lines},
        weights=_weights(standing),
        keeps_absent=True,
    )
    sweeps = {
        workspace: settle_shares(
            ledger.sweeps.get(workspace, Shares()),
            served.get(workspace, {}),
            able={line.sweep for line in able if line.workspace == workspace},
            present={line.sweep for line in lines if line.workspace == workspace},
        )
        for workspace in {line.workspace for line in lines}
    }
    return Ledger(standing.now, teams, sweeps)


def _charge(ledger: Ledger, standing: Standing, able: Sequence[Line], chosen: Line) -> Ledger:
    """Return the ledger after a start."""
    left = [line for line in able if line is not chosen or line.waiting > 1]
    weight = _weights(standing).get(chosen.workspace, 1.0)
    teams = charge_shares(ledger.teams, chosen.workspace, weight, is_contended=bool(left))
    sweeps = dict(ledger.sweeps)
    for workspace, shares in ledger.sweeps.items():
        # Its sweeps compete among themselves only.
        is_contended = any(line.workspace == workspace for line in left)
        if workspace == chosen.workspace:
            shares = charge_shares(shares, chosen.sweep, 1.0, is_contended=is_contended)
        sweeps[workspace] = replace(shares, is_contended=is_contended)
    return Ledger(ledger.at, teams, sweeps)


def _weights(standing: Standing) -> dict[int, float]:
    return {key: team.weight for key, team in standing.teams.items()}


def _oldest(line: Line) -> int:
    return line.first
