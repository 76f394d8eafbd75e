"""From ticked sweeps to their comparison, from picked runs to theirs, and search, in Chromium."""

from __future__ import annotations

import re

import pytest

from tests.e2e.browser_sweep import submitter

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# Reports its value when a file is there.
WAITING = """\
import pathlib, sys, time
from studio.sdk import Run

while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.1)
Run.get_context().log("accuracy", 2.0)
"""


@pytest.fixture(scope="module")
def sweeps(live_studio, tmp_path_factory):
    """Two sweeps of one metric, and one of another."""
    submit = submitter(live_studio, tmp_path_factory.mktemp("compare"))
    loss = {"name": "loss", "goal": "minimize"}
    found = [
        submit(max_total_runs=5, experiment="compared", name="first choice"),
        submit(max_total_runs=3, experiment="compared", name="second choice"),
        submit(max_total_runs=1, experiment="compared", name="of loss", primary_metric=loss),
    ]
    for sweep in found:
        live_studio.wait_for_end(sweep)
    return found


def test_ticked_sweeps_are_compared_or_refused(chromium_page, sweeps, expect):
    page = chromium_page
    page.goto("/sweeps/?experiment=compared")
    link = page.locator("[data-compare]")
    for sweep in reversed(sweeps):
        page.check(f'.c-pick [value="{sweep}"]')
    link.click(force=True)  # aria-disabled: it says why
    expect(page.locator(".toast")).to_contain_text("only sweeps of one primary metric and goal")
    page.uncheck(f'.c-pick [value="{sweeps[2]}"]')
    expect(link).not_to_have_attribute("aria-disabled", "true")
    link.click()

    expect(page.locator(".compared-sweep")).to_have_count(2)
    for chart in ("compare_best", "compare_values"):
        page.locator(f'[data-chart="{chart}"]').scroll_into_view_if_needed()
        lines = page.locator(f'[data-chart="{chart}"] .scatterlayer .js-line')
        expect(lines).to_have_count(2, timeout=60000)
    page.select_option('[data-chart="compare_best"] [data-option="x"]', "time")
    expect(page).to_have_url(re.compile("compare_best.x=time"))
    page.hover(".compared-sweep >> nth=1")
    expect(page.locator('[data-chart="compare_best"] .run-line.hl')).to_have_count(1)
    page.locator('[data-chart="compare_coverage"]').scroll_into_view_if_needed()
    expect(page.locator(".striprow canvas").first).to_be_visible(timeout=60000)
    settings = page.locator('[data-part="specs"] tbody tr:not(.grouphead):visible')
    differing = settings.count()
    page.uncheck('[data-differences="specs"]')
    assert settings.count() > differing
    expect(page).to_have_url(re.compile("specs=all"))

    page.click('.compared-sweep >> nth=0 >> [aria-label^="Remove"]')
    expect(page.locator("#pick-title")).to_contain_text("choice")
    page.click(".picklist a >> nth=0")
    expect(page.locator(".compared-sweep")).to_have_count(2)


def test_comparison_follows_a_sweep_that_goes_on(
    chromium_page, sweeps, live_studio, tmp_path, expect
):
    gate = tmp_path / "go on"
    (tmp_path / "train.py").write_text(WAITING)
    spec = {
        "name": "still at work",
        "experiment": "at-work",
        "source_directory": str(tmp_path),
        "script": "train.py",
        "arguments": [str(gate)],
        "search_space": {"lr": "choice(0.5)"},
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 1,
    }
    waiting = live_studio.api("/sweeps", spec)["id"]
    page = chromium_page
    page.goto(f"/compare/?sweeps={sweeps[0]},{waiting}")
    expect(page.locator("#live")).to_have_text("Live")
    lines = page.locator('[data-chart="compare_best"] .scatterlayer .js-line')
    lines.first.scroll_into_view_if_needed(timeout=60000)
    page.evaluate("window.notReloaded = true")

    gate.touch()

    card = page.locator(".compared-sweep", has_text="still at work")
    expect(card.locator(".metricval.is-best")).to_have_text("2.000", timeout=60000)
    expect(card.locator(".chip.completed")).to_be_visible(timeout=60000)
    expect(lines).to_have_count(2, timeout=60000)
    assert page.evaluate("window.notReloaded")


def test_picked_runs_lie_over_each_other(chromium_page, sweeps, expect):
    page = chromium_page
    page.goto(f"/sweeps/{sweeps[0]}/runs/")
    for number in (1, 3, 4):
        page.check(f'#rows [data-run="{number}"] input')
    page.click("#selection [data-overlay]")
    expect(page).to_have_url(re.compile(rf"/runs/{sweeps[0]}_1/\?with=3(,|%2C)4"))
    expect(page.locator(".compared-runs thead th")).to_have_count(4)
    page.wait_for_function(
        "() => document.querySelector('#main-chart')?.data?.filter("
        "(trace) => /^Run (3|4)/.test(trace.name)).length === 2",
        timeout=60000,
    )
    page.click('[aria-label="Remove run 3"]')
    expect(page.locator(".compared-runs thead th")).to_have_count(3)


def test_search_finds_while_somebody_types(chromium_page, sweeps, expect):
    page = chromium_page
    page.goto("/compute/")
    page.keyboard.press("/")
    field = page.locator(".jump input")
    expect(field).to_be_focused()
    page.keyboard.type("second ch")
    option = page.locator("#jump-list [role=option]")
    expect(option.first).to_contain_text("second choice")
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "jump-0")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/sweeps/{sweeps[1]}/"))
    page.wait_for_load_state()  # keys are heard once the scripts are there

    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.type("experiment:compared status:completed")
    page.keyboard.press("Enter")
    expect(page.locator("#group-runs + .sub")).to_contain_text(re.compile("^[0-9]"))
    page.click('[data-kind="sweeps"]')
    expect(page).to_have_url(re.compile("kind=sweeps"))
    expect(page.locator(".hits li")).to_have_count(3)
    page.fill("#q", "layrs:2")
    expect(page.locator("#results [role=alert]")).to_contain_text("Did you mean layers")
    page.go_back()
    expect(page.locator("#group-runs")).to_be_visible()
