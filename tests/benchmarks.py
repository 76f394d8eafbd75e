"""Measure what people wait for, beside the floor of this machine and other studios; one table.

Started by `make bench` (`python -m tests.benchmarks`); `--only pages,live` measures some parts,
`--minutes 30` looks at the heap of a live page for so long. With `BENCH_PEERS` (or `--peers`), an
interpreter that has optuna-dashboard and mlflow, these get the same curves and the same browser.
Never part of the test suite.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from tests.bench_live import bench_live
from tests.bench_pages import bench_pages
from tests.bench_parallel import bench_parallel
from tests.bench_peer_pages import peer_figures
from tests.bench_table import Figure, attempt, print_table
from tests.servers import ROOT, LiveStudio

Figures = list[Figure]


def main() -> None:
    """Run the benchmarks and print the table."""
    given = options()
    parts = given.only.split(",") if given.only else list(PARTS)
    figures: Figures = []
    home = Path(tempfile.mkdtemp(prefix="studio-bench-"))
    studio = LiveStudio(home)
    try:
        begun = time.perf_counter()
        studio.start(300)
        first = time.perf_counter() - begun
        figures.append(Figure("first start, empty folder", first, "s", 3, 2))
        for name in parts:
            print(f"# {name}", file=sys.stderr, flush=True)
            figures += attempt(name, partial(PARTS[name], studio, given))
    finally:
        if studio.process is not None:
            studio.stop()
        shutil.rmtree(home, ignore_errors=True)
    peers = {}
    if "pages" in parts:
        peers = peer_figures(given.peers, given.runs, given.reports, given.patience)
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(f"\n{os.cpu_count()} cores, load averages at the end {load}.\n")
    print_table(figures, peers)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help=f"parts, by commas: {', '.join(PARTS)}")
    parser.add_argument("--runs", type=int, default=1000, help="of the large sweep")
    parser.add_argument("--reports", type=int, default=1000, help="of each of its runs")
    parser.add_argument("--minutes", type=float, default=0.5, help="of live updates")
    parser.add_argument("--peers", default=os.environ.get("BENCH_PEERS", sys.executable))
    parser.add_argument("--patience", type=float, default=120, help="seconds for a page of a peer")
    given = parser.parse_args()
    unknown = [name for name in given.only.split(",") if name and name not in PARTS]
    if unknown:
        parser.error(f"--only has {', '.join(unknown)}; the parts are {', '.join(PARTS)}.")
    return given


def timed(call: Callable[[], object], repeats: int) -> list[float]:
    """Return the duration of each call in microseconds."""
    durations = []
    for _ in range(repeats):
        begun = time.perf_counter_ns()
        call()
        durations.append((time.perf_counter_ns() - begun) / 1000)
    return durations


def bench_log() -> Figures:
    """One `run.log` call beside one write(2) of the same line."""
    from studio.sdk.run import Run, format_report

    with tempfile.TemporaryDirectory() as folder:
        run = Run("bench_0", str(Path(folder) / "metrics.jsonl"))
        line = format_report("accuracy", 0.123456789, step=1, time=time.time()).encode()
        floor_file = os.open(Path(folder) / "floor", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        floor = timed(lambda: os.write(floor_file, line), 20_000)
        ours = timed(lambda: run.log("accuracy", 0.123456789, step=1), 20_000)
        os.close(floor_file)
    pairs = [(name, np.percentile(ours, at), np.percentile(floor, at)) for name, at in
             (("median", 50), ("p99", 99))]  # fmt: skip
    return [
        Figure(f"run.log, {name}", float(own), "us", must, aim, floor=float(least))
        for (name, own, least), (must, aim) in zip(pairs, ((11, 7), (50, 20)), strict=True)
    ]


def bench_policy() -> Figures:
    """One decision at 1000 runs x 1000 intervals."""
    from experiments.curves import CurveSet
    from experiments.policies import make_policy
    from experiments.policies.base import Snapshot

    curves = CurveSet("maximize")
    rng = np.random.default_rng(0)
    for number in range(1000):
        curves.append(number, rng.random(1000).cumsum())
    rows = []
    for config in (
        {"type": "bandit", "slack_factor": 0.1},
        {"type": "median_stopping"},
        {"type": "truncation_selection", "truncation_percentage": 20},
    ):
        policy = make_policy(config)
        snapshot = Snapshot(curves=curves, run=500, interval=1000)
        durations = timed(lambda p=policy, s=snapshot: p.decide(s), 200)
        ms = statistics.median(durations) / 1000
        rows.append(Figure(f"decision, 1000 x 1000, {config['type']}", ms, "ms", 5, 1))
    return rows


def submit(studio: LiveStudio, code: str, runs: int, concurrent: int, **spec: object) -> str:
    """Submit a sweep of a script."""
    folder = Path(tempfile.mkdtemp(dir=studio.home))
    (folder / "train.py").write_text(code)
    body = {
        "name": "bench",
        "source_directory": str(folder),
        "script": "train.py",
        "search_space": {"x": "uniform(0, 1)"},
        "primary_metric": {"name": "m", "goal": "maximize"},
        "max_total_runs": runs,
        "max_concurrent_runs": concurrent,
        **spec,
    }
    return str(studio.api("/sweeps", body)["id"])


def bench_latency(studio: LiveStudio) -> Figures:
    """From `run.log` to the frame on a websocket: four processes, 10 reports a second each."""
    code = (
        "import os, time\nfrom studio.sdk import Run\nrun = Run.get_context()\nos.fork()\n"
        "for _ in range(100):\n    run.log('m', time.time())\n    time.sleep(0.1)\n"
    )
    sweep = submit(studio, code, runs=2, concurrent=2)
    script = f"""
