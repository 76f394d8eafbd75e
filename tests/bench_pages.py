"""The pages of a large sweep in a real Chromium, beside other studios with the same curves.

Started by `make bench`, or alone: `python -m tests.benchmarks --only pages`. Never part of the
suite.
"""

from __future__ import annotations

import gzip
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from tests.bench_browser import (
    box_of,
    browser_page,
    draw_box,
    go_to,
    heap_mb,
    last_wait,
    places,
    sort_times,
    timed_visit,
    watch_events,
)
from tests.bench_table import Figure, attempt, spread
from tests.servers import LiveStudio

# Whether so many lines are on the canvas.
DRAWN = "document.querySelector('.runlines')?.drawn >= {}"
CARD = '[data-chart="metrics"]'
CHART = f"{CARD} .runlines"
# All of a first row, no row of a table before it.
ROWS = "#rows tr"
# What a person with a large screen has in view at once, the 3-D chart included.
TALL = 2400

COLD, WARM = "chart page, all lines drawn, cold", "chart page, all lines drawn, warm"
COLD_MB, WARM_MB = "transferred for it, cold", "transferred for it, warm"
HOVER, ZOOM = "hover on the lines", "zoom box on the lines"
HEAP, MEMORY = "heap of the tab", "memory of the server after the charts"
TABLE, SORT = "table of runs, warm", "sort 1000 runs"
CURVES, FIRST_RUNS = "server, curves of all runs", "server, first page of the runs"


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


def bench_pages(studio: LiveStudio, runs: int, reports: int) -> list[Figure]:
    """Measure the server, then the browser."""
    begun = time.perf_counter()
    sweep = load_sweep(studio, runs, reports)
    loaded = Figure(f"{runs} runs x {reports} reports loaded", time.perf_counter() - begun, "s")
    look_at(studio, load_sweep(studio, 10, 10))
    before = web_memory(studio)
    figures = [loaded]
    for measure in (bench_server, bench_charts, bench_tall, bench_table):
        figures += attempt(measure.__name__, partial(measure, studio, sweep, runs))
    after = web_memory(studio)
    grown = Figure(
        MEMORY,
        after - before,
        "MB",
        80,
        40,
        f"more than the {before:.0f} MB after a sweep of ten runs",
    )
    return [*figures, grown]


def look_at(studio: LiveStudio, sweep: str) -> None:
    """Open the pages of a sweep in all web processes, so that the first page of each is paid."""
    for _ in range(10):
        # Each connection may be answered by another process.
        read = sign_in(studio)
        for _, path, *_ in server_pages(sweep):
            read(path)


def web_processes(studio: LiveStudio) -> list[Any]:
    """Return the processes that serve the pages."""
    import psutil

    assert studio.process is not None
    children = psutil.Process(studio.process.pid).children(recursive=True)
    found = [child for child in children if any("uvicorn" in w for w in child.cmdline())]
    assert found, "no process has the name of a web process"
    return found


def web_memory(studio: LiveStudio) -> float:
    """Return the PSS of the web processes in MB."""
    return float(sum(web.memory_full_info().pss for web in web_processes(studio)) / 1e6)


def web_cpu(studio: LiveStudio) -> float:
    """Return the seconds of processor that the web processes took so far."""
    return float(sum(sum(web.cpu_times()[:2]) for web in web_processes(studio)))


def server_pages(sweep: str) -> list[tuple[str, str, float | None, float | None]]:
    """Return what is timed of a sweep: its name, its address, must and aim in milliseconds."""
    return [
        ("server, sweep page", f"/sweeps/{sweep}/", 250, None),
        ("server, chart page", f"/sweeps/{sweep}/charts/", 250, None),
        ("server, table of runs", f"/sweeps/{sweep}/runs/", 250, None),
        (CURVES, f"/api/v1/sweeps/{sweep}/curves", 175, 100),
        (FIRST_RUNS, f"/api/v1/sweeps/{sweep}/runs", 50, 25),
        ("server, figure of the chart", f"/sweeps/{sweep}/charts/metrics.json", None, None),
    ]


def bench_server(studio: LiveStudio, sweep: str, runs: int) -> list[Figure]:
    """Time the pages and the curves as a signed-in client gets them, uncompressed."""
    del runs
    read = sign_in(studio)
    figures = []
    for name, path, must, aim in server_pages(sweep):
        body = read(path)
        took = []
        worked = web_cpu(studio)
        for _ in range(20):
            begun = time.perf_counter()
            read(path)
            took.append(1000 * (time.perf_counter() - begun))
        # The clock of a process ticks in hundredths of a second: over many requests it will do.
        cpu = 1000 * (web_cpu(studio) - worked) / len(took)
        sizes = f"{len(body) / 1e6:.2f} MB, {len(gzip.compress(body, 6)) / 1e6:.2f} MB with gzip"
        note = f"{cpu:.0f} ms of processor; {sizes}"
        figures.append(Figure(name, statistics.median(took), "ms", must, aim, note))
    return figures


def sign_in(studio: LiveStudio) -> Callable[[str], bytes]:
    """Return what reads an address as the administrator, without compression."""
    from http.cookiejar import CookieJar

    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    opener.open(studio.sign_in_link()).read()

    def read(path: str) -> bytes:
        with opener.open(studio.url + path) as answer:
            return bytes(answer.read())

    return read


