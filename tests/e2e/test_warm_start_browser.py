"""The warm start section in a real browser: choosing, YAML both ways, problems."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

SCRIPT = (
    "import pathlib\nfrom studio.sdk import Run\nRun.get_context().log('accuracy', 1)\n"
    "pathlib.Path('outputs/model.txt').write_text('x')\n"
)


@pytest.fixture(scope="module")
def ended(live_studio: LiveStudio, tmp_path_factory) -> dict[str, Any]:
    """A sweep of two runs that left a file each."""
    folder = tmp_path_factory.mktemp("warm")
    (folder / "train.py").write_text(SCRIPT)
    spec = {
        "name": "grandmother",
        "experiment": "warm",
        "script": "train.py",
        "source_directory": str(folder),
        "search_space": {"lr": "choice(0.1, 0.2)"},
        "sampling": "grid",
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 2,
    }
    return live_studio.wait_for_end(live_studio.api("/sweeps", spec)["id"])


def test_sweep_is_continued_from_its_page_with_a_run_that_is_picked(
    chromium_page: Page, live_studio: LiveStudio, ended
):
    page = chromium_page
    page.goto(f"/sweeps/{ended['id']}/")
    page.get_by_role("link", name="Continue…").click()
    sweeps, runs = page.locator("#resume_from"), page.locator("#resume_child_runs")
    expect(sweeps).to_have_value(ended["id"])

    button = page.locator(f'button[name="toggle_run"][value="{ended["id"]}_1"]')
    button.click()
    expect(runs).to_have_value(f"{ended['id']}_1")
    expect(button).to_have_attribute("aria-pressed", "true")
    yaml = page.locator("#yaml")
    expect(yaml).to_have_value(re.compile(rf"resume_child_runs: \[{ended['id']}_1\]"))

    page.locator("#name").fill("daughter")
    page.locator("#start").click()
    page.wait_for_url(re.compile(r"/sweeps/HD_[^/]+/$"))
    expect(page.get_by_role("heading", name="Warm-start details")).to_be_visible()
    sweep = live_studio.wait_for_end(page.url.rstrip("/").rpartition("/")[2])
    assert (sweep["resume_from"], sweep["counts"]) == ([ended["id"]], {"Completed": 2})


def test_yaml_and_problems_reach_the_section(chromium_page: Page, ended):
    page = chromium_page
    page.goto(f"/sweeps/new/?from={ended['id']}")
    offer = page.locator(f'button[name="toggle_sweep"][value="{ended["id"]}"]')
    expect(offer).to_have_attribute("aria-pressed", "false")

    page.locator("#tab-yaml").click()
    yaml = page.locator("#yaml")
    expect(yaml).not_to_have_value("")
    yaml.fill(f"{yaml.input_value()}\nresume_from: [{ended['id']}, HD_nowhere]\n")

    expect(page.locator("#resume_from")).to_have_value(f"{ended['id']}\nHD_nowhere")
    expect(offer).to_have_attribute("aria-pressed", "true")
    notes = page.locator("#resume_from-notes .err")
    expect(notes).to_contain_text('There is no sweep "HD_nowhere" in this workspace')

    page.locator("#resume_from").fill(ended["id"])
    expect(notes).to_have_count(0)
    offer.click()
    expect(page.locator("#resume_from")).to_have_value("")
    expect(offer).to_have_attribute("aria-pressed", "false")
