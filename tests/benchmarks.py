"""Measure what people wait for, beside the floor of this machine and other studios; one table.

Started by `make bench` (`python -m tests.benchmarks`). `--only log,store` measures some parts;
`--write` puts the table into docs/benchmarks.md, of these parts alone; `--quick` measures hardly
anything, to see that all parts run. With `BENCH_PEERS` (or `--peers`), an interpreter with the
packages of the extra `bench`, these do the same in the same minutes. Never part of the test suite.

Every part is a process of its own with a limit of time. One that fails is a row that says so, and
what it has measured until then stays.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests import bench_machine
from tests.bench_report import Session, printed, rewritten
from tests.bench_setting import Setting
from tests.bench_table import Figure, failed
from tests.bench_worker import end_all, family_of
from tests.servers import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
# Marks everything that a part has started.
_MARK = "BENCH_PART"
# Nothing that is measured tells anybody.
_SILENT = {
    "WANDB_MODE": "offline",
    "WANDB_ERROR_REPORTING": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",
}
_GRACE = 45
# All parts together; what comes too late has at least this many seconds to say so.
_BUDGET, _LEAST = 50 * 60, 30
_STARTED = time.monotonic()


@dataclass(frozen=True, slots=True)
class Part:
    """Where a part is, `module:function`, and how many seconds it may take."""

    place: str
    limit: int

    def load(self) -> Callable[[Setting], Iterable[Figure]]:
        """Return the function that yields the figures."""
        module, _, name = self.place.partition(":")
        found: Callable[[Setting], Iterable[Figure]] = getattr(
            importlib.import_module(f"tests.{module}"), name
        )
        return found


PARTS = {
    "log": Part("bench_log:bench_log", 240),
    "store": Part("bench_store:bench_store", 300),
    "mlflow": Part("bench_mlflow:bench_mlflow", 240),
    "growth": Part("bench_growth:bench_growth", 360),
    "latency": Part("bench_latency:bench_latency", 240),
    "turnaround": Part("bench_turnaround:bench_turnaround", 420),
    "idle": Part("bench_idle:bench_idle", 480),
    "pages": Part("bench_parts:pages", 1500),
    "table": Part("bench_parts:runs_table", 120),
    "parallel": Part("bench_parts:parallel", 180),
    "live": Part("bench_parts:live", 180),
    "simulation": Part("bench_parts:simulation", 180),
}


def main() -> int:
    """Measure the parts and print the table; 1 when a part could not be measured."""
    # What has been started is ended by those who have started it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    given = options()
    setting = setting_of(given)
    if given.part:
        measure(given.part, setting, Path(given.figures))
        return 0
    names = given.only.split(",") if given.only else list(PARTS)
    facts = bench_machine.facts(setting.peers)
    sessions = [session_of(name, given) for name in names]
    print(printed(sessions, facts))
    if given.write:
        page = rewritten(PAGE.read_text(), sessions, facts, list(PARTS))
        PAGE.write_text(page)
        print(f"\nWritten to {PAGE.relative_to(ROOT)}.")
    broken = [f for one in sessions for f in one.figures if not f.who and f.value is None]
    return 1 if broken else 0


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help=f"parts, by commas: {', '.join(PARTS)}")
    parser.add_argument("--runs", type=int, default=1000, help="of the large sweep")
    parser.add_argument("--reports", type=int, default=1000, help="of each of its runs")
    parser.add_argument("--minutes", type=float, default=0.5, help="of live updates")
    parser.add_argument("--peers", default=os.environ.get("BENCH_PEERS", sys.executable))
    parser.add_argument("--patience", type=float, default=120, help="seconds for a page of a peer")
    parser.add_argument("--quick", action="store_true", help="only see that all parts run")
    parser.add_argument("--write", action="store_true", help="put it into docs/benchmarks.md")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--figures", help=argparse.SUPPRESS)
    given = parser.parse_args()
    unknown = [name for name in given.only.split(",") if name and name not in PARTS]
    if unknown:
        parser.error(f"--only has {', '.join(unknown)}; the parts are {', '.join(PARTS)}.")
    if given.quick and given.write:
        parser.error("--quick and --write: figures of a quick run are not worth keeping.")
    if shutil.which(given.peers) is None:
        parser.error(f"--peers is {given.peers!r}, no program; name a Python interpreter.")
    return given


def setting_of(given: argparse.Namespace) -> Setting:
    """Return what the parts are given."""
    is_small = given.quick and (given.runs, given.reports) == (1000, 1000)
    return Setting(
        peers=given.peers,
        runs=50 if is_small else given.runs,
        reports=50 if is_small else given.reports,
        minutes=min(given.minutes, 0.1) if given.quick else given.minutes,
        patience=given.patience,
        is_quick=given.quick,
    )


def measure(name: str, setting: Setting, place: Path) -> None:
    """Measure one part in this process, and write every figure down as soon as it is there."""
    with place.open("a") as file:
        for figure in PARTS[name].load()(setting):
            file.write(json.dumps(asdict(figure)) + "\n")
            file.flush()


def session_of(name: str, given: argparse.Namespace) -> Session:
    """Measure one part in a process of its own, with everything that it starts in one folder."""
    load, begun = os.getloadavg()[0], time.perf_counter()
    print(f"# {name}, load average {load:.1f}", file=sys.stderr, flush=True)
    # Under /tmp itself: paths of sockets must be short.
    folder = Path(tempfile.mkdtemp(prefix="sb"))
    folder.chmod(0o755)  # PostgreSQL is another user
    place, mark = folder / "figures.jsonl", uuid.uuid4().hex
    place.touch()
    words = [word for word in sys.argv[1:] if word != "--write"]
    command = [sys.executable, "-m", "tests.benchmarks", *words]
    command += ["--part", name, "--figures", str(place)]
    environment = {**os.environ, **_SILENT, _MARK: mark, "TMPDIR": str(folder)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        problem = problem_of(process, limit_of(name, given))
    finally:
        end_part(process, mark)
        figures = read_figures(place)
        shutil.rmtree(folder, ignore_errors=True)
    if problem:
        figures.append(failed(f"{name}: the rest of the part", RuntimeError(problem)))
    seconds = time.perf_counter() - begun
    print(f"# {name}: {len(figures)} figures in {seconds:.0f} s", file=sys.stderr, flush=True)
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    said = "make bench" + (f' ARGS="{shlex.join(words)}"' if words else "")
    return Session(name, figures, when, bench_machine.commit(), load, seconds, said)


def limit_of(name: str, given: argparse.Namespace) -> float:
    """Return how many seconds a part has; a quick look is for machines that others use as well."""
    limit = PARTS[name].limit + (60 * given.minutes if name == "live" else 0)
    if given.quick:
        return 3 * limit
    left = _BUDGET - (time.monotonic() - _STARTED)
    return max(_LEAST, min(limit, left))


def problem_of(process: subprocess.Popen[bytes], limit: float) -> str:
    """Wait for a part; return why it did not come to its end."""
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        return f"it took longer than {limit:.0f} s"
    return f"it ended with {code}, see above" if code else ""


def end_part(process: subprocess.Popen[bytes], mark: str) -> None:
    """End a part and everything that carries its mark."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            end_all(family_of(process.pid))
    end_all(marked(mark))


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes that a part has started, whoever their parent is by now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(_MARK) == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


def read_figures(place: Path) -> list[Figure]:
    """Return what a part has measured."""
    names = {field.name for field in fields(Figure)}
    rows = [json.loads(line) for line in place.read_text().splitlines() if line.endswith("}")]
    return [Figure(**{name: row[name] for name in names & row.keys()}) for row in rows]


if __name__ == "__main__":
    sys.exit(main())
