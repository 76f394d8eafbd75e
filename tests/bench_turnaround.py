"""40 trivial runs at two slots: wall time, and the gap between two scripts in a slot.

Beside `xargs -P2` of the same script, and other tuners that start one process (or, as Ray, one
worker) for each. The gap is from the last line of a script to the first line of the one that takes
its place, by the clocks of the scripts; the k-th that ended makes room for the one that begins two
places later. Never part of the suite.
"""

from __future__ import annotations

import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench_setting import Setting, running_studio
from tests.bench_table import Figure, failed, summed_up
from tests.bench_worker import script
from tests.servers import LiveStudio

SLOTS = 2
GAP = "slot turnaround, script to script"
SCRIPT = """
import os, sys, time
begun = time.time()
place = sys.argv[1]
file = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(file, b"%f %f\\n" % (begun, time.time()))
"""


@dataclass(slots=True)
class Tuner:
    """What carries out trivial scripts; `run` returns the seconds, scripts write their times."""

    who: str
    run: Callable[[Path], float]
    rounds: int
    walls: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    problem: Exception | None = None


def bench_turnaround(setting: Setting) -> Iterator[Figure]:
    """Yield wall time and gaps, ours in turn with all others."""
    count = setting.few(40, 4)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="turn-")))
        (folder / "train.py").write_text(SCRIPT)
        studio = stack.enter_context(running_studio(workers=SLOTS))
        tuners = all_tuners(setting, stack, studio, folder, count)
        for number in range(setting.few(5, 1)):
            for tuner in tuners:
                if tuner.problem is None and number < tuner.rounds:
                    turn(tuner, folder / f"{tuners.index(tuner)}-{number}.txt")
    yield from figures(tuners, count)


def all_tuners(
    setting: Setting, stack: ExitStack, studio: LiveStudio, folder: Path, count: int
) -> list[Tuner]:
    """Return xargs, the studio, and the peers that are installed."""
    tuners = [
        Tuner("floor", lambda told: xargs(folder, told, count), 5),
        Tuner("", lambda told: sweep(studio, folder, told, count), 5),
    ]
    for name, package, file, rounds in (
        ("Optuna, SQLite, subprocess", "optuna", "turn_optuna", 3),
        ("Syne Tune", "syne-tune", "turn_syne", 3),
        ("Ray Tune", "ray", "turn_ray", 2),
    ):
        version = setting.version(package)
        if version:
            run = _peer(setting, stack, file, folder, count)
            tuners.append(Tuner(f"{name} {version}", run, rounds))
    return tuners


def _peer(
    setting: Setting, stack: ExitStack, file: str, folder: Path, count: int
) -> Callable[[Path], float]:
    started: list = []

    def run(told: Path) -> float:
        if not started:
            home = folder / file
            home.mkdir()
            words = (home, folder / "train.py")
            started.append(stack.enter_context(script(setting.peers, file, *words, seconds=240)))
        started[0].tell(f"file {told}")
        return float(started[0].ask(f"run {count}"))

    return run


def turn(tuner: Tuner, told: Path) -> None:
    """Let a tuner carry out one round."""
    try:
        tuner.walls.append(tuner.run(told))
        tuner.gaps += gaps_of(told)
    except Exception as error:  # noqa: BLE001 - the others are still to be measured
        tuner.problem = error


def gaps_of(told: Path) -> list[float]:
    """Return the milliseconds between scripts in a slot, from what they wrote."""
    times = [tuple(map(float, line.split())) for line in told.read_text().splitlines()]
    begins, ends = sorted(begin for begin, _ in times), sorted(end for _, end in times)
    return [1000 * (begins[n + SLOTS] - ends[n]) for n in range(len(times) - SLOTS)]


def xargs(folder: Path, told: Path, count: int) -> float:
    """Let xargs do it."""
    words = shlex.join([sys.executable, str(folder / "train.py"), str(told)])
    begun = time.perf_counter()
    command = f"seq {count} | xargs -P{SLOTS} -I% {words} %"
    subprocess.run(["bash", "-c", command], check=True, timeout=120)
    return time.perf_counter() - begun


def sweep(studio: LiveStudio, folder: Path, told: Path, count: int) -> float:
    """Let the studio do it: from the submission until the sweep has ended."""
    source = folder / "source"
    if not source.exists():
        source.mkdir()
        (source / "train.py").write_text(SCRIPT)
    body = {
        "name": "bench",
        "source_directory": str(source),
        "script": "train.py",
        "arguments": [str(told)],
        "search_space": {"x": "uniform(0, 1)"},
        "primary_metric": {"name": "m", "goal": "maximize"},
        "max_total_runs": count,
        "max_concurrent_runs": SLOTS,
    }
    begun = time.perf_counter()
    studio.wait_for_end(str(studio.api("/sweeps", body)["id"]), 180)
    return time.perf_counter() - begun


def figures(tuners: list[Tuner], count: int) -> Iterator[Figure]:
    """Yield the rows, ours with the floor."""
    floor, own, *peers = tuners
    wall = f"{count} trivial runs, {SLOTS} slots, wall time"
    if own.problem is not None:
        yield failed(wall, own.problem)
    if floor.walls and own.walls:
        yield summed_up(
            wall, own.walls, "s", 2.5, aim=1.5, floor=statistics.median(floor.walls),
            floor_then=0.4, note="floor: xargs -P2",
        )  # fmt: skip
        yield summed_up(
            GAP, own.gaps, "ms", 100, aim=60, floor=statistics.median(floor.gaps),
            floor_then=20, note=f"{len(own.gaps)} gaps, start of Python included",
        )  # fmt: skip
    for tuner in peers:
        if tuner.problem is not None:
            yield failed(wall, tuner.problem, tuner.who)
        if tuner.walls:
            yield summed_up(wall, tuner.walls, "s", who=tuner.who)
            yield summed_up(GAP, tuner.gaps, "ms", who=tuner.who)
