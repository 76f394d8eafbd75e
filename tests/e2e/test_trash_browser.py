"""The trash in a browser: selected rows go there, undo, restore, delete for good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.servers import LiveStudio

pytestmark = pytest.mark.slow

# Rows are enough: the files of a purge are looked at elsewhere.
ROWS = """
import django; django.setup()
from experiments.queries import current_workspace
from experiments.services import setup
from tests.factories import make_sweep
from experiments.services.sweeps import cancel_sweep
root = setup.first_administrator()
workspace = current_workspace(root)
for name in ("old-one", "old-two", "old-live"):
    sweep = make_sweep(
        owner=root, workspace=workspace, name=name, compute="nowhere", is_running=False
    )
    if name != "old-live":
        cancel_sweep(sweep, user=root)
    print(sweep.public_id)
"""


@pytest.fixture
def sweeps(live_studio: LiveStudio) -> Iterator[list[str]]:
    ids = live_studio.run_python(ROWS).split()
    yield ids
    live_studio.api(f"/sweeps/{ids[-1]}/cancel", {})


def test_sweeps_go_to_the_trash_come_back_and_are_deleted(
    chromium_page: Page, live_studio: LiveStudio, sweeps: list[str]
) -> None:
    page = chromium_page
    one, two, live = sweeps

    def row(sweep: str) -> Any:
        return page.locator(f'tr[data-id="{sweep}"]')

    page.goto("/sweeps/?q=old-")
    expect(row(one)).to_be_visible(timeout=30_000)
    bar = page.locator("form.picked")
    expect(bar).to_be_hidden()
    for sweep in (one, two):
        row(sweep).get_by_role("checkbox").check()
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Move to trash").click()
    expect(row(one)).to_have_count(0, timeout=30_000)
    expect(row(two)).to_have_count(0)
    expect(row(live)).to_be_visible()

    toast = page.locator(".toast")
    expect(toast).to_contain_text("2 sweeps are in the trash.")
    toast.get_by_role("button", name="Undo").click()
    expect(row(one)).to_be_visible(timeout=30_000)

    row(live).locator("summary").click()
    row(live).get_by_role("button", name="Move to trash").click()
    refused = page.locator("#refused")
    expect(refused).to_contain_text("cancel it first")
    expect(refused.get_by_role("link", name="Open the sweep")).to_have_attribute(
        "href", re.compile(live)
    )
    refused.get_by_role("button", name="Close").click()

    page.goto(f"/sweeps/{one}/")
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Move to trash").click()
    expect(page.get_by_text("“old-one” is in the trash.")).to_be_visible(timeout=30_000)
    # A reload is not the same news again; the script that cleans the address may come later.
    expect(page).not_to_have_url(re.compile("trashed="), timeout=30_000)

    page.goto("/trash/")
    row(one).get_by_role("button", name="Restore").click()
    expect(page).to_have_url(re.compile(f"/sweeps/{one}/$"), timeout=30_000)
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Move to trash").click()
    expect(page.locator("a.btn[href='/trash/']")).to_be_visible(timeout=30_000)

    page.locator("a.btn[href='/trash/']").click()
    row(one).get_by_role("button", name="Delete old-one for good").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This cannot be undone.")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("“old-one” is deleted for good")).to_be_visible(timeout=30_000)
    expect(row(one)).to_have_count(0)
    assert page.request.get(f"/sweeps/{one}/").status == 404
