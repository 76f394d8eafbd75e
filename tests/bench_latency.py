"""From `run.log` in a script to the websocket, and to the picture in a real Chromium.

20 runs report ten times a second each; each value is the time at which it was logged. Never part of
the suite.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar

from websockets.sync.client import connect

from tests.bench_browser import browser_page, go_to
from tests.bench_pages import CARD
from tests.bench_setting import Setting, running_studio
from tests.bench_table import Figure, attempt, quantile
from tests.servers import LiveStudio

RATE = 10
SCRIPT = """
import pathlib, sys, time
from studio.sdk import Run
go, rate, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
run = Run.get_context()
while not go.exists():
    time.sleep(0.1)
begun = time.monotonic()
for number in range(round(rate * seconds)):
    time.sleep(max(0.0, begun + number / rate - time.monotonic()))
    run.log("m", time.time())
"""
# Notes for every value that a frame of the feed brings how late the next frame of the screen is
# after its line was drawn as far as that value. Values are times, so that a line that has a later
# one has it, too; what the page has read from the server meanwhile is a little rounded.
_WATCH = """(card) => {
  window.late = [];
  window.came = 0;
  window.isOpen = false;
  let pending = [];
  const note = (lines) => {
    if (!pending.length) return;
    const ends = new Map();
    const endOf = (run) => {
      if (!ends.has(run)) ends.set(run, lines.valuesOf(run).at(-1) ?? -Infinity);
      return ends.get(run) + 0.01;
    };
    const taken = pending.filter(({ run, value }) => value <= endOf(run));
    pending = pending.filter(({ run, value }) => value > endOf(run));
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const now = Date.now();
      for (const { value } of taken) window.late.push(now - 1000 * value);
    }));
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...words) {
      super(...words);
      this.addEventListener("open", () => {
        window.isOpen = true;
      });
      this.addEventListener("message", (message) => {
        for (const event of JSON.parse(message.data).events ?? []) {
          if (event.type !== "metrics") continue;
          pending.push(...event.values.map((value) => ({ run: event.number, value })));
          window.came += event.values.length;
        }
      });
    }
  };
  const { prototype } = window.CanvasRenderingContext2D;
  const { stroke } = prototype;
  prototype.stroke = function (...words) {
    const lines = this.canvas.closest(`${card} .runlines`);
    if (lines) note(lines);
    return stroke.apply(this, words);
  };
}"""


def bench_latency(setting: Setting) -> Iterator[Figure]:
    """Yield how late reports are, first at a socket alone, then with a browser beside it."""
    runs, seconds = setting.few(20, 2), setting.few(20, 4)
    with running_studio(workers=runs) as studio:
        for name in ("websocket", "browser"):
            yield from attempt(
                f"log to {name}", lambda name=name: _measured(studio, name, runs, seconds)
            )


def _measured(studio: LiveStudio, name: str, runs: int, seconds: int) -> list[Figure]:
    go = studio.home / f"go-{name}"
    sweep = submit(studio, [str(go), str(RATE), str(seconds)], runs)
    deadline = time.monotonic() + 120
    while studio.api(f"/sweeps/{sweep}")["counts"].get("Running", 0) < runs:
        assert time.monotonic() < deadline, "the runs do not begin"
        time.sleep(0.5)
    follow = follow_socket if name == "websocket" else follow_page
    late = follow(studio, sweep, lambda: go.touch(), seconds)
    studio.wait_for_end(sweep)
    expected = runs * RATE * seconds
    assert len(late) > expected / 4, f"only {len(late)} of {expected} reports were seen"
    count = f"{len(late)} of {expected} reports, {runs} runs x {RATE}/s"
    what = {"websocket": "log to websocket", "browser": "log to picture in Chromium"}[name]
    p50, p95 = (1000 * quantile(late, share) for share in (0.5, 0.95))
    return [
        Figure(f"{what}, p50", p50, "ms", 500, 300, count),
        Figure(f"{what}, p95", p95, "ms", 900, 500),
    ]


def submit(studio: LiveStudio, arguments: list[str], runs: int) -> str:
    """Submit the sweep; its scripts wait until they are let go."""
    folder = studio.home / f"source-{time.time_ns()}"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    body = {
        "name": "latency",
        "source_directory": str(folder),
        "script": "train.py",
        "arguments": arguments,
        "search_space": {"x": "uniform(0, 1)"},
        "primary_metric": {"name": "m", "goal": "maximize"},
        "max_total_runs": runs,
        "max_concurrent_runs": runs,
    }
    return str(studio.api("/sweeps", body)["id"])


def follow_socket(studio: LiveStudio, sweep: str, begin, seconds: int) -> list[float]:
    """Return how late each report is at a websocket."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(studio.sign_in_link(), timeout=60).read()
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
    address = f"ws://127.0.0.1:{studio.port}/ws/sweeps/{sweep}/"
    headers = {"Cookie": cookies, "Origin": studio.url}
    late = []
    with connect(address, additional_headers=headers, max_size=None) as socket:
        begin()
        until = time.monotonic() + seconds + 5
        while time.monotonic() < until:
            try:
                frame = json.loads(socket.recv(timeout=1))
            except TimeoutError:
                continue
            now = time.time()
            for event in frame["events"]:
                if event["type"] == "metrics":
                    late += [now - value for value in event["values"]]
    return late


def follow_page(studio: LiveStudio, sweep: str, begin, seconds: int) -> list[float]:
    """Return how late each report is on the screen of the charts."""
    with browser_page(studio.sign_in_link()) as (page, _):
        page.add_init_script(f"({_WATCH})({json.dumps(CARD)})")
        page.goto(f"{studio.url}/sweeps/{sweep}/charts/")
        go_to(page, CARD)
        page.wait_for_function("() => window.isOpen", timeout=60_000)
        page.wait_for_timeout(3000)
        # The scripts begin while the page is in a loop of its own.
        threading.Timer(0.5, begin).start()
        page.wait_for_timeout(1000 * (seconds + 5))
        late, came = page.evaluate("() => [late, came]")
        assert late, f"{came} reports came to the page, none was drawn"
        return [float(one) / 1000 for one in late]
