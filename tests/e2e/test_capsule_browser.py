"""A capsule in a real Chromium without a network: charts, table, log; then back into a studio."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import axe
from tests.e2e.command import last_json, run_studio
from tests.servers import LiveStudio

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPT = """\
import argparse

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
options = parser.parse_args()
print("learning rate", options.lr)
for step in range(12):
    Run.get_context().log("accuracy", 1 - options.lr - 0.5 / (step + 1), step=step * 10)
    Run.get_context().log("loss", options.lr / (step + 1))
"""


@pytest.fixture(scope="module")
def sweep(live_studio: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(SCRIPT)
    spec = {
        "name": "kept <b>in</b> a file",
        "experiment": "capsules",
        "source_directory": str(folder),
        "script": "train.py",
        "search_space": {"lr": "choice(0.1, 0.2, 0.3)"},
        "sampling": "grid",
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 3,
    }
    made = str(live_studio.api("/sweeps", spec)["id"])
    assert live_studio.wait_for_end(made)["status"] == "Completed"
    return made


@pytest.fixture
def capsule(chromium_page: Page, sweep: str, tmp_path: Path) -> Path:
    """The file, as the page of the sweep gives it."""
    chromium_page.goto(f"/sweeps/{sweep}/")
    chromium_page.get_by_text("Share", exact=True).click()
    with chromium_page.expect_download() as started:
        chromium_page.get_by_role("link", name="Everything in one file").click()
    target = tmp_path / started.value.suggested_filename
    started.value.save_as(target)
    assert target.name == f"{sweep}.capsule.html"
    return target


def test_capsule_opens_without_a_studio_and_is_imported(
    chromium: Browser, capsule: Path, live_studio: LiveStudio
):
    faults: list[str] = []
    for scheme in ("light", "dark"):
        context = chromium.new_context(offline=True, color_scheme=scheme)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url))
        page.goto(capsule.as_uri())
        look(page)
        assert axe.violations(page) == []
        context.close()
    assert [fault for fault in faults if fault != capsule.as_uri()] == []

    words = ["import", "capsule", str(capsule), "--experiment", "brought", "--json"]
    done = run_studio(live_studio.environment, *words)
    assert done.returncode == 0, done.stderr
    answer = last_json(done)
    assert (answer["outcome"], answer["reports"]) == ("imported", 72)
    assert answer["sweep"]["counts"] == {"Completed": 3}
    again = run_studio(live_studio.environment, *words)
    assert last_json(again)["outcome"] == "present"


def look(page: Page) -> None:
    """See the charts drawn, other curves and another log on request, and the facts below."""
    view = page.get_by_role("region", name="Sweep kept <b>in</b> a file")
    expect(view.get_by_role("row")).to_have_count(4)
    metrics = view.locator(".is-metrics canvas").first
    expect(metrics).to_be_visible()
    expect(view.get_by_role("group", name="Parallel coordinates")).to_contain_text("choice")
    view.locator("[data-option=x]").select_option("step")
    view.locator("[data-option=metric]").select_option("loss")
    # Of other metrics the curves by interval are kept.
    expect(view.locator("[data-option=x]")).to_have_value("interval")
    view.get_by_role("button", name="Run 1", exact=True).click()
    expect(view.get_by_role("group", name="Log")).to_contain_text("learning rate 0.2")
    expect(page.get_by_role("heading", name="kept <b>in</b> a file").first).to_be_visible()
    expect(page.get_by_role("region", name="Configuration")).to_contain_text("choice")
    expect(page.get_by_role("region", name="Hashes")).to_contain_text("train.py")
    page.get_by_text("Show the table").click()
    expect(page.get_by_role("region", name="All runs").get_by_role("row")).to_have_count(4)
