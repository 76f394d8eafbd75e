"""Models in a real Chromium: register the winner in the dialog, mark, download, delete."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPT = """\
import argparse
import pathlib

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.2)
args = parser.parse_args()
Run.get_context().log("accuracy", args.lr)
pathlib.Path("outputs/net").mkdir(parents=True)
pathlib.Path("outputs/net/weights.bin").write_bytes(b"w" * 1000)
pathlib.Path("outputs/report.txt").write_text("fine")
"""
NAME = "browser-net"


@pytest.fixture(scope="module")
def sweep(live_studio, tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(SCRIPT)
    spec = {
        "name": "<i>models</i>",
        "experiment": "browser-models",
        "source_directory": str(folder),
        "script": "train.py",
        "search_space": {"lr": "choice(0.1, 0.2, 0.3)"},
        "sampling": "grid",
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 3,
    }
    sweep = str(live_studio.api("/sweeps", spec)["id"])
    assert live_studio.wait_for_end(sweep)["status"] == "Completed"
    return sweep


def open_dialog(page: Any) -> Any:
    page.get_by_role("link", name="Register model…").click()
    dialog = page.get_by_role("dialog", name="Register model")
    dialog.wait_for()
    return dialog


def test_winner_is_registered_marked_and_downloaded(chromium_page, expect, sweep, tmp_path):
    page = chromium_page
    page.goto(f"/sweeps/{sweep}/best/")

    dialog = open_dialog(page)
    name = dialog.get_by_label("Model name")
    expect(name).to_be_focused()
    expect(name).to_have_value("browser-models")
    name.fill(NAME)
    dialog.get_by_label("Note").fill("from the <b>browser</b>")
    dialog.get_by_role("button", name="Register").click()

    page.wait_for_url(re.compile(rf"/models/[\w-]+/{NAME}/1/$"))
    expect(page.get_by_role("status").first).to_contain_text(f"Registered as {NAME}, version 1.")
    expect(page.get_by_text("from the <b>browser</b>").first).to_be_visible()
    page.get_by_role("button", name="Production").click()
    expect(page.locator("h1 .chip")).to_have_text("Production")

    with page.expect_download() as started:
        page.get_by_role("link", name="Download all").click()
    target = tmp_path / started.value.suggested_filename
    started.value.save_as(target)
    assert target.name == f"{NAME}-1.zip"
    with zipfile.ZipFile(target) as archive:
        assert sorted(archive.namelist()) == ["net/weights.bin", "report.txt"]
        assert archive.read("net/weights.bin") == b"w" * 1000
    with page.expect_download() as one:
        page.get_by_role("link", name="report.txt", exact=True).click()
    assert Path(one.value.path()).read_text() == "fine"

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Models").click()
    row = page.get_by_role("row").filter(has_text=NAME)
    expect(row).to_contain_text("Production")
    expect(row).to_contain_text("0.3000")
    page.goto(f"/sweeps/{sweep}/best/")
    expect(page.get_by_role("region", name="Registered")).to_contain_text(f"{NAME} 1")


def test_dialog_closes_and_begins_anew(chromium_page, expect, sweep):
    page = chromium_page
    page.goto(f"/runs/{sweep}_0/")

    dialog = open_dialog(page)
    dialog.get_by_label("Files").select_option("outputs/net")
    dialog.get_by_label("Model name").fill("typed")
    dialog.get_by_role("link", name="Not now").click()
    expect(dialog).to_be_hidden()
    dialog = open_dialog(page)
    expect(dialog.get_by_label("Model name")).not_to_have_value("typed")
    expect(dialog.get_by_label("Files")).to_have_value("outputs")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_version_is_deleted_after_asking(chromium_page, expect, live_studio, sweep):
    page = chromium_page
    made = live_studio.api("/models/doomed/versions", {"run": f"{sweep}_1"})
    page.goto(made["url"])

    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete version 1 of doomed?")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Delete…").click()
    dialog.get_by_role("button", name="Delete version").click()

    expect(page.get_by_role("heading", name="No version is left")).to_be_visible()
    page.get_by_role("button", name="Delete model").click()
    page.wait_for_url(re.compile(r"/models/$"))
    expect(page.get_by_role("status").first).to_contain_text("doomed is deleted.")


def test_sweep_around_the_winner_starts_from_the_form(chromium_page, expect, sweep):
    page = chromium_page
    page.goto(f"/sweeps/{sweep}/best/")

    page.get_by_role("link", name="Sweep around it").click()

    expect(page.get_by_text("with a search space around run 2.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True).first).to_have_value("<i>models</i> around run 2")
    page.get_by_role("button", name="Start sweep").click()
    page.wait_for_url(re.compile(r"/sweeps/HD_[\w-]+/$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("around run 2")
