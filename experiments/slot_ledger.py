"""What everybody has had of a compute target: slot time by weight, settled at every start.

Pure; `experiments/fair_share.py` decides by it. It is kept as JSON; lost, it makes all begin level.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

# What a start costs besides the time of its run: runs that fail at once are not for free.
START_SECONDS: Final = 1.0


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


def settle_shares(
    shares: Shares,
    served: Mapping[int, float],
    *,
    able: Collection[int],
    present: Collection[int],
    weights: Mapping[int, float] | None = None,
    keeps_absent: bool = False,
) -> Shares:
    """Return the shares with slot time charged and those that come anew made level.

    `able`: who may start something; `present`: who waits or runs. `keeps_absent`: what somebody who
    is away has had is remembered until the others have had as much.
    """
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


def charge_shares(shares: Shares, key: int, weight: float, *, is_contended: bool) -> Shares:
    """Return the shares after a start; `is_contended`: somebody is left waiting."""
    used = {**shares.used, key: shares.used[key] + START_SECONDS / weight}
    return replace(shares, used=used, is_contended=is_contended)


def _dump(shares: Shares) -> dict[str, Any]:
    # Relative to the floor, so that numbers stay small and exact however long a studio lives.
    used = {str(key): round(had - shares.floor, 3) for key, had in shares.used.items()}
    return {"used": used, "present": sorted(shares.present), "contended": shares.is_contended}


def _load(stored: Mapping[str, Any]) -> Shares:
    used = {int(key): float(had) for key, had in stored["used"].items()}
    present = frozenset(int(key) for key in stored["present"])
    return Shares(used, 0.0, present, bool(stored["contended"]))
