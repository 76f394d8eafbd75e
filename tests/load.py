"""Many runs that report at once to a real studio: what is lost, what gets slow, what it costs.

    make load ARGS="--runs 100 --rate 10 --seconds 60 --database sqlite"     (or postgres)

`studio up` and `studio worker --slots RUNS` are started on an empty folder; a sweep puts one script
on each slot. When all of them run, a file lets them go: each logs `rate` reports a second for
`seconds`. Meanwhile a signed-in client reads the sweep's page, its runs and its chart every second,
and one websocket listens. At the end the lines of every journal are compared with the reports in
the database, value by value, and the logs of all processes are searched for errors. Exit code 1
when anything is lost or an error was logged; times are told and never judged.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar

import psutil
from websockets.sync.client import connect

from tests.bench_machine import cpu_seconds, pss_mb
from tests.servers import ROOT, LiveStudio, studio_on

SCRIPT = """
import pathlib, sys, time
from studio.sdk import Run

go, rate, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
width = float(sys.argv[5])
run = Run.get_context()
while not go.exists():
    time.sleep(0.1)
begun = time.monotonic()
for number in range(round(rate * seconds)):
    time.sleep(max(0.0, begun + number / rate - time.monotonic()))
    run.log("m", width * (1 - 2.0 ** (-number / 60)))
"""
ERRORS = re.compile(r"database is locked|deadlock|traceback|no space left", re.IGNORECASE)
_PAGES = ("page", "runs", "chart")


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the studio."""

    runs: int
    rate: float
    seconds: float
    database: str = "sqlite"

    @property
    def reports(self) -> int:
        """How many reports there are in all."""
        return self.runs * round(self.rate * self.seconds)


@dataclass(slots=True)
class Seen:
    """What was measured; times in seconds, memory in MB, CPU in cores."""

    slots_ready: float = 0.0
    all_running: float = 0.0
    until_ended: float = 0.0
    states: list[str] = field(default_factory=list)
    stored: int = 0
    in_journals: int = 0
    wrong: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    pages: dict[str, list[float]] = field(default_factory=lambda: {n: [] for n in _PAGES})
    behind: list[float] = field(default_factory=list)
    points: int = 0
    silence: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)

    def problems(self, load: Load) -> list[str]:
        """Return what must not be, in sentences."""
        found = [*self.wrong, *self.errors]
        if self.states != ["Completed"] * load.runs:
            found.append(f"Not all of {load.runs} runs completed: {self.states}")
        if not self.stored == self.in_journals == load.reports:
            text = f"{load.reports} reports were made, {self.in_journals} are in journals"
            found.append(f"{text}, {self.stored} in the database.")
        return found


