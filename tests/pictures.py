"""Make the pictures of README and docs: a real studio, real sweeps of the digits example.

Started by `make pictures`, on a machine that has nothing else to do: it takes about five minutes.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.bench_browser import browser_page
from tests.servers import ROOT, LiveStudio

FOLDER = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 800}
SECONDS = 900


def main() -> None:
    """Run the sweeps, visit the pages, leave the pictures in docs/images."""
    home = Path(tempfile.mkdtemp(prefix="studio-pictures-"))
    studio = LiveStudio(home)
    studio.start()
    try:
        random, bayesian = submit(studio, "sweep.yaml"), submit(studio, "bayesian.yaml")
        with browser_page(studio.sign_in_link()) as (page, _):
            page.set_viewport_size(SIZE)
            page.goto(f"{studio.url}/sweeps/{random}/")
            page.wait_for_function(
                "() => Number(document.querySelector('[data-part=run-count]')?.textContent) >= 14",
                timeout=SECONDS * 1000,
            )
            take(page, "sweep-overview")
            take(page, "dashboard", f"{studio.url}/dashboard/", theme="dark")
            for sweep in (random, bayesian):
                studio.wait_for_end(sweep, SECONDS)
            take_ended(page, studio.url, random, bayesian)
    finally:
        studio.stop()
        shutil.rmtree(home, ignore_errors=True)


def submit(studio: LiveStudio, name: str) -> str:
    """Submit a sweep file of the digits example; return the sweep's id."""
    folder = ROOT / "examples" / "digits-mlp"
    spec = yaml.safe_load((folder / name).read_text())
    made = studio.api("/sweeps", {**spec, "source_directory": str(folder)})
    return str(made["id"])


def take_ended(page: Any, url: str, random: str, bayesian: str) -> None:
    """Take the pictures of what has ended."""
    take(page, "charts", f"{url}/sweeps/{bayesian}/charts/")
    take(page, "compare", f"{url}/compare/?sweeps={random},{bayesian}", theme="dark")

    def scroll_to_policy() -> None:
        page.locator("#s-policy").scroll_into_view_if_needed()
        page.evaluate("scrollBy(0, 560)")

    take(page, "new-sweep", f"{url}/sweeps/new/?from={random}", before=scroll_to_policy)


def take(
    page: Any,
    name: str,
    url: str = "",
    *,
    theme: str = "light",
    before: Callable[[], None] | None = None,
) -> None:
    """Take one picture, when all of its charts are drawn."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    if url:
        page.goto(url)
    if before:
        before()
    page.mouse.move(0, 0)
    page.wait_for_timeout(6000)
    FOLDER.mkdir(exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}.png")
    sys.stdout.write(f"docs/images/{name}.png\n")


if __name__ == "__main__":
    main()
