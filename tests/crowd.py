"""Fifty people on the pages of a studio at work: how long they wait, what fails.

    make crowd ARGS="--people 50 --runs 20 --seconds 120 --rate 1.5 --database sqlite"

`studio up` and `studio worker --slots RUNS` are started on an empty folder. Two teams have sweeps
that have ended and sweeps whose runs report `rate` times a second all the time. People of every
role sign in, look at each page for 5 to 15 seconds (`--think`), and hold a socket, from which their
pages are kept current as browsers do it. Exit code 1 when anything failed, or when the 95th
percentile of a page is above `--at-most` seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from tests.bench_machine import cpu_seconds
from tests.crowd_people import Person, Seen, Visitor
from tests.load import ERRORS, parts_of
from tests.servers import ROOT, LiveStudio, studio_on

# Seconds that people look at a page before they open the next one: ten on average. Whoever reads a
# chart stays that long; what the page fetches meanwhile is fetched all the same.
THINK: Final = (5.0, 15.0)
SCRIPT = """
import pathlib, sys, time
from studio.sdk import Run

end, rate, width = pathlib.Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[4])
run = Run.get_context()
number = 0
while not end.exists():
    run.log("accuracy", width * (1 - 2.0 ** (-number / 60)))
    run.log("loss", 2.0 ** (-number / 40))
    number += 1
    time.sleep(1 / rate)
"""
# Two teams with sweeps that have ended and sweeps that run, and people of every role.
_PEOPLE = """
import json, pathlib, sys
import django; django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from experiments.models import Experiment, Membership, Workspace
from experiments.services.access import make_sign_in_link
from experiments.services.setup import first_administrator
from experiments.services.sweeps import submit_spec

people, spec = json.loads({asked!r})
roles = [role.value for role in Membership.Role]
root = first_administrator()
teams = [Workspace.objects.create(name=f"Team {{n}}", slug=f"team-{{n}}") for n in range(2)]
running = []
for n, team in enumerate(teams):
    for seed in range(2):
        call_command("studio_simulate", runs=40, reports=20, seed=seed, fail=0.05,
                     name=f"earlier {{seed}}", verbosity=0, stdout=sys.stderr)
    Experiment.objects.exclude(workspace__in=teams).update(workspace=team)
    running.append([])
    for name in ("first", "second"):
        sweep, _ = submit_spec({{**spec, "name": name}}, owner=root, workspace=team,
                               base_directory=pathlib.Path("/"), allow_server_paths=True)
        running[-1].append(sweep.public_id)
found = []
for n in range(people):
    user = User.objects.create_user(f"person-{{n}}", email=f"person-{{n}}@example.org")
    role = roles[n // 2 % len(roles)]
    Membership.objects.create(workspace=teams[n % 2], user=user, role=role)
    link = f"/sign-in/{{make_sign_in_link(user)}}/"
    found.append({{"name": user.username, "link": link, "sweeps": running[n % 2]}})
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many come, what they come to and how long they stay; times in seconds."""

    people: int
    runs: int
    seconds: float
    rate: float = 1.5
    database: str = "sqlite"
    think: tuple[float, float] = THINK


@dataclass(slots=True)
class Measured:
    """What came of it; CPU in cores."""

    seen: Seen
    running: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    logged: list[str] = field(default_factory=list)

    def problems(self, crowd: Crowd) -> list[str]:
        """Return what must not be, in sentences."""
        found = [*self.seen.errors, *self.logged]
        if self.running != crowd.runs:
            found.append(f"{self.running} of {crowd.runs} runs were running at the end.")
        if not self.seen.points:
            found.append("No socket brought a report.")
        return found

    @property
    def slowest(self) -> float:
        """The largest 95th percentile of a page."""
        return max((quantile(times, 95) for times in self.seen.pages.values()), default=0.0)


def main() -> int:
    """Let the crowd in, print what it saw; 1 when something failed or a page was too slow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--rate", type=float, default=1.5)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--at-most", type=float, default=0.5, help="seconds of a page, p95")
    parser.add_argument(
        "--think",
        type=float,
        nargs=2,
        default=THINK,
        metavar=("LEAST", "MOST"),
        help="seconds on a page; 2 6 is a crowd in a hurry",
    )
    options = vars(parser.parse_args())
    options["think"] = tuple(options["think"])
    most = options.pop("at_most")
    crowd = Crowd(**options)
    before = os.getloadavg()[0]
    measured = let_in(crowd)
    print_table(crowd, measured, before)
    problems = measured.problems(crowd)
    if measured.slowest > most:
        problems.append(f"The slowest page took {measured.slowest:.2f} s (p95), above {most:g} s.")
    print(*problems[:40], sep="\n")
    return 1 if problems else 0


def let_in(crowd: Crowd) -> Measured:
    """Start a studio, let the crowd in, take it down again; return what was measured."""
    with studio_on(crowd.database) as studio:
        return _with_slots(studio, crowd)


