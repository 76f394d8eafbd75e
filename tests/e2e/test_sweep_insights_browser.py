"""From the edge alarm, a failure, a slot and a line of the log onwards, in a real Chromium."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCRIPT = """\
import argparse

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int)
parser.add_argument("--fold", type=int)
args = parser.parse_args()
if args.size == 1:
    raise ValueError(f"fold {args.fold} of /data/{args.fold}/images is too small")
Run.get_context().log("accuracy", args.size + args.fold / 100)
"""


@pytest.fixture(scope="module")
def ended(live_studio, tmp_path_factory):
    """A sweep of sixteen runs: the four of size 1 fail, the best have the largest size."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(SCRIPT)
    sweep = str(
        live_studio.api(
            "/sweeps",
            {
                "name": "edges",
                "experiment": "browser",
                "source_directory": str(folder),
                "script": "train.py",
                "search_space": {"size": "choice(1, 2, 3, 4)", "fold": "choice(1, 2, 3, 4)"},
                "sampling": "grid",
                "primary_metric": {"name": "accuracy", "goal": "maximize"},
                "max_total_runs": 16,
                "max_concurrent_runs": 4,
                "max_failed_runs": 16,
            },
        )["id"]
    )
    assert live_studio.wait_for_end(sweep, 240)["status"] == "Completed"
    return sweep


def test_edges_failures_slots_and_activity_lead_on(chromium_page, ended):
    from playwright.sync_api import expect

    page = chromium_page
    page.goto(f"/sweeps/{ended}/")
    expect(page.locator(".edge")).to_contain_text("size 4, the largest of its options")
    page.click("text=Extend size…")
    expect(page.locator("#s-space")).to_be_visible()
    space = page.locator('#s-space input[value*="5"]')
    expect(space).to_have_value("1, 2, 3, 4, 5")
    expect(page.locator('[name="resume_from"]')).to_have_value(ended)

    page.goto(f"/sweeps/{ended}/failures/")
    expect(page.locator(".failure h2")).to_have_text("ValueError: fold … of …/images is too small")
    expect(page.locator(".finding")).to_contain_text("4 of 4 runs with it failed this way")
    page.click("text=Show these 4 runs")
    expect(page.locator("#rows tr")).to_have_count(4)
    expect(page.locator("#rows .chip.failed")).to_have_count(4)

    page.goto(f"/sweeps/{ended}/timeline/")
    page.wait_for_function(
        "() => document.querySelector('[data-chart=timeline] .plot')?.data"
        "?.reduce((sum, trace) => sum + (trace.customdata?.length ?? 0), 0) === 16",
        timeout=60000,
    )
    card = page.locator('[data-chart="timeline"]')
    bar = card.locator(".barlayer .point path").first.bounding_box()
    page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    expect(card.locator("[data-inspector]")).to_contain_text("accuracy")
    expect(card.locator(".run-line.hl")).to_have_count(1)
    card.locator("summary").click()
    card.locator('[data-do="table"]').click()
    expect(card.locator("[data-table] tbody tr")).to_have_count(16)

    page.goto(f"/sweeps/{ended}/logs/?kind=people")
    expect(page.locator("#log .line")).to_have_count(1)
    expect(page.locator("#log .who")).to_have_class(re.compile("is-person"))
    page.click("#log .when")
    expect(page).to_have_url(re.compile(r"\?at=\d+#line-\d+$"))
    expect(page.locator("#log .line.is-target")).to_contain_text("submitted by")
