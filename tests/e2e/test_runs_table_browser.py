"""The table of runs in a real Chromium: filter, columns, views, many runs at once, live rows."""

from __future__ import annotations

import csv
import re

import pytest

from tests.e2e.browser_sweep import submitter

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def submit(live_studio, tmp_path_factory):
    return submitter(live_studio, tmp_path_factory.mktemp("table"))


@pytest.fixture(scope="module")
def finished(live_studio, submit):
    """Six short runs that have ended, in an experiment of their own."""
    sweep = submit(max_total_runs=6, experiment="table")
    assert live_studio.wait_for_end(sweep)["status"] == "Completed"
    return sweep


def shown(page):
    return [int(row.get_attribute("data-run")) for row in page.locator("#rows tr").all()]


def heads(page):
    return [text.strip() for text in page.locator(".runs thead th").all_inner_texts()][1:]


def test_filter_is_completed_told_and_in_the_address(chromium_page, finished, live_studio, expect):
    page = chromium_page
    layers = live_studio.api(f"/runs/{finished}_0")["hyperparameters"]["layers"]
    runs = live_studio.api(f"/sweeps/{finished}/runs?filter=layers%3D{layers}")["items"]
    wanted = [run["number"] for run in runs]
    assert wanted
    page.goto(f"/sweeps/{finished}/runs/")
    page.keyboard.press("/")
    field = page.locator("#q")
    expect(field).to_be_focused()

    page.keyboard.type("lay")
    expect(page.locator("#q-list")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "q-option-0")
    page.keyboard.press("Enter")
    expect(field).to_have_value("layers=")
    for _ in range(layers):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value(f"layers={layers} ")
    expect(page).to_have_url(re.compile(f"q=layers%3D{layers}"))
    expect(page.locator("#rows tr")).to_have_count(len(wanted))
    assert shown(page) == wanted

    page.keyboard.type("status:foo")
    page.keyboard.press("Enter")
    expect(page.locator("#q-problems")).to_contain_text("'foo' is not a state; use queued")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert shown(page) == wanted  # the rows of the last right filter stay
    page.go_back()
    expect(field).to_have_value(f"layers={layers}")
    expect(page.locator("#q-problems .err")).to_have_count(0)
    page.go_back()
    expect(page.locator("#rows tr")).to_have_count(6)
    expect(field).to_have_value("")


def test_columns_are_chosen_ordered_and_kept_in_a_view(chromium_page, finished, expect):
    page = chromium_page
    page.goto(f"/sweeps/{finished}/runs/")
    page.evaluate("window.notReloaded = true")
    loss = page.get_by_role("checkbox", name="loss (min)")
    page.click("#columns-menu summary")
    page.get_by_role("checkbox", name="Why it ended").uncheck()
    loss.check()
    expect(page.locator(".runs thead th").last).to_have_text("loss (min)")
    loss.press("Alt+ArrowUp")
    expect(page.locator(".runs thead th").last).to_have_text("Duration")
    expect(loss).to_be_focused()
    page.locator('[data-key="layers"]').drag_to(
        page.locator('[data-key="state"]'), target_position={"x": 60, "y": 2}
    )
    expect(page.locator(".runs thead th").nth(2)).to_have_text("layers")
    order = heads(page)
    assert order[-2:] == ["loss (min)", "Duration"]
    page.keyboard.press("Escape")
    assert page.evaluate("window.notReloaded")
    page.click('th a:has-text("lr")')
    expect(page.locator('th[aria-sort="ascending"]')).to_have_text("lr")

    page.click("#views-menu summary")
    page.fill("#view-name", "By rate")
    page.click('.saveas button:has-text("Save")')
    expect(page.locator("#views-menu summary")).to_contain_text("By rate")
    by_rate = shown(page)
    assert heads(page) == order
    page.goto(f"/sweeps/{finished}/runs/")  # the columns are remembered, the order is not
    assert (heads(page), shown(page)) == (order, list(range(6)))
    page.click("#views-menu summary")
    page.click('a[data-view]:has-text("By rate")')
    expect(page.locator('th[aria-sort="ascending"]')).to_have_text("lr")
    assert shown(page) == by_rate
    page.click("#columns-menu summary")
    page.click("text=Usual columns")
    expect(page.locator(".runs thead th").last).to_have_text("Why it ended")


def test_runs_are_picked_with_keys_and_tagged_pinned_exported(chromium_page, finished, expect):
    page = chromium_page
    page.goto(f"/sweeps/{finished}/runs/?sort=lr&columns=number,lr,tags")
    order = shown(page)
    page.keyboard.press("j")
    expect(page.locator("#rows a.name").nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator('#rows tr[aria-selected="true"]')).to_have_count(1)
    page.locator("#rows input").nth(4).click(modifiers=["Shift"])
    bar = page.locator("#selection")
    expect(bar).to_contain_text(re.compile(r"\d selected"))
    picked = page.locator('#rows tr[aria-selected="true"]').count()
    page.reload()
    expect(page.locator('#rows tr[aria-selected="true"]')).to_have_count(picked)

    with page.expect_download() as file:
        bar.get_by_text("CSV").click()
    rows = list(csv.DictReader(file.value.path().read_text().splitlines()))
    assert [int(row["run"]) for row in rows] == order[5 - picked : 5]

    bar.get_by_text("Tag…").click()
    page.fill("#tag-name", "team=vision")
    page.get_by_role("button", name="Add tag").click()
    expect(page.locator("#tag-runs")).not_to_be_visible()
    expect(page.locator("#rows .c-tags .tag")).to_have_count(picked)
    bar.get_by_text("Select all 6").click()
    expect(bar).to_contain_text("All 6 runs that match")
    bar.get_by_text("Clear").click()
    expect(bar).not_to_be_visible()
    page.locator("#rows input").nth(0).check()
    bar.get_by_text("Pin in charts").click()
    expect(page).to_have_url(re.compile(rf"/charts/\?pins={order[0]}"))


def test_rows_stay_where_they_are_until_somebody_sorts(chromium_page, submit, expect):
    page = chromium_page
    sweep = submit(
        max_total_runs=4,
        max_concurrent_runs=2,
        experiment="table",
        arguments=["--reports", "400", "--pause", "0.1"],
    )
    page.goto(f"/sweeps/{sweep}/runs/?sort=reports&dir=desc")
    expect(page.locator("#rows .chip.running")).to_have_count(2, timeout=60000)
    page.locator("#rows input").nth(0).check()
    reports = page.locator("#rows tr").nth(0).locator(".c-reports")
    expect(reports).to_have_text(re.compile(r"\d\d"), timeout=120000)
    before = shown(page)
    page.locator("#rows input").nth(1).check()
    page.click('#selection [data-dialog="cancel-runs"]')
    expect(page.locator("#cancel-runs h2")).to_have_text("Cancel 2 runs?")
    page.get_by_role("button", name="Cancel runs").click()
    expect(page.locator(".toast")).to_contain_text("2 runs are canceled.")
    expect(page.locator("[data-moved]")).to_be_visible(timeout=60000)
    assert shown(page)[:2] == before[:2]
    page.click("[data-moved] button")
    expect(page.locator("[data-moved]")).to_be_hidden()
    expect(page.locator('#rows tr[aria-selected="true"]')).to_have_count(2)
    page.click('.actions [data-dialog="cancel-sweep"]')
    page.locator("#cancel-sweep").get_by_role("button", name="Cancel sweep").click()
    expect(page.locator('h1 [data-part="state"]')).to_contain_text("Cancel", timeout=60000)
