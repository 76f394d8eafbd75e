"""Look on all along: how long faults take to be over, and what the studio wrongly believes.

A run is *falsely Running* while its row says Running and no process of it exists. Only the time in
which the studio can know is counted: the database answers, and a watchdog lives that has begun to
work (RQ has listed it once). What is *left behind* is counted likewise: a process of a run that has
ended.
"""

from __future__ import annotations

import os
import threading
import time

from django.db import connection

from experiments.models import Run
from experiments.states import RUN_TERMINAL, RunState
from tests.chaos.faults import Fault, Striker
from tests.chaos.processes import child_of, processes_by_run
from tests.chaos.world import World, ask

FALSE_SECONDS = 30.0
LEFT_SECONDS = 30.0
_LOOK_SECONDS = 0.4
# A look that came later than this (the machine was busy) counts as this long.
_LONGEST_LOOK = 3.0


class Watch(threading.Thread):
    """Samples rows and processes until told to stop."""

    def __init__(self, world: World, striker: Striker) -> None:
        super().__init__(name="watch", daemon=True)
        self.world = world
        self._striker = striker
        self._working: set[int] = set()
        self.false_running: dict[str, float] = {}
        self.left_behind: dict[str, float] = {}
        self.evidence: list[str] = []
        self.samples = 0
        self.seconds_up = 0.0
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look again and again."""
        last = time.monotonic()
        was_up = False
        while not self._stopped.wait(_LOOK_SECONDS):
            self._keep_journals()
            rows = ask(self._rows)
            alive = processes_by_run()
            now = time.monotonic()
            is_up = rows is not None and self._has_watchdog()
            if rows is not None and is_up and was_up:
                self._count(dict(rows), alive, min(now - last, _LONGEST_LOOK))
            last, was_up = now, is_up
        connection.close()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()

    def _rows(self) -> list[tuple[str, str]]:
        # What ended long ago and had no process then has none now.
        return list(Run.objects.order_by("-pk").values_list("public_id", "state")[:600])

    def _has_watchdog(self) -> bool:
        process = self.world.studio.process
        pids = set(child_of(process.pid, "watchdog")) if process is not None else set()
        self._working &= pids
        if pids - self._working:
            self._working |= {pid for pid in pids if f"-{pid}" in self._striker.listed_by_rq()}
        return bool(self._working)

    def _count(self, states: dict[str, str], alive: dict[str, list[int]], seconds: float) -> None:
        self.samples += 1
        self.seconds_up += seconds
        for run, state in states.items():
            if state == RunState.RUNNING and run not in alive:
                self._add(
                    self.false_running, run, seconds, FALSE_SECONDS, "Running without a process"
                )
            elif state in RUN_TERMINAL and run in alive:
                what = f"ended ({state}) with processes {alive[run]}"
                self._add(self.left_behind, run, seconds, LEFT_SECONDS, what)

    def _add(
        self, sums: dict[str, float], run: str, seconds: float, most: float, what: str
    ) -> None:
        before = sums.get(run, 0.0)
        sums[run] = before + seconds
        if before <= most < sums[run]:
            fields = ("host", "executor_pid", "guard_pid", "lease_expires_at", "end_reason")
            row = ask(Run.objects.filter(public_id=run).values_list(*fields).first)
            when = time.strftime("%H:%M:%S")
            self.evidence.append(f"{when} {run}: {what} for more than {most:.0f} s: {row}")

    def _keep_journals(self) -> None:
        """Keep a second name of every journal: other machines remove theirs when all is sent."""
        for home in (self.world.home, *(host.home for host in self.world.hosts)):
            for journal in home.glob("storage/runs/*/*/metrics.jsonl"):
                try:
                    folder = self.world.kept / journal.parent.parent.name
                    folder.mkdir(exist_ok=True)
                    os.link(journal, folder / f"{journal.parent.name}@{journal.stat().st_ino}")
                except OSError:
                    continue  # it is known, or it is gone


class Recovery(threading.Thread):
    """Notes for each fault when all was well again."""

    def __init__(self, striker: Striker) -> None:
        super().__init__(name="recovery", daemon=True)
        self._striker = striker
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look again and again."""
        while not self._stopped.wait(0.1):
            for fault in self.pending():
                if fault.healed_at is not None and time.monotonic() < fault.healed_at:
                    continue
                if ask(fault.is_well):
                    fault.seconds = time.monotonic() - (fault.healed_at or fault.at)
        connection.close()

    def pending(self) -> list[Fault]:
        """Return the faults that are not over yet."""
        return [fault for fault in list(self._striker.faults) if fault.seconds is None]

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()
