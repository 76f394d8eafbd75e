"""A live sweep steered in a real Chromium: pause, limits, clone and edit, resume, repeat."""

from __future__ import annotations

import os
import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPT = """\
import pathlib, sys, time
from studio.sdk import Run

Run.get_context().log("accuracy", 0.5)
if float(sys.argv[sys.argv.index("--lr") + 1]) > 1 and not pathlib.Path(sys.argv[1]).exists():
    sys.exit("too fast")
while not pathlib.Path(sys.argv[1]).with_name("go").exists():
    time.sleep(0.1)
"""


def shot(page, name):
    folder = os.environ.get("STUDIO_TEST_SHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png")


def test_a_sweep_is_steered_from_its_pages(chromium_page, live_studio, tmp_path, expect):
    (tmp_path / "train.py").write_text(SCRIPT)
    mark = tmp_path / "mark"
    sweep = live_studio.api(
        "/sweeps",
        {
            "name": "steered",
            "experiment": "browser",
            "source_directory": str(tmp_path),
            "script": "train.py",
            "arguments": [str(mark)],
            "search_space": {"lr": "uniform(0, 1)"},
            "primary_metric": {"name": "accuracy", "goal": "maximize"},
            "max_total_runs": 4,
            "max_concurrent_runs": 1,
        },
    )
    page, address = chromium_page, f"/sweeps/{sweep['id']}/"
    page.goto(address)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".banner", has_text="Paused by admin.")).to_be_visible()
    shot(page, "paused")
    mark.with_name("go").touch()

    page.goto(f"/runs/{sweep['id']}_0/")
    page.get_by_role("link", name="Clone and edit").click()
    page.get_by_label("lr").fill("7")
    page.get_by_role("button", name="Queue run").click()
    expect(page.locator(".field .err")).to_have_text("lr is 7, outside uniform(0, 1).")
    shot(page, "clone")
    page.get_by_label("Run it with values outside the search space").check()
    page.get_by_role("button", name="Queue run").click()
    expect(page.locator("h1")).to_contain_text("Not started")

    page.goto(f"{address}configuration/")
    page.get_by_role("link", name="Change limits").click()
    page.get_by_label("Runs in all").fill("3")
    page.get_by_role("button", name="Change limits").click()
    expect(page.locator("#versions-title")).to_be_visible()
    expect(page.locator("#yaml")).to_contain_text("max_total_runs: 3")
    shot(page, "versions")

    page.goto(address)
    page.get_by_role("button", name="Resume").click()
    chip = page.locator("h1 .chip")
    expect(chip).to_have_text("Completed", timeout=60000)
    mark.touch()
    page.get_by_role("button", name=re.compile(r"Retry failed \(1\)")).click()
    expect(page.locator(".banner", has_text="1 run will be repeated.")).to_be_visible()
    expect(chip).to_have_text("Completed", timeout=60000)
    shot(page, "ended")
    counts = live_studio.api(f"/sweeps/{sweep['id']}")["counts"]
    assert counts == {"Completed": 3, "Failed": 1}


def test_open_page_of_an_ended_sweep_goes_on_with_it(chromium_page, live_studio, tmp_path, expect):
    (tmp_path / "train.py").write_text("import time\ntime.sleep(1)\nraise SystemExit('no data')\n")
    sweep = live_studio.api(
        "/sweeps",
        {
            "name": "ended",
            "experiment": "browser",
            "source_directory": str(tmp_path),
            "script": "train.py",
            "search_space": {"lr": "uniform(0, 1)"},
            "primary_metric": {"name": "accuracy", "goal": "maximize"},
            "max_total_runs": 1,
        },
    )["id"]
    live_studio.wait_for_end(sweep)
    chromium_page.goto(f"/sweeps/{sweep}/")
    count = chromium_page.locator('[data-part="run-count"]')
    expect(count).to_have_text("1")

    live_studio.api(f"/runs/{sweep}_0/retry", {})

    expect(count).to_have_text("2", timeout=30000)
    expect(chromium_page.locator("#live")).to_be_visible()
