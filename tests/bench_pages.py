"""The pages of a large sweep in a real Chromium, beside other studios with the same curves.

Started by `python -m tests.bench_pages [--runs 1000] [--reports 1000] [--peers PYTHON]`, and with
everything else by `make bench`. PYTHON is an interpreter that has optuna-dashboard and mlflow; what
it does not have is left out. Never part of the test suite.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench_browser import Received, browser_page, heap_mb
from tests.bench_peer_pages import peer_rows
from tests.servers import LiveStudio

Row = tuple[str, str, str, str]

COLD, WARM = ("4 s, 2.5 MB", "2 s, 1.5 MB"), ("2 s, 0.4 MB", "1 s, 0.3 MB")
HEAP = ("80 MB", "50 MB")
# Answers with the time since the navigation began once so many lines are on the canvas.
DRAWN = "n => document.querySelector('.runlines')?.drawn >= n && performance.now()"
# From an event to the frame after the one that it changed.
WATCH = """
() => {
  window.waits = [];
  const note = () => {
    const begun = performance.now();
    requestAnimationFrame(() => requestAnimationFrame(() => waits.push(performance.now() - begun)));
  };
  for (const name of ["pointermove", "pointerup"]) addEventListener(name, note, { capture: true });
}
"""


def main() -> None:
    """Load the sweep, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--reports", type=int, default=1000)
    parser.add_argument("--live", type=float, default=30, help="seconds of live updates")
    parser.add_argument("--peers", default=sys.executable, help="their Python interpreter")
    parser.add_argument("--without-peers", action="store_true")
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="studio-pages-"))
    studio = LiveStudio(home)
    studio.start()
    try:
        rows = bench_pages(studio, given.runs, given.reports, given.live)
    finally:
        studio.stop()
        shutil.rmtree(home, ignore_errors=True)
    if not given.without_peers:
        rows += peer_rows(given.peers, given.runs, given.reports)
    print("| what | measured | must | aim |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def bench_pages(studio: LiveStudio, runs: int, reports: int, live: float) -> list[Row]:
    """Measure the server, then the browser, then a sweep that runs."""
    sweep = load_sweep(studio, runs, reports)
    before = web_memory(studio)
    rows = bench_server(studio, sweep)
    rows += bench_browser(studio, sweep, runs)
    after = web_memory(studio)
    rows.append(
        ("server memory after the charts were viewed", f"+{after - before:.0f} MB", "+80", "+40")
    )
    return [*rows, *bench_live(studio, live)] if live else rows


def load_sweep(studio: LiveStudio, runs: int, reports: int) -> str:
    """Put a simulated sweep of six hyperparameters into the studio; return its id."""
    code = f"""
import django; django.setup()
import random
from django.core.management import call_command
from experiments.models import Run, Sweep
call_command("studio_simulate", runs={runs}, concurrency=100, reports={reports},
             flush={max(1, reports // 2)}, verbosity=0)
sweep = Sweep.objects.latest("pk")
names = [f"x{{n}}" for n in range(6 - len(sweep.spec["search_space"]))]
sweep.spec["search_space"] |= dict.fromkeys(names, "uniform(0, 1)")
# Every run made every report; the limit of a policy is drawn all the same.
sweep.spec["early_termination"] = {{"type": "bandit", "slack_factor": 0.1,
                                   "evaluation_interval": 10, "delay_evaluation": 20}}
sweep.save(update_fields=["spec"])
runs = list(sweep.runs.all())
for run in runs:
    run.params |= {{name: random.random() for name in names}}
Run.objects.bulk_update(runs, ["params"], batch_size=200)
print(sweep.public_id)
"""
    return studio.run_python(code).strip().splitlines()[-1]


def web_memory(studio: LiveStudio) -> float:
    """Return the PSS of the web process in MB."""
    import psutil

    assert studio.process is not None
    children = psutil.Process(studio.process.pid).children(recursive=True)
    web = [child for child in children if any("uvicorn" in word for word in child.cmdline())]
    return sum(child.memory_full_info().pss for child in web) / 1e6


def bench_server(studio: LiveStudio, sweep: str) -> list[Row]:
    """Time the pages and the curves as a signed-in client gets them, uncompressed."""
    session = sign_in(studio)
    rows = []
    for name, path, must, aim in (
        ("sweep page, server", f"/sweeps/{sweep}/", "250 ms", ""),
        ("chart page, server", f"/sweeps/{sweep}/charts/", "250 ms", ""),
        ("curves of all runs", f"/api/v1/sweeps/{sweep}/curves", "175 ms, 1.2 MB", "100 ms"),
        ("first page of the runs", f"/api/v1/sweeps/{sweep}/runs", "50 ms", "25 ms"),
        ("figure of the metrics chart", f"/sweeps/{sweep}/charts/metrics.json", "", ""),
    ):
        took, size, packed = [], 0, 0
        for _ in range(9):
            begun = time.perf_counter()
            body = session(path)
            took.append(1000 * (time.perf_counter() - begun))
            size, packed = len(body), len(gzip.compress(body, 6))
        sizes = f"{size / 1e6:.2f} MB, {packed / 1e6:.2f} MB with gzip"
        rows.append((name, f"{statistics.median(took):.0f} ms, {sizes}", must, aim))
    return rows


def sign_in(studio: LiveStudio) -> Callable[[str], bytes]:
    """Return what reads an address as the administrator, without compression."""
    from http.cookiejar import CookieJar

    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    opener.open(studio.sign_in_link()).read()

    def read(path: str) -> bytes:
        with opener.open(studio.url + path) as answer:
            return bytes(answer.read())

    return read


def timed_visit(page: Any, tools: Any, url: str, drawn: int) -> tuple[float, float]:
    """Open a page; return the seconds until so many lines are drawn, and the MB that came."""
    with Received(tools) as received:
        page.goto(url, wait_until="commit")
        page.locator('[data-chart="metrics"]').scroll_into_view_if_needed()
        found = page.wait_for_function(DRAWN, arg=drawn, polling="raf", timeout=120_000)
        seconds = found.json_value() / 1000
        page.wait_for_timeout(2500)
    return seconds, received.megabytes


def bench_browser(studio: LiveStudio, sweep: str, runs: int) -> list[Row]:
    """Open the charts cold and warm, point at runs, zoom, look at the heap."""
    url = f"{studio.url}/sweeps/{sweep}/charts/"
    with browser_page(studio.sign_in_link()) as (page, tools):
        cold, cold_mb = timed_visit(page, tools, url, runs)
        page.goto("about:blank")
        warm, warm_mb = timed_visit(page, tools, url, runs)
        page.locator('[data-chart="metrics"]').scroll_into_view_if_needed()
        page.evaluate(WATCH)
        hover = hover_times(page)
        zoom, detail = zoom_times(page)
        heap = heap_mb(tools)
        whole = scroll_through(page, tools)
        sort = sort_time(page, f"{studio.url}/sweeps/{sweep}/runs/")
    return [
        ("chart page, all lines drawn, cold", f"{cold:.2f} s, {cold_mb:.2f} MB", *COLD),
        ("chart page, all lines drawn, warm", f"{warm:.2f} s, {warm_mb:.2f} MB", *WARM),
        ("hover, median / worst of 30", median_and_worst(hover), "100 ms", "60 ms"),
        ("zoom box, median / worst of 6", median_and_worst(zoom), "280 ms", "120 ms"),
        ("zoom until all points between are there", median_and_worst(detail), "", ""),
        ("heap, first charts / every chart drawn", f"{heap:.0f} / {whole:.0f} MB", *HEAP),
        ("sort 1000 runs", f"{sort:.0f} ms", "150 ms", "60 ms"),
    ]


def median_and_worst(milliseconds: list[float]) -> str:
    """Write both."""
    return f"{statistics.median(milliseconds):.0f} / {max(milliseconds):.0f} ms"


def plot_box(page: Any) -> dict[str, float]:
    """Return where the metrics chart is."""
    box = page.locator('[data-chart="metrics"] .runlines').bounding_box()
    return {name: float(value) for name, value in box.items()}


def waits(page: Any) -> float:
    """Return the time of the last event until its frame was shown."""
    page.wait_for_function("() => waits.length > 0", polling="raf")
    page.wait_for_timeout(30)
    found = page.evaluate("() => waits.splice(0)")
    return float(max(found))


def hover_times(page: Any) -> list[float]:
    """Point at 30 places of the chart."""
    box, took = plot_box(page), []
    for n in range(30):
        page.mouse.move(
            box["x"] + box["width"] * (0.15 + 0.8 * ((n * 37) % 30) / 30),
            box["y"] + box["height"] * (0.15 + 0.6 * ((n * 11) % 30) / 30),
        )
        took.append(waits(page))
    return took


def zoom_times(page: Any) -> tuple[list[float], list[float]]:
    """Draw a box and go back, six times; also how long the finer points take."""
    box, took, detail = plot_box(page), [], []
    lines = page.locator('[data-chart="metrics"] .runlines')
    for n in range(6):
        x, y = box["x"] + box["width"] * (0.2 + 0.05 * n), box["y"] + box["height"] * 0.15
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 180, y + 140, steps=4)
        page.wait_for_timeout(200)
        page.evaluate("() => waits.splice(0)")
        begun = time.perf_counter()
        with page.expect_response("**/curves?*low=*"):
            page.mouse.up()
            took.append(waits(page))
        detail.append(1000 * (time.perf_counter() - begun))
        page.wait_for_timeout(300)
        lines.dblclick(position={"x": 300, "y": 100})
        page.wait_for_timeout(400)
    return took, detail


