"""Parallel coordinates in a real Chromium: ranges, axes, best runs, rails, and where they lead."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CARD = '[data-chart="parallel_coordinates"]'
RUNS, FAILED, MISSING = 40, 4, 3
LOAD = f"""
import django; django.setup()
from django.core.management import call_command
from experiments.models import Run, Sweep
call_command("studio_simulate", runs={RUNS}, concurrency=20, reports=2, flush=2, verbosity=0)
sweep = Sweep.objects.latest("pk")
runs = list(sweep.runs.order_by("best_value"))
for run in runs[:{FAILED}]:
    run.state, run.end_reason, run.best_value, run.last_value = "Failed", "nonzero_exit", None, None
for run in runs[-{MISSING}:]:
    del run.params["dropout"]
Run.objects.bulk_update(runs, ["params", "state", "end_reason", "best_value", "last_value"])
print(sweep.public_id)
"""


@pytest.fixture(scope="module")
def sweep(live_studio):
    """Forty runs over a log axis, a category axis and a linear one; some failed, some without."""
    return live_studio.run_python(LOAD).split()[-1]


@pytest.fixture
def open_charts(chromium_page, sweep, expect):
    def start(query=""):
        chromium_page.goto(f"/sweeps/{sweep}/charts/{query}")
        expect(chromium_page.locator(f"{CARD} .axis")).to_have_count(4)
        return chromium_page

    return start


def axis(page, label):
    name = page.locator(f'.lab[aria-label^="Axis {label}."]')
    return page.locator(f"{CARD} .axis").filter(has=name)


def drag(page, zone, begin, end):
    """Drag over shares of an axis, from the top."""
    box = zone.bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + box["height"] * begin)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] * end, steps=4)
    page.mouse.up()
    page.mouse.move(5, 5)


def count_of(page):
    """Return how many runs the line of what is picked says are inside."""
    return int(page.locator("[data-picked-count] b").first.inner_text())


def test_ranges_lead_to_the_list_the_table_and_a_new_sweep(open_charts, sweep, expect):
    page = open_charts()
    rate = axis(page, "learning_rate")
    note = page.locator("#list-note")

    drag(page, rate.locator(".zone"), 0.05, 0.25)
    drag(page, rate.locator(".zone"), 0.6, 0.9)
    expect(rate.locator(".range")).to_have_count(2)
    drag(page, axis(page, "dropout").locator(".zone"), 0.0, 0.7)
    inside = count_of(page)
    expect(note).to_have_text(f"{inside} of {RUNS} in range")
    assert 0 < inside < RUNS - FAILED
    expect(page.locator("#runlist li")).to_have_count(inside)
    page.reload()
    expect(page.locator("[data-picked-count] b").first).to_have_text(str(inside))
    expect(rate.locator(".range")).to_have_count(2)

    page.click("text=In the runs table")
    expect(page.locator("#rows tr")).to_have_count(inside)
    page.go_back()
    expect(page.locator(f"{CARD} .range")).to_have_count(3)
    page.click(f"{CARD} [data-unpick] >> nth=0")
    expect(page.locator(f"{CARD} .range")).to_have_count(2)
    page.click("text=New sweep here…")
    expect(page.locator('[name="resume_from"]')).to_have_value(sweep)
    expect(page.locator("main")).to_contain_text("within a region of its search space")


def test_axes_and_ranges_by_keys(open_charts, expect):
    page = open_charts()
    rate = axis(page, "learning_rate")

    rate.locator(".zone").focus()
    page.keyboard.press("ArrowUp")
    expect(rate.locator(".range")).to_have_count(1)
    page.keyboard.press("Delete")
    expect(rate.locator(".zone")).to_have_attribute("aria-valuetext", "all values")
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(rate.locator(".range")).to_have_count(2)
    page.keyboard.press("Tab")
    page.keyboard.press("Delete")
    expect(rate.locator(".range")).to_have_count(1)
    expect(rate.locator(".brush")).to_be_focused()

    rate.locator(".lab").focus()
    page.keyboard.press("Enter")
    panel = page.locator("[data-axes] .popover")
    expect(panel).to_be_visible()
    panel.get_by_label("Turn learning_rate round").press("Enter")
    panel.get_by_label("Log scale for learning_rate").press("Enter")
    expect(rate.locator(".dist")).to_contain_text(re.compile("linear.*flipped"))
    page.keyboard.press("Escape")
    axis(page, "hidden_units").locator(".lab").focus()
    page.keyboard.press("Delete")
    expect(page.locator(f"{CARD} .axis")).to_have_count(3)
    expect(page.locator(f"{CARD} [data-caption]")).to_contain_text("Axis hidden: hidden_units")
    expect(page).to_have_url(re.compile("axes=0flin%2C2"))


def test_best_runs_rails_categories_and_table_follow(open_charts, expect):
    page = open_charts()
    caption = page.locator(f"{CARD} [data-caption]")
    expect(caption).to_contain_text(f"{FAILED} of {RUNS} not drawn: {FAILED} failed")

    slider = page.get_by_label("Draw the best runs only")
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(caption).to_contain_text(f"{RUNS - FAILED - 10} below the top 10")
    expect(page.locator("#runlist li")).to_have_count(10)
    page.keyboard.press("End")
    page.click("text=Draw them")
    rail = page.locator('.axis.metric .rail[data-rail="failed"]')
    rail.click()
    expect(page.locator("#runlist li")).to_have_count(FAILED)
    rail.press("Enter")
    axis(page, "dropout").locator('.rail[data-rail="n/a"]').click()
    expect(page.locator("#runlist li")).to_have_count(MISSING)
    page.click("[data-clear]")

    units = axis(page, "hidden_units")
    box = units.locator(".zone").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.1)
    expect(page.locator(f"{CARD} [data-chips]")).to_contain_text("hidden_units 256")
    expect(page.locator("[data-picked-count]")).to_contain_text("in range")
    inside = count_of(page)
    page.locator(f"{CARD} summary[aria-label^=More]").click()
    page.locator(f'{CARD} [data-do="table"]').click()
    expect(page.locator(f"{CARD} [data-table] tbody tr")).to_have_count(inside)
