"""A team at work in a real Chromium: dashboard, star, tag, notes of two people, a guest."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCRIPT = """\
import argparse

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int)
size = parser.parse_args().size
for step in range(3):
    Run.get_context().log("accuracy", size * step)
"""
SPEC = {
    "name": "teamwork",
    "experiment": "browser",
    "script": "train.py",
    "search_space": {"size": "choice(1, 2)"},
    "sampling": "grid",
    "primary_metric": {"name": "accuracy", "goal": "maximize"},
    "max_total_runs": 2,
}
SECONDS = 90_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(SCRIPT)
    return folder


@pytest.fixture
def guest(chromium, live_studio):
    """A browser of somebody without an account, and what its console says."""
    context = chromium.new_context(base_url=live_studio.url)
    page = context.new_page()
    page.said = []
    page.on(
        "console", lambda m: page.said.append(m.text) if m.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: page.said.append(str(error)))
    yield page
    context.close()


def test_a_team_follows_marks_notes_and_shares_a_sweep(
    chromium_page, chromium, guest, live_studio, folder
):
    from playwright.sync_api import expect

    page = chromium_page
    page.goto("/dashboard/")
    sweep = live_studio.api("/sweeps", {**SPEC, "source_directory": str(folder)})["id"]
    # Nobody loads the page again: it comes by itself, also where it is the first sweep of all.
    finished = page.locator('[data-part="finished"] .now', has_text="teamwork")
    expect(finished).to_contain_text("4.000", timeout=SECONDS)
    expect(page.locator('[data-part="bests"]')).to_contain_text("teamwork")

    page.goto("/sweeps/")
    star = page.locator(f'tr[data-id="{sweep}"] .star')
    with page.expect_response(re.compile("/star/$")):
        star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.check("#starred", force=True)
    expect(page).to_have_url(re.compile("starred=1"))
    expect(page.locator("#rows tr")).to_have_count(1)

    tag_and_untag(page, sweep)
    write_notes_at_once(page, chromium, live_studio, sweep)
    share(page, guest, sweep)


def tag_and_untag(page, sweep):
    from playwright.sync_api import expect

    page.goto(f"/sweeps/{sweep}/")
    tags = page.locator(".tags li.tag")
    page.click(".addtag > summary")
    page.fill("#new-tag", "team=blue")
    page.press("#new-tag", "Enter")
    expect(tags).to_have_text(["team: blue"])
    expect(page.locator(".star")).to_have_attribute("aria-pressed", "true")
    page.click("[aria-label='Remove the tag team']")
    expect(tags).to_have_count(0)


def write_notes_at_once(page, chromium, live_studio, sweep):
    """Let two people edit the same version; the one who comes second merges."""
    from playwright.sync_api import expect

    notes = f"/sweeps/{sweep}/notes/"
    page.goto(notes)
    page.fill("#text", "# Goal\n\nfirst **line**\n\nlast line")
    expect(page.locator("#preview strong")).to_have_text("line")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notes h3")).to_have_text("Goal")

    # A page of its own: an answer of 409 is an error to the console of a browser.
    context = chromium.new_context(base_url=live_studio.url)
    other = context.new_page()
    other.goto(live_studio.sign_in_link())
    other.goto(notes)
    page.goto(notes)
    page.fill("#text", "# Goal\n\nfirst **line**\n\nlast line, of the first")
    page.get_by_role("button", name="Save").click()
    other.fill("#text", "# Goal of the second\n\nfirst **line**\n\nlast line")
    other.get_by_role("button", name="Save").click()
    expect(other.locator(".banner.warn")).to_contain_text("saved version 2 while you were writing")
    merged = "# Goal of the second\n\nfirst **line**\n\nlast line, of the first"
    expect(other.locator("#text")).to_have_value(merged)
    other.get_by_role("button", name="Save").click()
    expect(other.locator("#notes")).to_contain_text("version 3")
    context.close()
    # The first one sees it come.
    expect(page.locator("#notes h3")).to_have_text("Goal of the second", timeout=SECONDS)


def share(page, guest, sweep):
    from playwright.sync_api import expect

    page.goto(f"/sweeps/{sweep}/")
    page.click("summary:has-text('Share')")
    page.click("text=Share without an account…")
    page.fill("#name", "Board")
    page.get_by_role("button", name="Make the link").click()
    link = page.input_value(".linklist .address input")

    guest.goto(link)
    expect(guest.locator("h1")).to_contain_text("teamwork")
    expect(guest.locator('[data-chart="best_so_far"] .main-svg').first).to_be_visible(
        timeout=SECONDS
    )
    guest.click(".tabs >> text=Charts")
    axis = guest.locator('[data-chart="parallel_coordinates"] .zone').first
    expect(axis).to_be_attached(timeout=SECONDS)
    guest.click(".tabs >> text=Runs")
    expect(guest.locator("#rows tr")).to_have_count(2)
    assert guest.said == []
    guest.goto("/sweeps/")
    expect(guest).to_have_url(re.compile("/sign-in/"))

    page.get_by_role("button", name="Revoke").click()
    expect(page.locator("main")).to_contain_text("No link is in use.")
    assert guest.goto(link).status == 404