def scroll_through(page: Any, tools: Any) -> float:
    """Let every chart of the page be drawn; return the heap then."""
    for section in page.locator("[data-chart]").all():
        section.scroll_into_view_if_needed()
        page.wait_for_timeout(1200)
    return heap_mb(tools)


def sort_time(page: Any, url: str) -> float:
    """Sort the table of runs by a column; return the milliseconds until it stands."""
    page.goto(url)
    page.wait_for_timeout(1500)
    took = []
    for n in range(4):
        button = page.locator("th button, th a").nth(2 + n % 2)
        begun = time.perf_counter()
        with page.expect_response("**/runs/*"):
            button.click()
        page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
        took.append(1000 * (time.perf_counter() - begun))
    return statistics.median(took)


FEED = """
import django; django.setup()
import math, random, time
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from experiments.models import Run
from experiments.services.metrics import Report, record_reports
from experiments.services.setup import first_administrator
from experiments import queries
from tests.factories import make_running_run, make_sweep
owner = first_administrator()
later = timezone.now() + timedelta(hours=2)
with transaction.atomic():  # the controller finds it complete
    sweep = make_sweep(owner=owner, workspace=queries.current_workspace(owner),
                       max_total_runs=100, max_concurrent_runs=100)
    runs = [make_running_run(sweep, lr=random.random() / 10, layers=random.choice([1, 2, 3]))
            for _ in range(100)]
    Run.objects.filter(sweep=sweep).update(lease_expires_at=later)
print(sweep.public_id, flush=True)
fences = dict(Run.objects.filter(sweep=sweep).values_list("pk", "fence"))
begun, count = time.time(), 0
while time.time() - begun < {seconds}:
    count += 1
    for run in runs:
        value = 1 - math.exp(-count / 80) * (0.5 + run.number / 200) + random.gauss(0, 0.01)
        told = Report(count, "accuracy", value, count, time.time())
        record_reports(run.pk, fences[run.pk], [told])
    time.sleep(max(0, begun + count - time.time()))
"""


