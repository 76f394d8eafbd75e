"""Readings, receipts, equal budgets and what mattered, in a real Chromium."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.servers import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def ended(live_studio):
    """A simulated sweep of 60 runs with 40 reports, most of them stopped early."""
    words = "--runs 60 --reports 40 --concurrency 6 --policy bandit --name readings"
    done = subprocess.run(
        [sys.executable, "manage.py", "studio_simulate", *words.split()],
        cwd=ROOT,
        env=live_studio.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout.split()[0]


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

    expect.set_options(timeout=30_000)
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

    expect.set_options(timeout=30_000)
    page = chromium_page
    page.goto(f"/sweeps/{ended}/runs/?q=status:stopped_early")
    page.locator("#rows a.why").first.click()
    card = page.locator("#receipt")
    expect(card).to_contain_text("the leader, run")
    expect(card).to_contain_text("An estimate: the median of")
    expect(card.locator("[data-what-if] tbody tr")).to_have_count(5)
    expect(card.locator("[data-what-if] tr", has_text="this sweep")).to_contain_text("stopped at")


def test_slider_ranks_everybody_at_the_same_budget(chromium_page, ended):
    from playwright.sync_api import expect

    expect.set_options(timeout=30_000)
    page = chromium_page
    page.goto(f"/sweeps/{ended}/charts/")
    card = drawn(page, "equal_budget")
    expect(card.locator("[data-advice]")).to_contain_text("the final top 3 (runs")
    slider = card.locator("[data-range]")
    slider.focus()
    page.keyboard.press("Home")
    expect(card.locator("output")).to_have_text("1 report")
    expect(card.locator("[data-standing]")).to_contain_text("60 runs compared at 1 report")
    page.keyboard.press("ArrowRight")
    expect(card.locator("[data-standing]")).to_contain_text("compared at 2 reports")
    expect(page).to_have_url(re.compile(r"equal_budget\.budget=2"))
    card.locator('[data-option="by"]').select_option("seconds")
    expect(card.locator("output")).to_have_text(re.compile(r"\d+ (s|min)"))


def test_what_mattered_and_a_pair_lead_to_its_runs(chromium_page, ended):
    from playwright.sync_api import expect

    expect.set_options(timeout=30_000)
    page = chromium_page
    page.goto(f"/sweeps/{ended}/charts/")
    importance = drawn(page, "importance")
    expect(importance.locator("[data-plot]")).to_have_attribute(
        "aria-label", re.compile("learning_rate matters most")
    )
    expect(importance.locator("[data-caption]")).to_contain_text("random forest on ranks")
    correlation = drawn(page, "correlation")
    correlation.locator("summary").click()
    correlation.locator('[data-do="table"]').click()
    expect(correlation.locator("tbody tr")).to_have_count(3)
    matrix = drawn(page, "matrix")
    page.locator('[data-chart="scatter_2d"] [data-option="y"]').select_option("learning_rate")
    plot = matrix.locator(".nsewdrag").bounding_box()
    # Lower left: the first parameter across, the last one down.
    page.mouse.move(plot["x"] + plot["width"] * 0.2, plot["y"] + plot["height"] * 0.8)
    page.mouse.click(plot["x"] + plot["width"] * 0.2, plot["y"] + plot["height"] * 0.8)
    expect(page.locator('[data-chart="scatter_2d"] [data-option="x"]')).to_have_value(
        "learning_rate"
    )
    expect(page.locator('[data-chart="scatter_2d"] [data-option="y"]')).to_have_value("dropout")
