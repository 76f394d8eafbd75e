"""The work of the studio during a campaign: sweeps that keep coming, and people who meddle."""

from __future__ import annotations

import http.client
import random
import shutil
import threading
import time
import urllib.error
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection

from experiments.models import Run, Sweep
from experiments.snapshot_rules import list_files, write_zip
from experiments.states import RUN_LIVE, SWEEP_ACTIVE, RunState, SweepState
from tests.chaos.world import World, ask

_TRAIN = Path(__file__).with_name("train.py")
_LOOK_SECONDS = 0.5
# The names of sweeps whose runs outlast the silence of a worker begin like this.
LONG = "long"
_BANDIT = {"type": "bandit", "slack_factor": 0.3, "evaluation_interval": 5, "delay_evaluation": 20}


class Work(threading.Thread):
    """Submits a sweep whenever too few go on; cancels, pauses and resumes a little."""

    def __init__(self, world: World, seed: int, *, sweeps: int, has_long: bool) -> None:
        super().__init__(name="work", daemon=True)
        self.world = world
        self.submitted = 0
        self.meddled: dict[str, int] = {}
        self._rng = random.Random(seed)
        self._least = sweeps
        self._has_long = has_long
        self._digest = ""
        self._paused: dict[str, float] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Work until told to stop; whatever is away is asked again later."""
        while not self._stopped.wait(_LOOK_SECONDS):
            self._try(self._look)
        while self._paused:
            self._try(partial(self.resume_due, everything=True))
            time.sleep(_LOOK_SECONDS)
        while self._has_long:
            self._try(self._cancel_long)
            time.sleep(_LOOK_SECONDS)
        connection.close()

    def stop(self) -> None:
        """Submit nothing more; every paused sweep is resumed."""
        self._stopped.set()
        self.join()

    def _try(self, what: Any) -> None:
        try:
            what()
        except (OSError, http.client.HTTPException, ValueError):
            return  # the web server is away: that is what this is about

    def _look(self) -> None:
        targets = ["local", "team"] if self.world.hosts else ["local"]
        for target in targets:
            least = self._least if target == "local" else 2
            active = ask(partial(self._active, target))
            if active is not None and active < least:
                self._submit(self._spec(target))
        if self._has_long and ask(partial(self._active, "local", LONG)) == 0:
            self._submit(self._long_spec())
        self.resume_due()
        if self._rng.random() < 0.15:
            self._meddle()

    def _active(self, target: str, name: str = "chaos") -> int:
        states = sorted(SWEEP_ACTIVE)
        rows = Sweep.objects.filter(name__startswith=name, state__in=states)
        return rows.filter(compute__name=target).count()

    def _submit(self, spec: dict[str, Any]) -> None:
        if not self._digest:
            self._digest = self._upload()
        self.world.studio.api("/sweeps", spec | {"snapshot": self._digest})
        self.submitted += 1

    def _upload(self) -> str:
        source = self.world.folder / "source"
        source.mkdir(exist_ok=True)
        shutil.copy(_TRAIN, source / "train.py")
        with (self.world.folder / "source.zip").open("w+b") as file:
            write_zip(list_files(source), file)
            file.seek(0)
            answer = self.world.studio.upload("/snapshots", file.read(), "application/zip")
        return str(answer["id"])

    def _spec(self, target: str) -> dict[str, Any]:
        rng = self._rng
        seconds = rng.uniform(2.0, 5.0)
        spec: dict[str, Any] = {
            "name": f"chaos {self.submitted}",
            "experiment": "chaos",
            "script": "train.py",
            "arguments": ["--seconds", f"{seconds:.1f}", "--locks", str(self.world.locks)],
            "compute": target,
            "search_space": {"x": "uniform(0, 1)"},
            "sampling": {"type": "random", "seed": rng.randrange(1 << 30)},
            "primary_metric": {"name": "score", "goal": "maximize"},
            "max_total_runs": rng.randint(4, 7),
            "max_concurrent_runs": 3 if target == "local" else 2,
        }
        if rng.random() < 0.3:
            spec["early_termination"] = _BANDIT
        if rng.random() < 0.3:
            spec["arguments"] += ["--kilobytes", "4000"]
        return spec

    def _long_spec(self) -> dict[str, Any]:
        arguments = ["--seconds", "45", "--pause", "0.1", "--locks", str(self.world.locks)]
        changes = {"name": f"{LONG} {self.submitted}", "arguments": arguments}
        limits = {"max_total_runs": 3, "max_concurrent_runs": 1}
        spec = self._spec("local") | changes | limits
        spec.pop("early_termination", None)
        return spec

    def _meddle(self) -> None:
        what = self._rng.choice(
            ["cancel a run", "pause a sweep", "pause a sweep", "cancel a sweep"]
        )
        if what == "cancel a run":
            self.cancel_run()
        elif what == "pause a sweep":
            self.pause_sweep()
        elif self._rng.random() < 0.4:
            self._cancel_sweep()

    def _note(self, what: str) -> None:
        self.meddled[what] = self.meddled.get(what, 0) + 1

    def cancel_run(self, compute: str = "") -> None:
        """Cancel some run that is running, perhaps of one compute target."""
        rows = Run.objects.filter(state=RunState.RUNNING, sweep__name__startswith="chaos")
        rows = rows.filter(sweep__compute__name=compute) if compute else rows
        found = ask(lambda: list(rows.values_list("public_id", flat=True)))
        if found:
            self.world.studio.api(f"/runs/{self._rng.choice(found)}/cancel", {})
            self._note("runs canceled")

    def pause_sweep(self) -> None:
        """Pause some sweep that has waiting runs; it goes on after some seconds."""
        rows = Run.objects.filter(state=RunState.QUEUED, sweep__state=SweepState.RUNNING)
        rows = rows.filter(sweep__name__startswith="chaos")
        found = ask(lambda: list(rows.values_list("sweep__public_id", flat=True)))
        if found:
            chosen = self._rng.choice(found)
            self._paused[chosen] = time.monotonic() + self._rng.uniform(3, 8)
            self.world.studio.api(f"/sweeps/{chosen}/pause", {})
            self._note("sweeps paused")

    def resume_due(self, *, everything: bool = False) -> None:
        """Resume the sweeps whose pause is over."""
        for sweep, until in list(self._paused.items()):
            if everything or time.monotonic() > until:
                try:
                    self.world.studio.api(f"/sweeps/{sweep}/resume", {})
                except urllib.error.HTTPError as error:
                    if error.code != 409:  # it is not paused: the pause never came, or it ended
                        raise
                del self._paused[sweep]

    def _cancel_long(self) -> None:
        """Nobody waits for what was there to be silent."""
        rows = Sweep.objects.filter(name__startswith=LONG, state__in=sorted(SWEEP_ACTIVE))
        found = ask(lambda: list(rows.values_list("public_id", flat=True)))
        for sweep in found or ():
            self.world.studio.api(f"/sweeps/{sweep}/cancel", {})
        self._has_long = found is None

    def _cancel_sweep(self) -> None:
        rows = Sweep.objects.filter(state=SweepState.RUNNING, name__startswith="chaos")
        found = ask(lambda: list(rows.values_list("public_id", flat=True)))
        if found:
            self.world.studio.api(f"/sweeps/{self._rng.choice(found)}/cancel", {})
            self._note("sweeps canceled")


def unfinished() -> list[str]:
    """Return the sweeps that go on, and the runs that are live though their sweep has ended."""
    sweeps = Sweep.objects.filter(state__in=sorted(SWEEP_ACTIVE))
    runs = Run.objects.filter(state__in=sorted(RUN_LIVE)).exclude(sweep__in=sweeps)
    found = [f"{s.public_id} {s.state}" for s in sweeps]
    return found + [f"{run.public_id} {run.state}" for run in runs]
