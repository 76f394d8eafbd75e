"""Parallel coordinates of 1000 runs x 12 axes in a real Chromium: hovering and brushing.

Each time is from the event until the frame that shows its effect is painted, on the whole page of
charts with all others following; beside it the processor time of the page's main thread for each
event, which other work on the machine hardly changes. Started by `make bench`, or alone:
`python -m tests.benchmarks --only parallel`. Never part of the suite.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from typing import Any

from tests.bench_browser import box_of, browser_page, task_seconds
from tests.bench_table import Figure
from tests.servers import LiveStudio

CARD = '[data-chart="parallel_coordinates"]'
WATCH = """() => {
  window.frames_ = [];
  const channel = new MessageChannel();
  const open = [];
  channel.port1.onmessage = () => frames_.push(performance.now() - open.shift());
  addEventListener("pointermove", () => {
    const begun = performance.now();
    requestAnimationFrame(() => {
      open.push(begun);
      channel.port2.postMessage(0);
    });
  }, { capture: true });
}"""
LOAD = """
import random
import django; django.setup()
from django.core.management import call_command
from experiments.models import Run, Sweep
call_command("studio_simulate", runs={runs}, concurrency=100, reports=3, flush=3, verbosity=0)
sweep = Sweep.objects.latest("pk")
dice = random.Random(1)
names = [f"parameter_{{n}}" for n in range({axes} - len(sweep.spec["search_space"]))]
kinds = ["uniform(0, 1)", "loguniform(-9, 0)", "choice('adam', 'sgd', 'rmsprop')"]
draws = [dice.random, lambda: 10 ** dice.uniform(-3.9, 0),
         lambda: dice.choice(("adam", "sgd", "rmsprop"))]
sweep.spec["search_space"] |= {{name: kinds[n % 3] for n, name in enumerate(names)}}
sweep.save(update_fields=["spec"])
runs = list(sweep.runs.all())
for run in runs:
    run.params |= {{name: draws[n % 3]() for n, name in enumerate(names)}}
Run.objects.bulk_update(runs, ["params"], batch_size=200)
print(sweep.public_id)
"""


def bench_parallel(studio: LiveStudio, runs: int = 1000, axes: int = 12) -> list[Figure]:
    """Point at lines and drag on axes."""
    sweep = studio.run_python(LOAD.format(runs=runs, axes=axes)).split()[-1]
    figures = []
    with browser_page(studio.sign_in_link()) as (page, tools):
        page.goto(f"{studio.url}/sweeps/{sweep}/charts/")
        page.wait_for_selector(f"{CARD} .axis.metric .zone", timeout=120_000)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(3000)  # the other charts
        page.evaluate(WATCH)
        tools.send("Performance.disable")
        tools.send("Performance.enable", {"timeDomain": "threadTicks"})
        for name, act, must in (
            ("hover", _hover, 16),
            ("brush on a parameter", lambda p: _drag(p, ".axis >> nth=4"), 100),
            ("brush on the metric", lambda p: _drag(p, ".axis.metric"), 100),
        ):
            took, cpu = _timed(page, tools, act)
            ordered = sorted(took)
            note = (
                f"until it is painted: median {statistics.median(ordered):.0f} ms, "
                f"p95 {ordered[int(0.95 * (len(ordered) - 1))]:.0f} ms, of {len(ordered)}"
            )
            what = f"parallel coordinates, {runs} x {axes}, {name}"
            figures.append(Figure(what, cpu, "ms", must, note=note))
    return figures


def _timed(page: Any, tools: Any, act: Callable[[Any], None]) -> tuple[list[float], float]:
    before = task_seconds(tools)
    act(page)
    page.wait_for_timeout(500)
    times: list[float] = page.evaluate("frames_.splice(0)")
    return times, 1000 * (task_seconds(tools) - before) / len(times)


def _hover(page: Any) -> None:
    box = box_of(page, f"{CARD} [data-plot]")
    dice = random.Random(2)
    for _ in range(100):
        x = box["x"] + box["width"] * dice.uniform(0.06, 0.9)
        y = box["y"] + box["height"] * dice.uniform(0.2, 0.9)
        page.mouse.move(x, y)


def _drag(page: Any, axis: str) -> None:
    box = page.locator(CARD).locator(axis).locator(".zone").bounding_box()
    x, top = box["x"] + box["width"] / 2, box["y"] + 12
    page.mouse.move(x, top)
    page.mouse.down()
    for step in range(1, 41):
        page.mouse.move(x, top + (box["height"] - 24) * step / 40)
    page.mouse.up()
