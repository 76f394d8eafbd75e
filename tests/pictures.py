"""Make the pictures of README and docs: pages of a real studio with simulated sweeps.

Started by `make pictures`; it takes a minute or two.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench_browser import browser_page
from tests.servers import ROOT, LiveStudio

FOLDER = ROOT / "docs" / "images"
# Laid out as on a desk, and made smaller.
WIDTH, SCALE = 1440, 5 / 6
# A README with pictures must open at once: WebP of the best quality that is no larger than this.
MOST_BYTES = 100_000
QUALITIES = (90, 84, 78, 70, 60, 50)
MAKE = "import django; django.setup(); from tests import picture_world; picture_world.main()"
# Every chart in view is drawn, and nothing has come for a moment.
DRAWN = """() => {
    const come = performance.getEntriesByType('resource').length;
    if (come !== window.comeBefore) window.comeAt = performance.now();
    window.comeBefore = come;
    const places = [...document.querySelectorAll('.chartcard .chart')];
    const inView = (one) => one.getBoundingClientRect().top < innerHeight && one.checkVisibility();
    return places.filter(inView).every((one) => one.hasChildNodes())
        && performance.now() - window.comeAt > 1500;
}"""


class Camera:
    """Takes pictures of a page; `tools` is its DevTools session."""

    def __init__(self, page: Any, tools: Any, url: str) -> None:
        self.page, self.tools, self.url = page, tools, url

    def take(
        self,
        name: str,
        path: str,
        *,
        theme: str = "light",
        height: int = 900,
        before: Callable[[Any], None] = lambda page: None,
    ) -> None:
        """Take one picture, when all of its charts are drawn."""
        self.page.set_viewport_size({"width": WIDTH, "height": height})
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        answer = self.page.goto(self.url + path)
        assert answer.ok, f"{path} answers {answer.status}"
        self.page.mouse.move(0, 0)
        self.page.wait_for_function(DRAWN, polling=200, timeout=120_000)
        before(self.page)
        self.page.wait_for_timeout(2500)
        picture = self.encoded(height)
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.webp").write_bytes(picture)
        sys.stdout.write(f"docs/images/{name}.webp: {len(picture):,} bytes\n")

    def encoded(self, height: int) -> bytes:
        """Return what the page shows as WebP; PNG of the same would be several times as large."""
        picture = b""
        top = self.page.evaluate("scrollY")
        clip = {"x": 0, "y": top, "width": WIDTH, "height": height, "scale": SCALE}
        for quality in QUALITIES:
            options = {"format": "webp", "quality": quality, "clip": clip}
            answer = self.tools.send("Page.captureScreenshot", options)
            picture = base64.b64decode(answer["data"])
            if len(picture) <= MOST_BYTES:
                break
        return picture


def main() -> None:
    """Make the sweeps, visit the pages, leave the pictures in docs/images."""
    home = Path(tempfile.mkdtemp(prefix="studio-pictures-"))
    studio = LiveStudio(home)
    try:
        studio.start(300)
        ids = json.loads(studio.run_python(MAKE).splitlines()[-1])
        with browser_page(studio.sign_in_link()) as (page, tools):
            camera = Camera(page, tools, studio.url)
            take_all(camera, ids["wide"], ids["narrow"], stopped_run(studio, ids["wide"]))
    finally:
        if studio.process is not None:
            studio.stop()
        shutil.rmtree(home, ignore_errors=True)


def stopped_run(studio: LiveStudio, sweep: str) -> str:
    """Return the id of a run that the policy stopped."""
    runs = studio.api(f"/sweeps/{sweep}/runs?filter=status:stopped&limit=10")["items"]
    return str(runs[-1]["id"])


def take_all(camera: Camera, wide: str, narrow: str, stopped: str) -> None:
    """Take every picture of README and docs."""
    camera.take("sweep-overview", f"/sweeps/{wide}/", height=1190)
    camera.take("charts", f"/sweeps/{wide}/charts/", theme="dark", before=past_the_head)
    camera.take("best-model", f"/sweeps/{wide}/best/", height=820)
    camera.take("compare", f"/compare/?sweeps={wide},{narrow}")
    camera.take("new-sweep", f"/sweeps/new/?from={wide}", before=to_the_policy)
    camera.take("receipt", f"/runs/{stopped}/", height=620, before=to_the_receipt)


def past_the_head(page: Any) -> None:
    """Show the charts themselves, with a run pointed at in the list beside them."""
    page.locator('[data-chart="parallel_coordinates"]').evaluate(
        "(card) => scrollTo(0, card.getBoundingClientRect().top + scrollY - 64)"
    )
    page.locator("#runlist li").nth(3).hover()


def to_the_policy(page: Any) -> None:
    """Show early termination with the replay of an earlier sweep."""
    # Nothing starts on the target of simulations.
    page.locator("[name=compute][value=local]").check()
    page.locator("#s-policy").evaluate(
        "(card) => scrollTo(0, card.getBoundingClientRect().top + scrollY - 64)"
    )
    page.locator("#replay-chart svg").wait_for(timeout=60_000)


def to_the_receipt(page: Any) -> None:
    """Show why the run was stopped, and what other policies would have done."""
    page.locator("#receipt table").first.wait_for(timeout=60_000)
    page.locator("#receipt").evaluate(
        "(card) => scrollTo(0, card.getBoundingClientRect().top + scrollY - 64)"
    )


if __name__ == "__main__":
    main()
