"""Runs, log, best model and cancel of a sweep in a real Chromium, fed by real workers."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.browser_sweep import NAME

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_runs_are_sorted_without_a_reload_and_by_the_address(chromium_page, finished, expect):
    page = chromium_page
    page.goto(f"/sweeps/{finished}/runs/")
    page.evaluate("window.notReloaded = true")
    page.click('th a:has-text("accuracy")')
    expect(page).to_have_url(re.compile("sort=best&dir=desc"))
    expect(page.locator("#rows tr").first).to_have_class("isbest")
    page.click('.filter:has-text("Completed")')
    expect(page).to_have_url(re.compile("state=completed"))
    page.go_back()
    expect(page).not_to_have_url(re.compile("state="))
    page.fill("#q", "no such run")
    expect(page.locator(".empty")).to_contain_text("No run matches")

    assert page.evaluate("window.notReloaded")


def test_rows_are_added_and_changed_as_runs_go_on(chromium_page, submit, expect):
    page = chromium_page
    sweep = submit(
        max_total_runs=3, max_concurrent_runs=1, arguments=["--reports", "10", "--pause", "0.2"]
    )
    page.goto(f"/sweeps/{sweep}/runs/")
    page.evaluate("window.notReloaded = true")

    expect(page.locator("#rows tr")).to_have_count(3, timeout=60000)
    expect(page.locator("#rows .chip.completed")).to_have_count(3, timeout=60000)
    expect(page.locator("#rows tr.isbest")).to_have_count(1)
    expect(page.locator('[data-part="run-count"]')).to_have_text("3")

    assert page.evaluate("window.notReloaded")


def test_log_of_a_run_grows_and_follows(chromium_page, submit, expect):
    page = chromium_page
    sweep = submit(arguments=["--reports", "60", "--pause", "0.1"])
    page.goto(f"/sweeps/{sweep}/runs/")
    page.click("#rows a.name", timeout=60000)

    expect(page.locator("#log")).to_contain_text("report 5 <b>", timeout=60000)
    expect(page.locator("#log")).to_contain_text("report 59 <b>", timeout=60000)
    expect(page.locator('h1 [data-part="state"]')).to_contain_text("Completed", timeout=60000)
    page.wait_for_function(
        "() => document.querySelector('#main-chart').data?.some(t => t.y?.length === 60)",
        timeout=20000,
    )
    log = page.locator("#log")
    bottom = "log => log.scrollTop + log.clientHeight >= log.scrollHeight - 30"
    assert log.evaluate(bottom)
    log.evaluate("log => log.scrollTo(0, 0)")
    expect(page.locator("#follow")).not_to_be_checked()
    expect(page.locator(".smallchart")).to_contain_text("loss")
    lines = [line for line in log.inner_text().splitlines() if line.strip()]
    assert lines == [f"report {number} <b>" for number in range(60)]


def test_best_model_page_has_what_was_passed_exactly(chromium_page, finished, live_studio, expect):
    page = chromium_page
    page.goto(f"/sweeps/{finished}/")
    page.click('.actions a:has-text("Best model")')
    best = live_studio.api(f"/sweeps/{finished}/best-run")

    expect(page.locator(".hero .value")).to_be_visible()
    assert json.loads(page.locator("#json").inner_text()) == best["hyperparameters"]
    assert page.locator("#arguments").text_content().split() == best["arguments"]
    with page.expect_download() as model:
        page.click('a:has-text("outputs/model.txt")')
    assert model.value.path().read_text() == str(best["hyperparameters"]["lr"])
    with page.expect_download() as archive:
        page.click('a:has-text("Download outputs")')
    assert archive.value.path().read_bytes().startswith(b"PK")


def test_sweep_is_canceled_after_a_question(chromium_page, submit, live_studio, expect):
    page = chromium_page
    sweep = submit(max_total_runs=5, arguments=["--reports", "600", "--pause", "0.2"])
    page.goto(f"/sweeps/{sweep}/logs/")
    expect(page.locator("#log")).to_contain_text("Run 0: Running", timeout=60000)
    opener = page.locator('[data-dialog="cancel-sweep"]')

    opener.click()
    # What changes behind the question does not take the button away that gets the focus back.
    live_studio.api(f"/sweeps/{sweep}/pause", {})
    expect(page.locator('h1 [data-part="state"]')).to_have_text("Paused", timeout=60000)
    page.locator("#cancel-sweep").get_by_role("button", name="Keep running").click()
    expect(page.locator("#cancel-sweep")).not_to_be_visible()
    expect(opener).to_be_focused()
    opener.click()
    page.locator("#cancel-sweep").get_by_role("button", name="Cancel sweep").click()

    expect(page.locator('h1 [data-part="state"]')).to_have_text("Canceled", timeout=60000)
    expect(page.locator(".banner.quiet")).to_contain_text("Canceled by admin.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(chromium_page, finished, scheme):
    page = chromium_page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})

    for tab in ("", "runs/", "charts/", "configuration/", "logs/", "best/"):
        page.goto(f"/sweeps/{finished}/{tab}")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, tab
    page.goto(f"/runs/{finished}_0/")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_pages_say_everything_without_scripts(chromium, finished, live_studio):
    context = chromium.new_context(base_url=live_studio.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(live_studio.sign_in_link())

    page.goto(f"/sweeps/{finished}/")
    assert page.locator("h1").inner_text().startswith(NAME)
    assert "8 of 8 finished" in page.locator(".stats").inner_text()
    page.click('.tabs a:has-text("Runs")')
    assert page.locator("#rows tr").count() == 8
    page.click('th a:has-text("lr")')
    assert "sort=lr" in page.url
    page.click("#rows tr >> nth=0 >> a.name")
    assert "report 3 <b>" in page.locator("#log").inner_text()
    context.close()
