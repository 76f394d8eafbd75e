"""When waiting runs may start: the queue of one compute target played through.

Pure. Who is next is asked of the same `choose` that decides when a slot is really free; how long
runs last is what the ended ones of their sweeps took.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from experiments.fair_share import Choice, Line, Standing, Team, choose
from experiments.slot_ledger import Served

# What a run is taken to last, for the order alone, where nothing of its kind has ended.
_GUESS_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run that holds a slot, and for how many seconds more; None: not known."""

    workspace: int
    sweep: int
    left: float | None


@dataclass(frozen=True, slots=True)
class Start:
    """One start, in the order of starts; `seconds` from now, None where that is not known."""

    sweep: int
    seconds: float | None


def play(
    standing: Standing,
    *,
    slots: int,
    live: Iterable[LiveRun],
    usual: Mapping[int, float],
    most: int,
) -> list[Start]:
    """Return the next starts on a target, `most` at the most; runs that are held have none.

    `usual`: how long a run of a sweep lasts. A slot whose run lasts nobody knows how long is free
    after all others, at a time that is not known.
    """
    game = _Game(standing, slots, live, usual)
    while len(game.starts) < most and (game.fill(most) or game.go_on()):
        pass
    return game.starts[:most]


class _Game:
    """The target as it will be."""

    def __init__(
        self, standing: Standing, slots: int, live: Iterable[LiveRun], usual: Mapping[int, float]
    ) -> None:
        self.starts: list[Start] = []
        self._standing = standing
        self._lines = {line.sweep: line for line in standing.lines}
        self._teams = dict(standing.teams)
        self._usual = usual
        self._guess = sum(usual.values()) / len(usual) if usual else _GUESS_SECONDS
        self._served: dict[int, float] = {part.sweep: part.seconds for part in standing.served}
        self._seconds = 0.0
        self._is_known = True
        # Unknown ends come after all others: whether it is one, when, order, sweep.
        self._busy: list[tuple[bool, float, int, int]] = []
        for run in live:
            self._hold_slot(run.sweep, run.left, is_known=run.left is not None)
        self._free = slots - len(self._busy)

    def fill(self, most: int) -> bool:
        """Start what may start now; tell whether anything did."""
        before = len(self.starts)
        while self._free > 0 and len(self.starts) < most:
            choice = self._choose()
            if choice.line is None:
                break
            self._start(choice, choice.line)
        return len(self.starts) > before

    def go_on(self) -> bool:
        """Let the next run end; False when none is left."""
        if not self._busy:
            return False
        is_unknown, when, _, sweep = heapq.heappop(self._busy)
        self._is_known = self._is_known and not is_unknown
        spent = max(0.0, when - self._seconds)
        self._seconds += spent
        for line in self._lines.values():
            had = self._served.get(line.sweep, 0.0)
            self._served[line.sweep] = had + line.running * spent
        self._change(sweep, running=-1)
        self._free += 1
        return True

    def _choose(self) -> Choice:
        lines = [line for line in self._lines.values() if line.waiting or line.running]
        served = [
            Served(self._lines[sweep].workspace, sweep, seconds)
            for sweep, seconds in self._served.items()
            if sweep in self._lines
        ]
        return choose(replace(self._standing, lines=lines, teams=self._teams, served=served))

    def _start(self, choice: Choice, line: Line) -> None:
        self._standing = replace(self._standing, ledger=choice.ledger)
        self._served = {}
        self.starts.append(Start(line.sweep, self._seconds if self._is_known else None))
        self._change(line.sweep, running=1, waiting=-1)
        self._free -= 1
        lasting = self._usual.get(line.sweep)
        is_known = self._is_known and lasting is not None
        end = None if lasting is None else self._seconds + lasting
        self._hold_slot(line.sweep, end, is_known=is_known)

    def _hold_slot(self, sweep: int, until: float | None, *, is_known: bool) -> None:
        end = self._seconds + self._guess if until is None else until
        order = len(self._busy) + len(self.starts)
        heapq.heappush(self._busy, (not is_known, end, order, sweep))

    def _change(self, sweep: int, *, running: int, waiting: int = 0) -> None:
        line = self._lines.get(sweep)
        if line is None:
            return
        self._lines[sweep] = replace(
            line, running=max(0, line.running + running), waiting=line.waiting + waiting
        )
        team = self._teams.get(line.workspace, Team())
        started = team.started_today + (1 if waiting and not line.is_check else 0)
        self._teams[line.workspace] = replace(
            team, running=max(0, team.running + running), started_today=started
        )