def bench_live(studio: LiveStudio, seconds: float) -> list[Row]:
    """100 running runs that report once a second: the main thread's share, the heap's growth."""
    import subprocess

    feeder = subprocess.Popen(
        [sys.executable, "-c", FEED.format(seconds=seconds + 40)],
        env=studio.environment | {"DJANGO_SETTINGS_MODULE": "studio.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert feeder.stdout is not None
        sweep = feeder.stdout.readline().strip()
        with browser_page(studio.sign_in_link()) as (page, tools):
            page.goto(f"{studio.url}/sweeps/{sweep}/charts/")
            page.wait_for_function(DRAWN, arg=90, timeout=120_000)
            page.locator('[data-chart="metrics"]').scroll_into_view_if_needed()
            page.wait_for_timeout(5000)
            first, busy, began = heap_mb(tools), task_seconds(tools), time.monotonic()
            page.wait_for_timeout(seconds * 1000)
            share = (task_seconds(tools) - busy) / (time.monotonic() - began)
            last = heap_mb(tools)
    finally:
        feeder.terminate()
        feeder.wait()
    return [
        ("live, 100 runs, main thread", f"{share:.0%} of a core", "50 %", ""),
        (
            f"live, heap after {seconds:.0f} s",
            f"{first:.1f} to {last:.1f} MB",
            "flat over 30 minutes",
            "",
        ),
    ]


def task_seconds(tools: Any) -> float:
    """Return how long the main thread of the page was at work so far."""
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))


if __name__ == "__main__":
    main()
