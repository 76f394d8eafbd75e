"""The new-sweep form in a real Chromium: pictures that follow the typing, and drafts."""

from __future__ import annotations

import re

import pytest

from tests.e2e.test_form_browser import fill_form

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCRIPT = 'from studio.sdk import Run\nRun.get_context().log("accuracy", 1.0)\n'


@pytest.fixture
def expect():
    from playwright.sync_api import expect

    expect.set_options(timeout=15000)
    return expect


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    return folder


def test_rows_can_be_typed_as_meant_and_mended(chromium_page, code, expect):
    page = chromium_page
    fill_form(page, code, "rows")
    row = page.locator("#search_space-0")

    row.get_by_label("Enter real values").check()
    expect(page.locator("#search_space-0-min_value")).to_have_value("0.00247875217667")
    page.fill("#search_space-0-min_value", "0.0001")
    expect(row.locator("[data-meaning]")).to_contain_text("0.0001 … 0.3679")
    row.get_by_label("Enter real values").uncheck()
    page.fill("#search_space-0-min_value", "0.001")
    page.fill("#search_space-0-max_value", "0.1")
    row.get_by_role("button", name="Read as 0.001 … 0.1").click()
    expect(row.locator("[data-meaning]")).to_contain_text("0.001 … 0.1, every decade")

    page.locator('#sampling input[value="grid"]').check()
    row.get_by_role("button", name="List 5 values").click()
    expect(page.locator("#search_space-0-type")).to_have_value("choice")
    expect(page.locator("#space-count")).to_have_text("5 × 3 = 15 combinations")

    expect(page.locator("#draw-title")).to_have_text("Runs 0 to 4 of this sweep")
    expect(page.locator("#draw-words")).to_have_text("python train.py --lr 0.001 --batch 16")
    page.click("#draw-again")
    expect(page.locator("#draw-title")).to_have_text("Runs 5 to 9 of this sweep")
    page.locator('[data-draw="1"]').click()
    expect(page.locator('[data-draw="1"]')).to_be_focused()
    expect(page.locator("#draw-words")).to_contain_text("--batch 16")


def test_policy_is_replayed_and_a_file_fills_the_form(chromium_page, code, expect, tmp_path):
    page = chromium_page
    fill_form(page, code, "policy")
    page.fill("#metric", "a metric that no sweep has")
    page.locator("#s-policy").scroll_into_view_if_needed()

    expect(page.locator("#replay-words")).to_have_text("All 24 runs go on to their end.")
    expect(page.locator("#replay-notes")).to_contain_text("Made-up curves, no results")
    page.locator("#policy").get_by_text("Bandit", exact=True).click()
    expect(page.locator("#replay-words")).to_contain_text("once the settings are right")
    page.fill("#policy-bandit-slack_factor", "0.1")
    expect(page.locator("#replay-words")).to_contain_text("best run lost")
    assert page.locator("#replay-chart .stop").count() > 10
    page.locator("#replay-suggestion button").click()
    expect(page.locator("#replay-words")).to_contain_text("best run kept")
    expect(page.locator("#policy-bandit-delay_evaluation")).not_to_have_value("")
    page.locator("#replay summary").click()
    expect(page.locator("#replay-table tbody tr")).to_have_count(24)

    spec = tmp_path / "sweep.yaml"
    spec.write_text("name: from a file\nsearch_space:\n  lr: uniform(0, 1)\nmax_total_runs: 9\n")
    page.set_input_files("#yaml-file", str(spec))
    expect(page.locator("#name")).to_have_value("from a file")
    expect(page.locator("#max_total_runs")).to_have_value("9")
    expect(page.locator("#rows .sprow")).to_have_count(1)


def test_draft_is_found_again_in_another_browser(
    chromium, chromium_page, live_studio, code, expect
):
    page = chromium_page
    fill_form(page, code, "left at work")
    expect(page.locator("#draft-saved")).to_contain_text("Draft saved")
    expect(page).to_have_url(re.compile(r"\?draft="))
    # Typed at the last moment: the page is left before it would be saved.
    page.fill("#max_total_runs", "33")
    address = page.url
    page.goto("/compute/")

    context = chromium.new_context(base_url=live_studio.url)
    other = context.new_page()
    other.goto(live_studio.sign_in_link())
    other.goto("/sweeps/new/")
    if other.locator("#drafts:not([open])").count():
        other.locator("#drafts summary").click()
    other.locator("#drafts").get_by_role("link", name="Continue left at work").click()
    expect(other).to_have_url(address)
    expect(other.locator("#max_total_runs")).to_have_value("33")
    expect(other.locator("#search_space-1-values")).to_have_value("16, 32, auto")
    other.click("#tab-yaml")
    other.fill("#yaml", "broken: [")
    expect(other.locator("#yaml-errors")).to_contain_text("not YAML")
    other.goto("/compute/")
    other.goto(address)
    expect(other.locator("#yaml")).to_have_value("broken: [")
    expect(other.locator("#yaml-errors [data-discard]")).to_be_visible()

    other.locator("#draft-state button").click()
    expect(other.locator("main")).to_contain_text("“left at work” was discarded")
    other.get_by_role("button", name="Take it back").click()
    expect(other.locator("#name")).to_have_value("left at work")
    context.close()