def _with_slots(studio: LiveStudio, crowd: Crowd) -> Measured:
    with (studio.home / "logs" / "slots.log").open("ab") as output:
        slots = subprocess.Popen(
            [sys.executable, "-m", "django", "studio_worker", "--slots", str(crowd.runs)],
            cwd=ROOT,
            env=studio.environment | {"DJANGO_SETTINGS_MODULE": "studio.settings"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    end = studio.home / "end"
    try:
        people = _make_people(studio, crowd, end)
        _wait(studio, lambda: _running(studio) == crowd.runs)
        measured = _measure(studio, crowd, people, psutil.Process(slots.pid))
        measured.running = _running(studio)
        return measured
    finally:
        end.touch()
        slots.terminate()
        slots.wait(120)


def _make_people(studio: LiveStudio, crowd: Crowd, end: Path) -> list[Person]:
    source = studio.home / "source"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)
    at_once = crowd.runs // 4
    spec = {
        "experiment": "digits",
        "source_directory": str(source),
        "script": "train.py",
        "arguments": [str(end), str(crowd.rate)],
        "search_space": {"width": "uniform(0.8, 1)"},
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": at_once,
        "max_concurrent_runs": at_once,
    }
    printed = studio.run_python(_PEOPLE.format(asked=json.dumps([crowd.people, spec])))
    return [Person(**one) for one in json.loads(printed.splitlines()[-1])]


def _running(studio: LiveStudio) -> int:
    code = (
        "import django; django.setup(); from experiments.models import Run; "
        "print(Run.objects.filter(state='Running').count())"
    )
    return int(studio.run_python(code).splitlines()[-1])


def _wait(studio: LiveStudio, is_true: Callable[[], bool], seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert studio.process is not None
        assert studio.process.poll() is None, studio.output.read_text()
        assert time.monotonic() < deadline, "The runs did not begin."
        time.sleep(0.5)


def _measure(
    studio: LiveStudio, crowd: Crowd, people: list[Person], slots: psutil.Process
) -> Measured:
    assert studio.process is not None
    parts = parts_of(psutil.Process(studio.process.pid), slots)
    parts["people"] = [psutil.Process()]
    seen = Seen()

    async def whole() -> dict[str, float]:
        visitors = [Visitor(one, studio.url, seen, think=crowd.think) for one in people]
        for visitor in visitors:
            await visitor.sign_in()
        before = {name: cpu_seconds(part) for name, part in parts.items()}
        begun = time.monotonic()
        await asyncio.gather(*(visitor.stay(crowd.seconds) for visitor in visitors))
        passed = time.monotonic() - begun
        return {name: (cpu_seconds(part) - before[name]) / passed for name, part in parts.items()}

    cpu = asyncio.run(whole())
    return Measured(seen, cpu=cpu, logged=_logged(studio.home / "logs"))


def _logged(logs: Path) -> list[str]:
    lines = [
        f"{log.name}: {line}"
        for log in sorted(logs.glob("*.log"))
        for line in log.read_text(errors="replace").splitlines()
        if ERRORS.search(line)
    ]
    if lines and (kept := os.environ.get("CROWD_KEEP")):
        shutil.copytree(logs, kept, dirs_exist_ok=True)
    return lines


def quantile(values: list[float], percent: int) -> float:
    """Return a percentile; that of one value is the value."""
    return (
        statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
        if len(values) > 1
        else values[0]
    )


def print_table(crowd: Crowd, measured: Measured, load_before: float) -> None:
    """Print what was measured as Markdown."""
    seen = measured.seen
    print(
        f"\n{crowd.people} people, {crowd.seconds:g} s, {crowd.think[0]:g} to {crowd.think[1]:g} s "
        f"a page, {crowd.runs} runs x {crowd.rate:g}/s, ",
        end="",
    )
    print(f"{crowd.database}; load average before: {load_before:.1f}\n")
    print("| what | times | p50 | p95 | p99 | worst |\n|---|---|---|---|---|---|")
    for name, times in [*sorted(seen.pages.items()), *sorted(seen.parts.items())]:
        cuts = [f"{quantile(times, percent):.3f} s" for percent in (50, 95, 99)]
        print(f"| {name} | {len(times)} | {' | '.join(cuts)} | {max(times):.3f} s |")
    late = (
        [f"{quantile(seen.behind, percent):.2f} s" for percent in (50, 95)] if seen.behind else []
    )
    rows = [
        ("errors", str(len(seen.errors) + len(measured.logged))),
        ("sockets opened / frames", f"{seen.sockets} / {seen.frames}"),
        ("reports seen / report to socket, p50 / p95", f"{seen.points} / {' / '.join(late)}"),
        *((f"CPU of {name}", f"{cores:.2f} cores") for name, cores in measured.cpu.items()),
    ]
    print("\n| what | measured |\n|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    sys.exit(main())
