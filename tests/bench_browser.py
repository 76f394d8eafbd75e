"""A real Chromium for measurements: an empty cache, what came over the wire, the heap of a tab."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def browser_page(link: str) -> Iterator[tuple[Any, Any]]:
    """Yield a signed-in page with an empty cache, and its DevTools session."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        context = browser.new_context(viewport=VIEWPORT)
        if link:
            entrance = context.new_page()
            entrance.goto(link)
            entrance.close()
        page = context.new_page()
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


def heap_mb(tools: Any) -> float:
    """Return the used JavaScript heap after a collection."""
    tools.send("HeapProfiler.collectGarbage")
    return float(tools.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
