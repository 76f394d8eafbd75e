"""A sweep of 100 running runs that report every second, followed in a real Chromium.

How much of a core the main thread of the page needs, and whether its heap stays flat. Started by
`make bench`; `ARGS="--only live --minutes 30"` for the long form. Never part of the suite.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

from tests.bench_browser import browser_page, go_to, heap_mb, task_seconds
from tests.bench_pages import CARD, DRAWN
from tests.bench_table import Figure
from tests.servers import LiveStudio

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
later = timezone.now() + timedelta(seconds={seconds} + 3600)
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


def bench_live(studio: LiveStudio, minutes: float) -> list[Figure]:
    """Follow the sweep for so long, and look at the heap every minute at least."""
    seconds = 60 * minutes
    feeder = subprocess.Popen(
        [sys.executable, "-c", FEED.format(seconds=seconds + 60)],
        env=studio.environment | {"DJANGO_SETTINGS_MODULE": "studio.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert feeder.stdout is not None
        sweep = feeder.stdout.readline().strip()
        with browser_page(studio.sign_in_link()) as (page, tools):
            page.goto(f"{studio.url}/sweeps/{sweep}/charts/")
            go_to(page, CARD)
            page.wait_for_function(f"() => {DRAWN.format(90)}", timeout=120_000)
            page.wait_for_timeout(5000)
            shares, heaps = follow(page, tools, seconds)
    finally:
        feeder.terminate()
        feeder.wait()
    span = f"{heaps[0][1]:.1f} MB at first, {heaps[-1][1]:.1f} MB at last"
    if minutes >= 5:  # the slope of less is that of the charts that still come
        span += f", {growth(heaps):+.1f} MB an hour"
    most = max(heap for _, heap in heaps)
    return [
        Figure(
            "live, 100 runs, main thread",
            100 * statistics.median(shares),
            "%",
            50,
            note=f"of a core; most in a stretch {100 * max(shares):.0f} %",
        ),
        Figure(f"live, heap over {minutes:g} minutes", most, "MB", 80, 50, span),
    ]


def follow(page: Any, tools: Any, seconds: float) -> tuple[list[float], list[tuple[float, float]]]:
    """Return the share of the main thread in each stretch, and the heap at the end of each."""
    stretch = min(60.0, seconds / 5)
    began = time.monotonic()
    heaps, shares = [(0.0, heap_mb(tools))], []
    while time.monotonic() - began < seconds:
        busy, from_ = task_seconds(tools), time.monotonic()
        page.wait_for_timeout(1000 * stretch)
        shares.append((task_seconds(tools) - busy) / (time.monotonic() - from_))
        # The collection is work of the measurement, so it is left out of the share.
        heaps.append((time.monotonic() - began, heap_mb(tools)))
    return shares, heaps


def growth(heaps: list[tuple[float, float]]) -> float:
    """Return the slope of the heap in MB an hour, the first fifth left out: charts still come."""
    later = heaps[len(heaps) // 5 :]
    if len(later) < 2:
        return 0.0
    line = statistics.linear_regression([at for at, _ in later], [heap for _, heap in later])
    return 3600 * line.slope
