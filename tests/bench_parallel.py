"""Parallel coordinates of 1000 runs x 12 axes in a real Chromium: hovering and brushing.

Started by `python -m tests.bench_parallel [--runs 1000] [--axes 12]`. Each time is from the first
listener of a pointer event until the frame that shows its effect is painted, on the whole page of
charts with all others following; beside it the processor time of the page's main thread for each
event, which other work on the machine hardly changes. Never part of the test suite.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers import LiveStudio

ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--no-first-run",
]
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


def main() -> None:
    """Load the sweep and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--axes", type=int, default=12)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="studio-parallel-"))
    studio = LiveStudio(home)
    studio.start()
    try:
        loaded = studio.run_python(LOAD.format(runs=options.runs, axes=options.axes))
        for name, (took, cpu) in measure(studio, loaded.split()[-1]).items():
            ordered = sorted(took)
            p95 = ordered[int(0.95 * (len(ordered) - 1))]
            middle = statistics.median(ordered)
            print(
                f"{name:<22} median {middle:6.1f} ms   p95 {p95:6.1f} ms   processor {cpu:6.1f} ms"
                f"   of {len(took)} events"
            )
    finally:
        studio.stop()
        shutil.rmtree(home, ignore_errors=True)


def measure(studio: LiveStudio, sweep: str) -> dict[str, tuple[list[float], float]]:
    """Point at lines and drag on axes; return times, and processor time per event, in ms."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(studio.sign_in_link())
        page.goto(f"{studio.url}/sweeps/{sweep}/charts/")
        page.wait_for_selector(f"{CARD} .axis.metric .zone", timeout=120_000)
        page.wait_for_timeout(10_000)  # the other charts
        page.evaluate(WATCH)
        clock = page.context.new_cdp_session(page)
        clock.send("Performance.enable", {"timeDomain": "threadTicks"})
        found = {
            "hover": _timed(page, clock, _hover),
            "brush on a parameter": _timed(page, clock, lambda p: _drag(p, ".axis >> nth=4")),
            "brush on the metric": _timed(page, clock, lambda p: _drag(p, ".axis.metric")),
        }
        browser.close()
    return found


def _timed(page: Any, clock: Any, act: Callable[[Any], None]) -> tuple[list[float], float]:
    def busy() -> float:
        values = clock.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in values if m["name"] == "TaskDuration"))

    before = busy()
    act(page)
    page.wait_for_timeout(500)
    times: list[float] = page.evaluate("frames_.splice(0)")
    return times, 1000 * (busy() - before) / len(times)


def _hover(page: Any) -> None:
    box = page.locator(f"{CARD} [data-plot]").bounding_box()
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


if __name__ == "__main__":
    main()
