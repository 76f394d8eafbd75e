"""One campaign from the first fault to the verdict."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from experiments.models import Run, Sweep
from tests.chaos import verdict
from tests.chaos.faults import Fault, Striker
from tests.chaos.plan import SILENT, Card
from tests.chaos.processes import processes_by_run, processes_of_folder
from tests.chaos.report import Hit, Outcome, markdown
from tests.chaos.watch import FALSE_SECONDS, LEFT_SECONDS, Recovery, Watch
from tests.chaos.work import Work, unfinished
from tests.chaos.world import World, ask

_END_SECONDS = 600.0
_GONE_SECONDS = 30.0


class Campaign:
    """Plays the cards on a world that works, heals it, waits for every end, and judges."""

    def __init__(
        self, world: World, cards: Sequence[Card], *, seed: int, options: argparse.Namespace
    ) -> None:
        self.world = world
        self.cards = cards
        self.seed = seed
        self.options = options
        self.work = Work(world, seed, sweeps=options.workers - 1, has_long=not options.short)
        self.striker = Striker(world, self.work, patience=6.0 if options.short else 20.0)
        self.watch = Watch(world, self.striker)
        self.recovery = Recovery(self.striker)
        self._begun = time.monotonic()

    def run(self) -> Outcome:
        """Do everything and take the world down whatever happens."""
        try:
            self.world.start()
            self._say("everything is up")
            for thread in (self.work, self.watch, self.recovery):
                thread.start()
            self._play()
            left = self._settle()
            code = self.world.stop()
            outcome = self._judge(left, code)
        finally:
            self.world.stop_hard()
            self.world.take_down()
        text = markdown(outcome)
        print(f"\n{text}", flush=True)
        if self.options.report:
            Path(self.options.report).write_text(text)
        for line in self.watch.evidence:
            print(f"SEEN: {line}", flush=True)
        for what, evidence in outcome.checks:
            for line in evidence[:50]:
                print(f"VIOLATION ({what}): {line}", flush=True)
        return outcome

    def _play(self) -> None:
        waiting = list(self.cards)
        again: list[Card] = []
        while waiting:
            card = waiting.pop(0)
            fault = self.striker.play(card)
            if not waiting or waiting[0].state != SILENT:
                self.striker.wake()
            if fault is None and card not in again:
                again.append(card)
                waiting.append(card)
            self._tell(card, fault)
            time.sleep(card.pause)

    def _tell(self, card: Card, fault: Fault | None) -> None:
        done = len(self.striker.faults)
        what = f"{fault.victim} ({fault.run})" if fault else "no such run came; later"
        self._say(f"{done}/{len(self.cards)} #{card.number} {card.kind} in {card.state}: {what}")

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._begun:7.1f}  {text}", flush=True)

    def _settle(self) -> list[str]:
        """Heal everything and wait until all work has ended; return what has not."""
        self.striker.wake()
        self.striker.heal()
        self.work.stop()
        self._say("all faults are healed; waiting for the ends")
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline:
            open_work = ask(unfinished)
            if open_work == [] and not self.recovery.pending() and not self._unsent():
                break
            time.sleep(0.5)
        time.sleep(1.0)  # one more look at everything
        for thread in (self.recovery, self.watch):
            thread.stop()
        left = [f"#{f.card.number} {f.card.kind}: {f.victim}" for f in self.recovery.pending()]
        return left + [f"not sent: {path}" for path in self._unsent()]

    def _unsent(self) -> list[Path]:
        return [
            path
            for host in self.world.hosts
            for path in host.home.glob("storage/runs/*/*/metrics.jsonl")
        ]

    def _survivors(self) -> list[str]:
        deadline = time.monotonic() + _GONE_SECONDS
        own = set(Run.objects.values_list("public_id", flat=True))
        while True:
            runs = processes_by_run()
            found = [f"{run}: {runs[run]}" for run in runs if run in own]
            found += processes_of_folder(self.world.folder)
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.5)

    def _judge(self, left: list[str], code: int) -> Outcome:
        journals = verdict.Journals(self.world.kept)
        false = {run: s for run, s in self.watch.false_running.items() if s > FALSE_SECONDS}
        behind = {run: s for run, s in self.watch.left_behind.items() if s > LEFT_SECONDS}
        checks = [
            ("reports in journals and not in the database, or there twice", journals.problems()),
            ("configurations completed twice", verdict.completed_twice()),
            ("runs repeated twice", verdict.repeated_twice()),
            ("attempts at one configuration at the same time", verdict.overlaps(self.world.locks)),
            ("processes that survived the studio", self._survivors()),
            ("sweeps and runs without an end", verdict.not_ended()),
            (
                "runs falsely Running for more than 30 s",
                [f"{r}: {s:.0f} s" for r, s in false.items()],
            ),
            ("processes of ended runs after 30 s", [f"{r}: {s:.0f} s" for r, s in behind.items()]),
            ("runs blamed for what was done to them", verdict.blamed_wrongly()),
            ("sweeps failed by their sampler", verdict.failed_sweeps()),
            ("faults that were never over", left),
            ("exit code of the last stop", [] if code == 0 else [f"exit code {code}"]),
        ]
        return Outcome(
            seed=self.seed,
            database="SQLite" if self.options.database == "sqlite" else "PostgreSQL",
            hosts=self.options.hosts,
            minutes=(time.monotonic() - self._begun) / 60,
            hits=[Hit(f.card.kind, f.state, f.seconds) for f in self.striker.faults],
            facts=self._facts(journals),
            checks=checks,
        )

    def _facts(self, journals: verdict.Journals) -> list[tuple[str, str]]:
        sweeps = Counter(Sweep.objects.values_list("state", flat=True))
        ends = Counter(Run.objects.values_list("state", "end_reason"))
        runs = ", ".join(f"{n} {s} ({reason})" for (s, reason), n in sorted(ends.items()))
        return [
            ("sweeps", ", ".join(f"{n} {state}" for state, n in sorted(sweeps.items()))),
            ("runs", runs),
            ("reports compared one by one", str(journals.reports)),
            ("looks at rows and processes", f"{self.watch.samples}"),
            (
                "longest falsely Running",
                f"{max(self.watch.false_running.values(), default=0):.1f} s",
            ),
            ("lives of the studio", str(self.world.supervisor.lives)),
            (
                "meanwhile",
                ", ".join(f"{n} {what}" for what, n in sorted(self.work.meddled.items())),
            ),
            ("cards without such a run", str(len(self.cards) - len(self.striker.faults))),
        ]