def bench_charts(studio: LiveStudio, sweep: str, runs: int) -> list[Figure]:
    """Open the charts cold and warm, point at runs, zoom, look at the heap."""
    charts = f"{studio.url}/sweeps/{sweep}/charts/"
    with browser_page(studio.sign_in_link()) as (page, tools):
        figures = visits(page, tools, charts, runs)
        watch_events(page)
        figures += spread(HOVER, hover_times(page), 100, 60)
        zoom, detail = zoom_times(page)
        figures += spread(ZOOM, zoom, 280, 120)
        if detail:
            figures.append(Figure("zoom, all points between", statistics.median(detail)))
        figures.append(Figure(HEAP, heap_mb(tools), "MB", 80, 50))
        figures.append(Figure("heap, every chart drawn", scroll_through(page, tools), "MB", 80, 50))
    return figures


def bench_tall(studio: LiveStudio, sweep: str, runs: int) -> list[Figure]:
    """Open the charts in a window that shows all of them."""
    charts = f"{studio.url}/sweeps/{sweep}/charts/"
    with browser_page(studio.sign_in_link(), height=TALL) as (page, tools):
        drawn = DRAWN.format(runs)
        cold, warm = (timed_visit(page, tools, charts, drawn) for _ in range(2))
    note = f"a window of 1440 x {TALL}: the 3-D chart is drawn in software at the same time"
    return [
        Figure(f"{COLD}, every chart in view", cold.seconds, "s", 4, 2, note),
        Figure(f"{WARM}, every chart in view", warm.seconds, "s", 2, 1),
    ]


def visits(page: Any, tools: Any, url: str, runs: int) -> list[Figure]:
    """Open the charts with an empty cache and three times with a full one."""
    cold = open_charts(page, tools, url, runs)
    warm = [open_charts(page, tools, url, runs) for _ in range(3)]
    seconds = statistics.median(visit.seconds or 120 for visit in warm)
    return [
        Figure(COLD, cold.seconds, "s", 4, 2),
        Figure(WARM, seconds, "s", 2, 1, f"of {len(warm)}"),
        Figure(COLD_MB, cold.megabytes, "MB", 2.5, 1.5),
        Figure(WARM_MB, max(visit.megabytes for visit in warm), "MB", 0.4, 0.3),
    ]


def open_charts(page: Any, tools: Any, url: str, runs: int) -> Any:
    """Open the charts and go to the one of the lines, as soon as it is there."""
    return timed_visit(page, tools, url, DRAWN.format(runs), arrive=lambda: go_to(page, CARD))


def hover_times(page: Any) -> list[float]:
    """Point at 30 places of the chart."""
    took = []
    for x, y in places(box_of(page, CHART), 30):
        page.mouse.move(x, y)
        took.append(last_wait(page, "pointermove") or 30_000)
    return took


def zoom_times(page: Any) -> tuple[list[float], list[float]]:
    """Draw a box and go back, six times; also how long the finer points take."""
    box, took, detail = box_of(page, CHART), [], []
    lines = page.locator(CHART)
    for n in range(6):
        draw_box(page, box["x"] + box["width"] * (0.2 + 0.05 * n), box["y"] + 0.15 * box["height"])
        begun = time.perf_counter()
        with finer_points(page) as came:
            page.mouse.up()
            took.append(last_wait(page, "pointerup") or 30_000)
            page.wait_for_timeout(1000)
        detail += [1000 * (at - begun) for at in came]
        page.wait_for_timeout(300)
        lines.dblclick(position={"x": 300, "y": 100})
        page.wait_for_timeout(400)
    return took, detail


@contextmanager
def finer_points(page: Any) -> Iterator[list[float]]:
    """Note when curves of a part come; small sweeps need none."""
    came: list[float] = []

    def look(response: Any) -> None:
        if "/curves?" in response.url and "low=" in response.url:
            response.finished()
            came.append(time.perf_counter())

    page.on("response", look)
    yield came
    page.remove_listener("response", look)


def scroll_through(page: Any, tools: Any) -> float:
    """Let every chart of the page be drawn; return the heap then."""
    for section in page.locator("[data-chart]").all():
        section.evaluate("(section) => section.scrollIntoView({ block: 'center' })")
        page.wait_for_timeout(1200)
    return heap_mb(tools)


def bench_table(studio: LiveStudio, sweep: str, runs: int) -> list[Figure]:
    """Open the table, and sort it."""
    del runs
    url = f"{studio.url}/sweeps/{sweep}/runs/"
    there = f"document.querySelectorAll('{ROWS}').length > 10"
    with browser_page(studio.sign_in_link()) as (page, tools):
        opened = [timed_visit(page, tools, url, there).seconds for _ in range(4)][1:]
        header = page.locator("th a", has_text="learning_rate").first
        took = sort_times(page, lambda: header, ROWS, 6)
        unseen = sort_times(page, lambda: header, ROWS, 6, is_unseen=True)
    return [
        Figure(TABLE, statistics.median(seconds or 120 for seconds in opened), "s", 1, 0.6),
        Figure(SORT, statistics.median(took), "ms", 150, 60, f"of {len(took)}, to the new rows"),
        Figure(f"{SORT}, nothing asked ahead", statistics.median(unseen), "ms", 150, None),
    ]
