"""Bayesian sampling through real workers: the same runs after a restart; its model in Chromium."""

from __future__ import annotations

import re
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

SCRIPT = """\
import argparse
import math

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--depth", type=int)
parser.add_argument("--kind")
args = parser.parse_args()
run = Run.get_context()
value = 0.9 - (args.rate - 0.3) ** 2 - 0.02 * abs(args.depth - 4) - 0.1 * (args.kind == "b")
run.log("accuracy", value - 0.1)
run.log("accuracy", value)
"""


# Columns and rows of the surface over rate and depth: of its values, and of its axes.
SHAPE = """() => {
  const [one] = document.querySelector('[data-chart="model_surface"] .plot').data;
  return [one.z[0].length, one.z.length, one.x.length, one.y.length];
}"""


def spec_of(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "name": "learns",
        "experiment": "bayesian",
        "source_directory": str(folder),
        "script": "train.py",
        "search_space": {
            "rate": "uniform(0, 1)",
            "depth": "quniform(1, 8, 1)",
            "kind": "choice('a', 'b', 'c')",
        },
        "sampling": {"type": "bayesian", "seed": 9},
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 14,
        "max_concurrent_runs": 1,
        **changes,
    }


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learns")
    (folder / "train.py").write_text(SCRIPT)
    return folder


def runs_of(studio: LiveStudio, sweep: str) -> list[dict[str, Any]]:
    return studio.api(f"/sweeps/{sweep}/runs?limit=500")["items"]


def wait_until(check, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.long
def test_a_studio_that_was_killed_goes_on_with_the_same_runs(code):
    studio = LiveStudio(Path(tempfile.mkdtemp(prefix="studio-killed-")))
    studio.start()
    try:
        whole = studio.api("/sweeps", spec_of(code))["id"]
        studio.wait_for_end(whole)
        broken = studio.api("/sweeps", spec_of(code))["id"]
        wait_until(lambda: len(runs_of(studio, broken)) >= 9)
        studio.api(f"/sweeps/{broken}/pause", {}, method="POST")
        active = ("Starting", "Running", "Finalizing")
        wait_until(lambda: not any(r["status"] in active for r in runs_of(studio, broken)))

        studio.stop(signal.SIGKILL)
        (studio.home / "address.json").unlink()
        shutil.rmtree(studio.home / "redis")
        studio.start()
        studio.api(f"/sweeps/{broken}/resume", {}, method="POST")
        studio.wait_for_end(broken)

        first, second = runs_of(studio, whole), runs_of(studio, broken)
        assert len(first) == 14
        for key in ("hyperparameters", "note", "number"):
            assert [run[key] for run in first] == [run[key] for run in second]
        facts = [studio.api(f"/runs/{run['id']}")["facts"] for run in first]
        assert facts == [studio.api(f"/runs/{run['id']}")["facts"] for run in second]
        assert {fact["kind"] for fact in facts} - {"initial"}
        best = max(run["best"]["value"] for run in first)
        assert best == max(run["best"]["value"] for run in first[6:])
    finally:
        if studio.process is not None:
            studio.stop()
        shutil.rmtree(studio.home, ignore_errors=True)


@pytest.mark.browser
def test_model_is_drawn_and_its_pickers_work(live_studio, code, chromium_page):
    from playwright.sync_api import expect

    sweep = live_studio.api("/sweeps", spec_of(code, max_total_runs=16, max_concurrent_runs=4))[
        "id"
    ]
    assert live_studio.wait_for_end(sweep)["status"] == "Completed"
    page = chromium_page

    page.goto(f"/sweeps/{sweep}/charts/")
    cards = page.locator("#model [data-chart]")
    expect(cards).to_have_count(3)
    expect(page.locator("#model")).to_contain_text("learned of accuracy from 16 ended runs.")
    for number in range(3):
        cards.nth(number).scroll_into_view_if_needed()
        # The first of them waits for the chart library, and for the model to be learned.
        drawn = cards.nth(number).locator(".plot .main-svg").first
        expect(drawn).to_be_visible(timeout=30_000)

    slice_card = page.locator('[data-chart="model_slice"]')
    slice_card.scroll_into_view_if_needed()
    slice_card.locator('select[data-option="x"]').select_option("kind")
    expect(slice_card.locator(".xtick text").first).to_contain_text("a")
    expect(slice_card.locator("[data-plot]")).to_have_attribute(
        "aria-label", re.compile("Along kind, the best expected accuracy")
    )
    surface = page.locator('[data-chart="model_surface"]')
    assert page.evaluate(SHAPE) == [25, 8, 25, 8]
    surface.locator('select[data-option="show"]').select_option("spread")
    surface.locator('select[data-option="y"]').select_option("kind")
    expect(surface.locator(".heatmaplayer image").first).to_be_visible()
    surface.locator('select[data-option="y"]').select_option("rate")
    expect(surface.locator("[data-note]")).to_contain_text("two different parameters")
    assert "model_surface.y=rate" in page.url


@pytest.mark.browser
def test_run_page_links_to_the_run_it_was_compared_with(live_studio, code, chromium_page):
    from playwright.sync_api import expect

    sweep = live_studio.api("/sweeps", spec_of(code))["id"]
    assert live_studio.wait_for_end(sweep)["status"] == "Completed"
    last = runs_of(live_studio, sweep)[-1]
    number = live_studio.api(f"/runs/{last['id']}")["facts"]["incumbent"]["number"]
    page = chromium_page

    page.goto(f"/runs/{last['id']}/")
    card = page.locator("section.card", has_text="Why these values")
    expect(card).to_contain_text("±")
    card.get_by_role("link", name=f"run {number}").click()

    expect(page.locator("h1")).to_contain_text(f"Run {number}")


@pytest.mark.browser
def test_form_leads_out_of_a_policy_with_one_click(live_studio, chromium_page):
    from playwright.sync_api import expect

    page = chromium_page
    page.goto("/sweeps/new/")
    page.locator('label:has([name="sampling"][value="bayesian"])').click()
    page.locator('label:has([name="policy"][value="median_stopping"])').click()
    fixes = page.locator('[data-fixes="policy"] button')
    expect(fixes).to_have_text(["Remove the policy", "Use Bayesian extended"])
    expect(page.locator('[data-fit="bayesian"]')).to_contain_text("early termination")

    fixes.nth(1).click()
    expect(page.locator('input[name="sampling"][value="bayesian_extended"]')).to_be_checked()
    expect(fixes).to_have_count(0)

    page.locator('label:has([name="sampling"][value="bayesian"])').click()
    fixes.nth(0).click()
    expect(page.locator('input[name="policy"][value="none"]')).to_be_checked()
    expect(fixes).to_have_count(0)
