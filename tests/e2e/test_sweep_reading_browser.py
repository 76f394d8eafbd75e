"""Readings, receipts, equal budgets and what mattered, in a real Chromium."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCRIPT = """\
import argparse
import time

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int)
parser.add_argument("--fold", type=int)
args = parser.parse_args()
run = Run.get_context()
for step in range(1, 7):
    # The larger the size the later it wins; at the end fold 5 gives way.
    drop = 0.3 if args.fold == 5 and step == 6 else 0.0
    run.log("accuracy", 0.4 + args.size * step / 60 - args.size / 40 + args.fold / 1000 - drop)
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def ended(live_studio, tmp_path_factory):
    """A sweep of 25 runs with six reports; some of them are stopped early."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(SCRIPT)
    sweep = str(
        live_studio.api(
            "/sweeps",
            {
                "name": "readings",
                "experiment": "browser",
                "source_directory": str(folder),
                "script": "train.py",
                "search_space": {"size": "choice(1, 2, 3, 4, 5)", "fold": "choice(1, 2, 3, 4, 5)"},
                "sampling": "grid",
                "early_termination": {
                    "type": "bandit",
                    "slack_factor": 0.3,
                    "evaluation_interval": 1,
                    "delay_evaluation": 5,
                },
                "primary_metric": {"name": "accuracy", "goal": "maximize"},
                "max_total_runs": 25,
                "max_concurrent_runs": 4,
            },
        )["id"]
    )
    assert live_studio.wait_for_end(sweep, 240)["status"] == "Completed"
    return sweep


def drawn(page, name):
    page.locator(f'[data-chart="{name}"]').scroll_into_view_if_needed()
    page.wait_for_function(
        "(name) => document.querySelector(`[data-chart=${name}] .plot.js-plotly-plot`)",
        arg=name,
        timeout=60000,
    )
    return page.locator(f'[data-chart="{name}"]')


def test_reading_goes_for_the_whole_page_and_its_tabs(chromium_page, ended):
    from playwright.sync_api import expect

    page = chromium_page
    page.goto(f"/sweeps/{ended}/")
    best = page.locator(".bestcard")
    expect(best).to_contain_text(re.compile(r"best$|best\s", re.M))
    page.locator(".readings .seg a", has_text="last").click()
    expect(page).to_have_url(re.compile(r"\?reading=last$"))
    expect(best.locator("h2")).to_have_text("Best run, last")
    expect(page.locator(".readings .said")).to_contain_text("go by the best value")
    drawn(page, "best_so_far")
    expect(page.locator('[data-chart="best_so_far"] .ytitle')).to_have_text("accuracy ↑ last")
    page.locator(".tabs a", has_text="Runs").click()
    expect(page).to_have_url(re.compile(r"/runs/\?reading=last$"))
    expect(page.locator("thead th", has_text="accuracy ↑ last")).to_be_visible()
    page.fill("#reading-step", "2")
    page.keyboard.press("Enter")
    expect(page.locator("thead th", has_text="accuracy ↑ at step 2")).to_be_visible()
    page.locator("thead th a", has_text="accuracy").click()
    expect(page).to_have_url(re.compile(r"reading=step(:|%3A)2"))
    expect(page.locator("#rows tr").first).to_have_class(re.compile("isbest"))
    page.fill("#reading-step", "two")
    page.keyboard.press("Enter")
    expect(page.locator("#reading-error")).to_contain_text("'two'; use a number")


def test_receipt_tells_what_other_policies_would_have_done(chromium_page, live_studio, ended):
    from playwright.sync_api import expect

    page = chromium_page
    page.goto(f"/sweeps/{ended}/runs/?q=status:stopped_early")
    page.locator("#rows a.why").first.click()
    card = page.locator("#receipt")
    expect(card).to_contain_text("the leader, run")
    expect(card).to_contain_text("An estimate: the median of")
    expect(card.locator("[data-what-if] tbody tr")).to_have_count(6)
    expect(card.locator("[data-what-if] tr", has_text="this sweep")).to_contain_text("stopped at")


def test_slider_ranks_everybody_at_the_same_budget(chromium_page, ended):
    from playwright.sync_api import expect

    page = chromium_page
    page.goto(f"/sweeps/{ended}/charts/")
    card = drawn(page, "equal_budget")
    expect(card.locator("[data-advice]")).to_contain_text("the final top 3 (runs")
    slider = card.locator("[data-range]")
    slider.focus()
    page.keyboard.press("Home")
    expect(card.locator("output")).to_have_text("1 report")
    expect(card.locator("[data-standing]")).to_contain_text("25 runs compared at 1 report")
    page.keyboard.press("ArrowRight")
    expect(card.locator("[data-standing]")).to_contain_text("compared at 2 reports")
    expect(page).to_have_url(re.compile(r"equal_budget\.budget=2"))
    card.locator('[data-option="by"]').select_option("seconds")
    expect(card.locator("output")).to_have_text(re.compile(r"\d+ s"))


def test_what_mattered_and_a_pair_lead_to_its_runs(chromium_page, ended):
    from playwright.sync_api import expect

    page = chromium_page
    page.goto(f"/sweeps/{ended}/charts/")
    importance = drawn(page, "importance")
    expect(importance.locator("[data-plot]")).to_have_attribute(
        "aria-label", re.compile("size matters most")
    )
    expect(importance.locator("[data-caption]")).to_contain_text("random forest on ranks")
    correlation = drawn(page, "correlation")
    correlation.locator("summary").click()
    correlation.locator('[data-do="table"]').click()
    expect(correlation.locator("tbody tr")).to_have_count(2)
    matrix = drawn(page, "matrix")
    page.locator('[data-chart="scatter_2d"] [data-option="y"]').select_option("size")
    plot = matrix.locator(".nsewdrag").bounding_box()
    # Lower left: the values of `size` across, those of `fold` down.
    page.mouse.move(plot["x"] + plot["width"] * 0.2, plot["y"] + plot["height"] * 0.8)
    page.mouse.click(plot["x"] + plot["width"] * 0.2, plot["y"] + plot["height"] * 0.8)
    expect(page.locator('[data-chart="scatter_2d"] [data-option="x"]')).to_have_value("size")
    expect(page.locator('[data-chart="scatter_2d"] [data-option="y"]')).to_have_value("fold")