def main() -> int:
    """Put the load on a studio, print what was seen as a table; 1 when something was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    load = Load(**vars(parser.parse_args()))
    before = os.getloadavg()[0]
    seen = put_load(load)
    print_table(load, seen, before)
    problems = seen.problems(load)
    print(*problems, sep="\n")
    return 1 if problems else 0


def put_load(load: Load) -> Seen:
    """Start a studio, put the load on it, take it down again; return what was seen."""
    with studio_on(load.database) as studio:
        return _Trial(studio, load).run()


class _Trial:
    """One load on one studio."""

    def __init__(self, studio: LiveStudio, load: Load) -> None:
        self.studio = studio
        self.load = load
        self.seen = Seen()
        self.go = studio.home / "go"
        self.is_over = threading.Event()
        self.are_ready = threading.Barrier(3)
        self.sweep = ""

    def run(self) -> Seen:
        """Put the load on the studio, with everybody who watches it."""
        log = self.studio.home / "logs" / "slots.log"
        words = ["-m", "django", "studio_worker", "--slots", str(self.load.runs)]
        with log.open("ab") as output:
            slots = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env=self.studio.environment | {"DJANGO_SETTINGS_MODULE": "studio.settings"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            self._measure(psutil.Process(slots.pid))
            self._compare()
        finally:
            slots.terminate()
            slots.wait(120)
        self._read_logs()
        return self.seen

    def _measure(self, slots: psutil.Process) -> None:
        begun = time.monotonic()
        ready = "from experiments.models import Worker; print(Worker.objects.count())"
        count = f"import django; django.setup(); {ready}"
        self._wait(lambda: int(self.studio.run_python(count)) == self.load.runs)
        self.seen.slots_ready = time.monotonic() - begun
        begun = time.monotonic()
        self.sweep = self._submit()
        self._wait(lambda: self._states().count("Running") == self.load.runs)
        self.seen.all_running = time.monotonic() - begun
        assert self.studio.process is not None
        parts = parts_of(psutil.Process(self.studio.process.pid), slots)
        self.seen.memory = {name: pss_mb(part) for name, part in parts.items()}
        watchers = [threading.Thread(target=look) for look in (self._look, self._listen)]
        for watcher in watchers:
            watcher.start()
        self.are_ready.wait(300)
        before = {name: cpu_seconds(part) for name, part in parts.items()}
        begun = time.monotonic()
        self.go.touch()
        time.sleep(self.load.seconds * 0.9)  # what has ended by then has no times any more
        passed = time.monotonic() - begun
        self.seen.cpu = {n: (cpu_seconds(part) - before[n]) / passed for n, part in parts.items()}
        self.studio.wait_for_end(self.sweep, 600)
        self.seen.until_ended = time.monotonic() - begun - self.load.seconds
        time.sleep(1)  # the last frame
        self.is_over.set()
        for watcher in watchers:
            watcher.join()

    def _wait(self, is_true: Callable[[], bool], seconds: float = 600.0) -> None:
        deadline = time.monotonic() + seconds
        studio = self.studio.process
        while not is_true():
            assert studio is not None
            assert studio.poll() is None, self.studio.output.read_text()
            assert time.monotonic() < deadline, self._states()
            time.sleep(0.5)

    def _submit(self) -> str:
        source = self.studio.home / "source"
        source.mkdir()
        (source / "train.py").write_text(SCRIPT)
        load = self.load
        spec = {
            "name": "load",
            "source_directory": str(source),
            "script": "train.py",
            "arguments": [str(self.go), str(load.rate), str(load.seconds)],
            "search_space": {"width": "uniform(0.8, 1)"},
            "primary_metric": {"name": "m", "goal": "maximize"},
            "early_termination": {"type": "bandit", "slack_factor": 0.99},
            "max_total_runs": load.runs,
            "max_concurrent_runs": load.runs,
        }
        return str(self.studio.api("/sweeps", spec)["id"])

    def _states(self) -> list[str]:
        code = (
            "import django; django.setup(); from experiments.models import Run; "
            f"print(*Run.objects.filter(sweep__public_id={self.sweep!r})"
            ".values_list('state', flat=True))"
        )
        return self.studio.run_python(code).split()

    def _look(self) -> None:
        """Read what a person's browser reads, once a second."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        opener.open(self.studio.sign_in_link(), timeout=60).read()
        sweep = f"{self.studio.url}/sweeps/{self.sweep}"
        addresses = (f"{sweep}/", f"{sweep}/runs/", f"{sweep}/charts/metrics.json")
        self.are_ready.wait(300)
        while not self.is_over.is_set():
            for name, address in zip(_PAGES, addresses, strict=True):
                begun = time.monotonic()
                opener.open(address, timeout=60).read()
                self.seen.pages[name].append(time.monotonic() - begun)
            self.is_over.wait(1)

    def _listen(self) -> None:
        """Listen to the socket of the sweep's page; what is new tells how late it is."""
        jar = CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        opener.open(self.studio.sign_in_link(), timeout=60).read()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
        address = f"ws://127.0.0.1:{self.studio.port}/ws/sweeps/{self.sweep}/"
        headers = {"Cookie": cookies, "Origin": self.studio.url}
        with connect(address, additional_headers=headers, max_size=None) as socket:
            self.are_ready.wait(300)
            last = time.time()
            while not self.is_over.is_set():
                try:
                    frame = json.loads(socket.recv(timeout=1))
                except TimeoutError:
                    continue
                now = time.time()
                times = [t for e in frame["events"] if e["type"] == "metrics" for t in e["times"]]
                if times:
                    self.seen.silence = max(self.seen.silence, now - last)
                    last = now
                    self.seen.points += len(times)
                    self.seen.behind += [now - time for time in times]

    def _compare(self) -> None:
        """Compare every journal with the database."""
        rows = json.loads(self.studio.run_python(_COMPARE.format(self.sweep)).splitlines()[-1])
        for row in rows:
            self.seen.states.append(row["state"])
            self.seen.in_journals += row["journal"]
            self.seen.stored += row["stored"]
            if row["difference"]:
                self.seen.wrong.append(f"Run {row['number']}: {row['difference']}")

    def _read_logs(self) -> None:
        for log in sorted((self.studio.home / "logs").glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()
            for number, line in enumerate(lines):
                if ERRORS.search(line):
                    # The exception stands below its traceback.
                    ends = (text for text in lines[number + 1 :] if not text.startswith(" "))
                    self.seen.errors.append(f"{log.name}: {line} {next(ends, '')}")
            if self.seen.errors and os.environ.get("LOAD_KEEP"):
                shutil.copy(log, os.environ["LOAD_KEEP"])


_COMPARE = """
import django; django.setup()
import json, pathlib
import numpy as np
from experiments.models import MetricChunk, Run
from studio.sdk.run import parse_report
rows = []
for run in Run.objects.filter(sweep__public_id={0!r}).order_by("number"):
    lines = pathlib.Path(run.directory, "metrics.jsonl").read_bytes().splitlines()
    made = [parse_report(line)[1] for line in lines]
    chunks = MetricChunk.objects.filter(series__run=run, series__name="m").order_by("first")
    kept = [v for chunk in chunks for v in np.frombuffer(chunk.values, dtype="<f8").tolist()]
    difference = "" if made == kept else f"{{len(made)}} made, {{len(kept)}} kept"
    rows.append(dict(number=run.number, state=run.state, journal=len(made), stored=len(kept),
                     difference=difference))
print(json.dumps(rows))
"""


def parts_of(supervisor: psutil.Process, slots: psutil.Process) -> dict[str, list[psutil.Process]]:
    """Return the processes of the studio by what they do."""
    parts: dict[str, list[psutil.Process]] = {"slots": [slots, *slots.children(recursive=True)]}
    scripts = [p for p in parts["slots"] if "train.py" in p.cmdline()[1:2]]
    parts["scripts"] = scripts
    parts["slots"] = [process for process in parts["slots"] if process not in scripts]
    for child in supervisor.children():
        line = " ".join(child.cmdline())
        name = "web" if "uvicorn" in line else "watchdog" if "control" in line else "Valkey"
        parts.setdefault(name, []).append(child)
    return parts


def print_table(load: Load, seen: Seen, load_before: float) -> None:
    """Print what was seen as a Markdown table."""
    print(f"\n{load.runs} runs x {load.rate:g}/s x {load.seconds:g} s, {load.database}; ", end="")
    print(f"load average before: {load_before:.1f}\n\n| what | measured |\n|---|---|")
    rows = [
        ("reports made / in the database", f"{seen.in_journals} / {seen.stored}"),
        ("errors in logs", str(len(seen.errors))),
        ("slots ready after", f"{seen.slots_ready:.1f} s"),
        ("all runs running after", f"{seen.all_running:.1f} s"),
        ("all runs ended after the last report", f"{seen.until_ended:.1f} s"),
        ("report to websocket, p50 / p95", " / ".join(_quantiles(seen.behind))),
        ("largest silence of the websocket", f"{seen.silence:.2f} s"),
        ("reports seen by the websocket", str(seen.points)),
    ]
    rows += [
        (f"{name}, p50 / p95 / worst", f"{' / '.join(_quantiles(times))} / {max(times):.2f} s")
        for name, times in seen.pages.items()
        if times
    ]
    rows += [(f"CPU of {name}", f"{cores:.2f} cores") for name, cores in seen.cpu.items()]
    rows += [(f"memory of {n} (PSS)", f"{mb:.0f} MB") for n, mb in seen.memory.items()]
    for row in rows:
        print("| " + " | ".join(row) + " |")


def _quantiles(values: list[float]) -> list[str]:
    if len(values) < 2:
        return ["-", "-"]
    cuts = statistics.quantiles(values, n=20)
    return [f"{statistics.median(values):.2f} s", f"{cuts[-1]:.2f} s"]


if __name__ == "__main__":
    sys.exit(main())
