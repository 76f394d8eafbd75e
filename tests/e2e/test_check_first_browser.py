"""Check first in the new-sweep form: a real worker, a real Chromium."""

from __future__ import annotations

import re
import zipfile
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPT = """\
import argparse, sys, time
from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--pause", type=float, default=0.1)
args = parser.parse_args()
run = Run.get_context()
print("begins", flush=True)
for step in range(args.epochs):
    run.log("val_accuracy", args.lr + step / 10)
    run.log("loss", 1 / (step + 1))
    print("epoch", step, flush=True)
    time.sleep(args.pause)
"""


@pytest.fixture
def expect():
    from playwright.sync_api import expect

    expect.set_options(timeout=30_000)
    yield expect
    expect.set_options(timeout=20_000)


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    return folder


def fill_form(page: Any, code: Any, *, metric: str, arguments: str = "") -> None:
    page.goto("/sweeps/new/")
    page.fill("#name", "checked first")
    page.fill("#experiment", "checks")
    page.click("text=Folder on the studio's machine")
    page.fill("#source_directory", str(code))
    fill_rest(page, metric=metric, arguments=arguments)


def fill_rest(page: Any, *, metric: str, arguments: str = "") -> None:
    page.fill("#script", "train.py")
    page.fill("#arguments", arguments)
    page.fill("#search_space-0-name", "lr")
    page.fill("#search_space-0-min_value", "0.1")
    page.fill("#search_space-0-max_value", "0.5")
    page.fill("#metric", metric)
    page.fill("#max_total_runs", "2")


def sweeps_in(live_studio: Any) -> list[str]:
    return [sweep["name"] for sweep in live_studio.api("/sweeps")["items"]]


def test_wrong_name_is_found_taken_over_and_the_sweep_started(
    chromium_page, live_studio, code, expect
):
    page = chromium_page
    before = len(sweeps_in(live_studio))
    fill_form(page, code, metric="accuracy")

    page.click("#check-first")
    head = page.locator("#check-result .check-head")
    expect(head).to_contain_text("The check failed.")
    line = page.locator(".check-lines li.mark-bad", has_text="Metric")
    expect(line).to_contain_text('The script logged "val_accuracy", "loss"')
    expect(page.locator("#check-log")).to_contain_text("epoch 2")
    expect(page.locator("#check-stale")).to_be_hidden()
    expect(page.locator("#check-cancel")).to_be_hidden()
    page.click('button[name="use_metric"][value="val_accuracy"]')
    expect(page.locator("#metric")).to_have_value("val_accuracy")
    expect(page.locator("#check-stale")).to_be_visible()

    page.click("#check-first")
    expect(head).to_contain_text("The check passed")
    expect(page.locator("#check-stale")).to_be_hidden()
    expect(page.locator(".check-lines li", has_text="Whole sweep")).to_contain_text("for 2 runs")
    assert len(sweeps_in(live_studio)) == before

    page.click("#start")
    expect(page).to_have_url(re.compile(r"/sweeps/HD_"))
    assert len(sweeps_in(live_studio)) == before + 1


def test_progress_is_live_and_a_check_can_be_canceled(chromium_page, code, expect):
    page = chromium_page
    fill_form(page, code, metric="val_accuracy", arguments="--epochs 5000")

    page.click("#check-first")
    expect(page.locator("#check-log")).to_contain_text("epoch 3")
    expect(page.locator(".check-head")).to_contain_text("Running:")
    expect(page.locator("#check-result td.num").first).not_to_be_empty()
    page.click("#check-cancel")
    expect(page.locator(".check-head")).to_contain_text("The check was canceled.")
    expect(page.locator(".check-lines")).to_contain_text("Canceled by admin.")


def test_time_limit_ends_a_long_script_and_the_length_is_extrapolated(chromium_page, code, expect):
    page = chromium_page
    fill_form(page, code, metric="val_accuracy", arguments="--epochs 5000")
    page.fill("#check_seconds", "2")

    page.click("#check-first")
    expect(page.locator(".check-head")).to_contain_text("The check passed")
    lines = page.locator(".check-lines")
    expect(lines).to_contain_text("It was still running after")
    expect(lines).to_contain_text("extrapolated to --epochs 5000")


def test_zip_that_was_checked_is_not_sent_again(chromium_page, live_studio, code, expect):
    page = chromium_page
    path = code / "code.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(code / "train.py", "train.py")
    page.goto("/sweeps/new/")
    page.fill("#name", "from a zip")
    page.fill("#experiment", "checks")
    page.click("text=Upload a zip")
    page.set_input_files("#upload", path)
    fill_rest(page, metric="val_accuracy")

    page.click("#check-first")
    expect(page.locator(".check-head")).to_contain_text("The check passed")
    expect(page.locator("#uploaded-note")).to_be_visible()
    digest = page.locator("#uploaded").input_value()
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.click("#start")
    assert b"filename=" not in (sent.value.post_data_buffer or b"")
    expect(page).to_have_url(re.compile(r"/sweeps/HD_"))
    sweep_id = re.search(r"HD_[^/]+", page.url)
    assert sweep_id is not None
    assert live_studio.api(f"/sweeps/{sweep_id[0]}/spec")["snapshot"] == digest


def test_without_scripts_a_check_is_started_and_looked_at(
    chromium, chromium_page, live_studio, code, expect
):
    context = chromium.new_context(
        base_url=live_studio.url,
        java_script_enabled=False,
        storage_state=chromium_page.context.storage_state(),
    )
    page = context.new_page()
    fill_form(page, code, metric="loss_", arguments="--epochs 40")

    page.click("#check-first")
    expect(page).to_have_url(re.compile(r"/sweeps/new/\?check=HD_[^#]+#s-check$"))
    look = page.locator("#s-check noscript a").get_attribute("href")
    over = page.locator(".check-head[data-over]")
    for _ in range(60):
        page.goto(look.partition("#")[0])
        if over.count():
            break
        page.wait_for_timeout(500)
    expect(over).to_contain_text("The check failed.")
    expect(page.locator("#source_directory")).to_have_value(str(code))
    page.click('button[name="use_metric"][value="loss"]')
    expect(page.locator("#metric")).to_have_value("loss")
    expect(over).to_be_visible()
    context.close()


def test_wrong_time_limit_is_told_and_nothing_runs(chromium_page, code, expect):
    page = chromium_page
    fill_form(page, code, metric="val_accuracy")
    page.fill("#check_seconds", "5000")

    page.click("#check-first")
    field = page.locator('[data-field="check_seconds"]')
    expect(field.locator(".err")).to_contain_text("use 1 to 600 seconds")
    expect(page.locator("#check-result")).to_be_hidden()
