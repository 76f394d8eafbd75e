"""A real Chromium for measurements: an empty cache, what came over the wire, times of events.

The same conditions and clocks for every studio that is measured.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--no-first-run",
]
VIEWPORT: Any = {"width": 1440, "height": 900}
# How long what happens after an event is listened for, in milliseconds.
_SETTLE_MS = 60
# Notes for every event how long it took from the hand until the frame after what it changed; charts
# of Plotly tell themselves when they have answered.
_WATCH = """(selector) => {
  window.waits = [];
  let begun = 0;
  const note = (kind) => requestAnimationFrame(() => requestAnimationFrame(
    () => waits.push([kind, performance.now() - begun])));
  for (const kind of ["pointermove", "pointerup"]) {
    addEventListener(kind, (event) => {
      begun = event.timeStamp;
      note(kind);
    }, { capture: true });
  }
  const plot = selector && document.querySelector(selector);
  for (const kind of ["plotly_hover", "plotly_relayout"]) plot?.on?.(kind, () => note(kind));
}"""
# From a click until the first row is another one and its frame is shown.
_WATCH_ROWS = """(selector) => {
  window.changed = null;
  const first = () => document.querySelector(selector)?.textContent;
  const before = first();
  addEventListener("click", (event) => {
    const look = () => {
      if (!first() || first() === before) requestAnimationFrame(look);
      else requestAnimationFrame(() => {
        window.changed = performance.now() - event.timeStamp;
      });
    };
    look();
  }, { capture: true, once: true });
}"""
# The time since the navigation began once a condition has held for a frame that was shown.
_STANDS = """() => {
  if (!window.standsAt && (CONDITION)) {
    window.standsAt = Infinity;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      window.standsAt = performance.now();
    }));
  }
  return Number.isFinite(window.standsAt) && window.standsAt;
}"""


@contextmanager
def browser_page(link: str, *, height: int = 900) -> Iterator[tuple[Any, Any]]:
    """Yield a signed-in page with an empty cache, and its DevTools session."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        context = browser.new_context(viewport={**VIEWPORT, "height": height})
        if link:
            entrance = context.new_page()
            entrance.goto(link)
            entrance.close()
        page = context.new_page()
        # What is slow is to be measured, not to end the measurement.
        page.set_default_timeout(300_000)
        tools = context.new_cdp_session(page)
        for domain in ("Network", "Performance", "HeapProfiler"):
            tools.send(f"{domain}.enable")
        if link:  # the way in has read files of the studio
            tools.send("Network.clearBrowserCache")
        yield page, tools
        browser.close()


class Received:
    """Counts the bytes that come while it is in use: `with Received(tools) as received`."""

    def __init__(self, tools: Any) -> None:
        self.tools = tools
        self.size = 0.0

    def __enter__(self) -> Received:
        self.tools.on("Network.loadingFinished", self._count)
        return self

    def __exit__(self, *_: object) -> None:
        self.tools.remove_listener("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, Any]) -> None:
        self.size += event["encodedDataLength"]

    @property
    def megabytes(self) -> float:
        """What came so far."""
        return self.size / 1e6


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that was opened: seconds until it stood, None when it did not, and what came."""

    seconds: float | None
    megabytes: float


def timed_visit(
    page: Any,
    tools: Any,
    url: str,
    condition: str,
    *,
    patience: float = 120,
    arrive: Callable[[], None] | None = None,
) -> Visit:
    """Open a page; return when a condition in JavaScript has held for a frame that was shown.

    `arrive` is called as soon as the page begins, and goes to what is measured.
    """
    from playwright.sync_api import TimeoutError as Late

    page.goto("about:blank")
    seconds = None
    with Received(tools) as received:
        page.goto(url, wait_until="commit")
        if arrive:
            arrive()
        try:
            found = page.wait_for_function(
                _STANDS.replace("CONDITION", condition), polling="raf", timeout=1000 * patience
            )
            seconds = found.json_value() / 1000
            page.wait_for_timeout(2500)
        except Late:
            pass
    return Visit(seconds, received.megabytes)


def watch_events(page: Any, plot: str = "") -> None:
    """Begin to note how long events take; `plot` selects a chart of Plotly."""
    page.evaluate(_WATCH, plot)


def last_wait(page: Any, kind: str, patience: float = 30) -> float | None:
    """Return how long the last event of a kind took; None when nothing followed in time."""
    from playwright.sync_api import TimeoutError as Late

    try:
        page.wait_for_function(
            "(kind) => waits.some(([other]) => other === kind)",
            arg=kind,
            polling="raf",
            timeout=1000 * patience,
        )
    except Late:
        return None
    page.wait_for_timeout(_SETTLE_MS)
    return max(float(took) for _, took in page.evaluate("() => waits.splice(0)"))


def sort_times(
    page: Any,
    header: Callable[[], Any],
    rows: str,
    count: int = 4,
    patience: float = 30,
    *,
    is_unseen: bool = False,
) -> list[float]:
    """Click a header some times; return how long it took until another row is the first.

    `is_unseen`: the pointer is somewhere else, so that nothing can be prepared before the click.
    """
    from playwright.sync_api import TimeoutError as Late

    took: list[float] = []
    for _ in range(count):
        page.evaluate(_WATCH_ROWS, rows)
        if is_unseen:
            page.mouse.move(5, 5)
            header().evaluate("(header) => header.click()")
        else:
            header().click()
        try:
            found = page.wait_for_function("() => window.changed", timeout=1000 * patience)
            took.append(float(found.json_value()))
        except Late:  # the first row may well stay
            continue
        page.wait_for_timeout(500)
    return took


def go_to(page: Any, selector: str) -> None:
    """Scroll to an element as soon as it is there, whatever else still happens on the page."""
    element = page.wait_for_selector(selector, state="attached", timeout=120_000)
    element.evaluate("(element) => element.scrollIntoView({ block: 'center' })")


def box_of(page: Any, selector: str) -> dict[str, float]:
    """Return where an element is in the window."""
    go_to(page, selector)
    box = page.locator(selector).first.bounding_box()
    return {name: float(value) for name, value in box.items()}


def places(box: dict[str, float], count: int) -> Iterator[tuple[float, float]]:
    """Yield places all over a box, neighbours far from each other."""
    for n in range(count):
        yield (
            box["x"] + box["width"] * (0.15 + 0.8 * ((n * 37) % count) / count),
            box["y"] + box["height"] * (0.15 + 0.6 * ((n * 11) % count) / count),
        )


def draw_box(page: Any, x: float, y: float) -> None:
    """Press and draw a box to zoom into; the button is still down."""
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 180, y + 140, steps=4)
    page.wait_for_timeout(200)
    page.evaluate("() => waits.splice(0)")


def heap_mb(tools: Any) -> float:
    """Return the used JavaScript heap after a collection."""
    tools.send("HeapProfiler.collectGarbage")
    return float(tools.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def task_seconds(tools: Any) -> float:
    """Return how long the main thread of the page was at work so far."""
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))