import asyncio, json, time, http.cookiejar, urllib.request, websockets
jar = http.cookiejar.CookieJar()
urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open({studio.sign_in_link()!r})
cookie = "; ".join(c.name + "=" + c.value for c in jar)
async def main():
    late = []
    url = "ws://127.0.0.1:{studio.port}/ws/sweeps/{sweep}/?after=0"
    headers = {{"Cookie": cookie, "Origin": {studio.url!r}}}
    async with websockets.connect(url, additional_headers=headers, max_size=None) as socket:
        begun = time.time()
        until = begun + 14
        while time.time() < until:
            try:
                frame = json.loads(await asyncio.wait_for(socket.recv(), 2))
            except asyncio.TimeoutError:
                break
            now = time.time()
            for event in frame["events"]:
                if event["type"] == "metrics":
                    late += [now - value for value in event["values"] if value > begun]
    print(json.dumps(late))
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    late = sorted(json.loads(done.stdout))
    studio.wait_for_end(sweep)
    p50, p95 = late[len(late) // 2] * 1000, late[int(len(late) * 0.95)] * 1000
    return [
        Figure("log to websocket, 40 reports/s, p50", p50, "ms", 500, 300, f"{len(late)} points"),
        Figure("log to websocket, 40 reports/s, p95", p95, "ms", 900, 500),
    ]


def bench_turnaround(studio: LiveStudio) -> Figures:
    """40 empty runs, two at a time, beside `xargs -P2` of the same script.

    The gap is from the end of a script to the start of the next one in the same slot.
    """
    code = "pass\n"
    begun = time.perf_counter()
    sweep = submit(studio, code, runs=40, concurrent=2)
    studio.wait_for_end(sweep)
    ours = time.perf_counter() - begun
    gaps = json.loads(studio.run_python(_GAPS.format(sweep)).strip().splitlines()[-1])
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "train.py"
        script.write_text(code)
        command = f"seq 40 | xargs -P2 -I{{}} {sys.executable} {script} {{}} >/dev/null"
        begun = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(["bash", "-c", command], check=True, env=environment)
        floor = time.perf_counter() - begun
    turn = floor / 20 * 1000
    return [
        Figure("40 empty runs, two slots", ours, "s", 2.5, 1.5, "floor: xargs -P2", floor),
        Figure(
            "slot turnaround, script to script",
            statistics.median(gaps),
            "ms",
            100,
            60,
            f"p90 {np.percentile(gaps, 90):.0f} ms; floor: a whole turn of xargs",
            turn,
        ),
    ]


_GAPS = """
import django; django.setup()
import itertools, json, pathlib
from experiments.models import Run
slots = {{}}
for run in Run.objects.filter(sweep__public_id={0!r}):
    told = json.loads(pathlib.Path(run.directory, "exit.json").read_text())
    slots.setdefault(run.worker_name, []).append((told["started"], told["ended"]))
pairs = [pair for turns in slots.values() for pair in itertools.pairwise(sorted(turns))]
print(json.dumps([(after[0] - before[1]) * 1000 for before, after in pairs]))
"""


def bench_ingest(studio: LiveStudio) -> Figures:
    """From a journal on disk to chunks in the database, one writer."""
    code = """
import json, time
import django; django.setup()
from pathlib import Path
from experiments.models import Run
from experiments.services.metrics import Report, record_reports
from runner.tail import JournalTail
from studio.sdk.run import format_report
run = Run.objects.order_by("-pk").first()
path = Path(run.directory) / "bench.jsonl"
base = run.last_seq + 1
path.write_text("".join(format_report("bench", i / 3, step=i, time=1.7e9) for i in range(200_000)))
tail = JournalTail(path)
begun = time.perf_counter()
count = 0
while entries := tail.read():
    reports = [Report(base + e.seq, e.name, e.value, e.step, e.time) for e in entries]
    count += record_reports(run.pk, run.fence, reports).stored
print(json.dumps(count / (time.perf_counter() - begun)))
"""
    studio.wait_for_end(submit(studio, "pass\n", runs=1, concurrent=1))
    rate = float(json.loads(studio.run_python(code).strip().splitlines()[-1]))
    note = "more is better: must 100, aim 170"
    return [Figure("journal to database, one writer", rate / 1000, "k points/s", note=note)]


def bench_simulation(studio: LiveStudio) -> Figures:
    """1000 simulated runs, 100 at once: the controller with a policy."""
    code = (
        "from django.core.management import call_command\n"
        "call_command('studio_simulate', runs=1000, concurrency=100, reports=20, flush=5, "
        "policy='bandit')"
    )
    begun = time.perf_counter()
    studio.run_python(f"import django; django.setup()\n{code}")
    took = time.perf_counter() - begun
    return [Figure("1000 runs x 20 reports simulated, judged four times", took, "s")]


def bench_runs_table(studio: LiveStudio) -> Figures:
    """A page of the runs of a sweep of 1000 runs x 12 hyperparameters, sorted and filtered."""
    code = """
import json, random, statistics, time
from django.test import Client
from django.test.utils import setup_test_environment
from django.core.management import call_command
from experiments.models import Run, Sweep
from experiments.services.setup import first_administrator

setup_test_environment()  # its client may ask
call_command("studio_simulate", runs=1000, concurrency=100, reports=20, flush=20, verbosity=0)
sweep = Sweep.objects.latest("pk")
names = [f"x{n}" for n in range(12 - len(sweep.spec["search_space"]))]
sweep.spec["search_space"] |= dict.fromkeys(names, "uniform(0, 1)")
sweep.save(update_fields=["spec"])
runs = list(sweep.runs.all())
for run in runs:
    run.params |= {name: random.random() for name in names}
Run.objects.bulk_update(runs, ["params"], batch_size=200)
client = Client(headers={"X-Fragment": "1"})
client.force_login(first_administrator())

def median_ms(query):
    took = []
    for _ in range(12):
        begun = time.perf_counter()
        assert client.get(f"{sweep.get_absolute_url()}runs/{query}").status_code == 200
        took.append(1000 * (time.perf_counter() - begun))
    return statistics.median(took)

queries = {"sorted": "?sort=x3&dir=desc", "filtered": "?q=x3%3C0.5+learning_rate%3C0.01"}
print(json.dumps({name: median_ms(query) for name, query in queries.items()}))
"""
    found = json.loads(studio.run_python(f"import django; django.setup()\n{code}").splitlines()[-1])
    return [
        Figure(f"page of runs, 1000 runs x 12 columns, {name}", ms, "ms", 150)
        for name, ms in found.items()
    ]


def bench_idle(studio: LiveStudio) -> Figures:
    """Memory (PSS) of all processes of an idle studio but the supervisor."""
    import psutil

    assert studio.process is not None
    time.sleep(5)
    children = psutil.Process(studio.process.pid).children(recursive=True)
    before = sum(sum(child.cpu_times()[:2]) for child in children)
    time.sleep(10)
    after = sum(sum(child.cpu_times()[:2]) for child in children)
    pss = sum(child.memory_full_info().pss for child in children)
    return [
        Figure("idle memory (PSS)", pss / 1e6, "MB", 240, 180, f"{len(children)} processes"),
        Figure("idle CPU", (after - before) * 10, "%", 1, 0.5, "of a core"),
    ]


def bench_second_start(studio: LiveStudio) -> Figures:
    """Stop everything and start it again."""
    studio.stop()
    begun = time.perf_counter()
    studio.start(300)
    return [Figure("second start", time.perf_counter() - begun, "s", 3, 2)]


Part = Callable[[LiveStudio, argparse.Namespace], Figures]
PARTS: dict[str, Part] = {
    "log": lambda studio, given: bench_log(),
    "policy": lambda studio, given: bench_policy(),
    "latency": lambda studio, given: bench_latency(studio),
    "turnaround": lambda studio, given: bench_turnaround(studio),
    "ingest": lambda studio, given: bench_ingest(studio),
    "simulation": lambda studio, given: bench_simulation(studio),
    "table": lambda studio, given: bench_runs_table(studio),
    "pages": lambda studio, given: bench_pages(studio, given.runs, given.reports),
    "parallel": lambda studio, given: bench_parallel(studio),
    "live": lambda studio, given: bench_live(studio, given.minutes),
    "start": lambda studio, given: bench_second_start(studio),
    "idle": lambda studio, given: bench_idle(studio),
}

if __name__ == "__main__":
    main()
