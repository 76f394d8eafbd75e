"""Which waiting run a free slot takes: that of the workspace that has had the least of the target.

Pure: counts and seconds in, a decision and its reasons out. The rule, its bounds and a worked
example are in docs/scheduling.md; claims, pages and the simulation of the queue all ask `choose`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from experiments.formats import format_filesize

DEFAULT_PRIORITY: Final = 10
# A running run counts as if it went on for so long: slots are shared now, not only in the long run.
AHEAD_SECONDS: Final = 300.0
# What a start costs besides the time of its run: runs that fail at once are not for free.
START_SECONDS: Final = 1.0


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
class Served:
    """Slot time of a sweep since the ledger was settled."""

    workspace: int
    sweep: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Shares:
    """What everybody has had, in slot-seconds by weight; only differences mean something.

    Who comes anew begins at `floor`, level with those that wait. `present`: who waited or ran at
    the last start; `is_contended`: somebody was left waiting then, so that time counts.
    """

    used: Mapping[int, float] = field(default_factory=dict)
    floor: float = 0.0
    present: frozenset[int] = frozenset()
    is_contended: bool = False


@dataclass(frozen=True, slots=True)
class Ledger:
    """The shares of the workspaces on a target, and of the sweeps in each; `at` is Unix time."""

    at: float = 0.0
    teams: Shares = field(default_factory=Shares)
    sweeps: Mapping[int, Shares] = field(default_factory=dict)

    @property
    def is_contended(self) -> bool:
        """Whether somebody was left waiting at the last start."""
        return self.teams.is_contended

    def dump(self) -> dict[str, Any]:
        """Return it as JSON."""
        sweeps = {str(key): _dump(shares) for key, shares in self.sweeps.items()}
        return {"at": self.at, "teams": _dump(self.teams), "sweeps": sweeps}

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Ledger:
        """Return what `dump` gave; an empty one for anything else, which only forgets."""
        try:
            sweeps = {int(key): _load(shares) for key, shares in stored["sweeps"].items()}
            return cls(float(stored["at"]), _load(stored["teams"]), sweeps)
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls()


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


def serve(
    spans: Iterable[tuple[int, int, float, float | None]], since: float, now: float
) -> list[Served]:
    """Return the slot time between two moments of runs as (workspace, sweep, start, end)."""
    seconds: dict[tuple[int, int], float] = {}
    for workspace, sweep, start, end in spans:
        spent = min(now, now if end is None else end) - max(since, start)
        key = (workspace, sweep)
        seconds[key] = seconds.get(key, 0.0) + max(0.0, spent)
    return [Served(workspace, sweep, spent) for (workspace, sweep), spent in seconds.items()]


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
    teams = _settle_shares(
        ledger.teams,
        {workspace: sum(parts.values()) for workspace, parts in served.items()},
        able={line.workspace for line in able},
        present={line.workspace for line in lines},
        weights=_weights(standing),
        keeps_absent=True,
    )
    sweeps = {
        workspace: _settle_shares(
            ledger.sweeps.get(workspace, Shares()),
            served.get(workspace, {}),
            able={line.sweep for line in able if line.workspace == workspace},
            present={line.sweep for line in lines if line.workspace == workspace},
        )
        for workspace in {line.workspace for line in lines}
    }
    return Ledger(standing.now, teams, sweeps)


def _settle_shares(
    shares: Shares,
    served: Mapping[int, float],
    *,
    able: Collection[int],
    present: Collection[int],
    weights: Mapping[int, float] | None = None,
    keeps_absent: bool = False,
) -> Shares:
    used, floor = dict(shares.used), shares.floor
    if shares.is_contended:
        for key, seconds in served.items():
            used[key] = used.get(key, floor) + seconds / (weights or {}).get(key, 1.0)
    # Who was there all along keeps what it is due; nobody is due anything for time away.
    known = [key for key in able if key in shares.present]
    for key in known:
        used[key] = max(used.get(key, floor), floor)
    floor = max(floor, min((used[key] for key in known), default=floor))
    for key in set(able).difference(known):
        used[key] = max(used.get(key, floor), floor)
    kept = {
        key: had for key, had in used.items() if key in present or (keeps_absent and had > floor)
    }
    return Shares(kept, floor, frozenset(present), shares.is_contended)


def _charge(ledger: Ledger, standing: Standing, able: Sequence[Line], chosen: Line) -> Ledger:
    """Return the ledger after a start."""
    left = [line for line in able if line is not chosen or line.waiting > 1]
    weight = _weights(standing).get(chosen.workspace, 1.0)
    teams = _charge_shares(ledger.teams, chosen.workspace, weight, is_contended=bool(left))
    sweeps = dict(ledger.sweeps)
    for workspace, shares in ledger.sweeps.items():
        # Its sweeps compete among themselves only.
        is_contended = any(line.workspace == workspace for line in left)
        if workspace == chosen.workspace:
            shares = _charge_shares(shares, chosen.sweep, 1.0, is_contended=is_contended)
        sweeps[workspace] = replace(shares, is_contended=is_contended)
    return Ledger(ledger.at, teams, sweeps)


def _charge_shares(shares: Shares, key: int, weight: float, *, is_contended: bool) -> Shares:
    used = {**shares.used, key: shares.used[key] + START_SECONDS / weight}
    return replace(shares, used=used, is_contended=is_contended)


def _weights(standing: Standing) -> dict[int, float]:
    return {key: team.weight for key, team in standing.teams.items()}


def _oldest(line: Line) -> int:
    return line.first


def _dump(shares: Shares) -> dict[str, Any]:
    # Relative to the floor, so that numbers stay small and exact however long a studio lives.
    used = {str(key): round(had - shares.floor, 3) for key, had in shares.used.items()}
    return {"used": used, "present": sorted(shares.present), "contended": shares.is_contended}


def _load(stored: Mapping[str, Any]) -> Shares:
    used = {int(key): float(had) for key, had in stored["used"].items()}
    present = frozenset(int(key) for key in stored["present"])
    return Shares(used, 0.0, present, bool(stored["contended"]))
