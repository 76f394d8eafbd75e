"""A journey without a mouse in a real Chromium: lists, a sweep, its runs, the form, the trash."""

from __future__ import annotations

import json
import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIMIT = 20_000
# What shows where the focus is: an outline of the element, or of the box that it fills.
RING = """() => {
    const here = document.activeElement;
    const boxes = [here, here.closest('.jump, .tokens, label')].filter(Boolean);
    const isSeen = (box) => {
        const {outlineStyle, outlineWidth} = getComputedStyle(box);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
    };
    const {x, y, width, height} = here.getBoundingClientRect();
    const top = document.elementFromPoint(x + width / 2, y + Math.min(height / 2, 20));
    const bar = document.querySelector('.topbar');
    const isFree = !top || !bar.contains(top) || bar.contains(here);
    return [here.outerHTML.slice(0, 120), boxes.some(isSeen), isFree];
}"""


@pytest.fixture
def expect():
    from playwright.sync_api import expect

    expect.set_options(timeout=LIMIT)
    return expect


@pytest.fixture(scope="module")
def sweeps(live_studio):
    """Ids of sweeps by state; the newest stands at the top of the list."""
    code = "from tests import state_world; state_world.main(['nan', 'one', 'failed'])"
    printed = live_studio.run_python(f"import django; django.setup(); {code}")
    return json.loads(printed.splitlines()[-1])


@pytest.fixture
def press(chromium_page):
    def press(*keys):
        for key in keys:
            chromium_page.keyboard.press(key)

    return press


@pytest.fixture
def arrive(chromium_page, expect):
    """Wait until a page with this first heading is there and its scripts have begun."""

    def arrive(heading):
        expect(chromium_page.locator("h1")).to_contain_text(heading)
        chromium_page.wait_for_load_state("load")

    return arrive


def tab_to(page, target, most=80):
    """Press Tab until `target` has the focus, as somebody without a mouse does."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{target} is not reached with {most} tabs")


def test_journey_from_the_list_to_a_run_and_back(chromium_page, sweeps, press, expect, arrive):
    page = chromium_page
    page.goto(f"/sweeps/?q={sweeps['nan']}")
    expect(page.locator("#rows tr")).to_have_count(1)
    press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    press("Enter")
    expect(page.locator("#main")).to_be_focused()

    press("j")
    expect(page.locator("#rows a.name").first).to_be_focused()
    press("x")
    expect(page.locator("#rows input").first).to_be_checked()
    press(" ")
    expect(page.locator("#rows input").first).not_to_be_checked()
    press("Enter")
    arrive("NaN and infinities")

    tab_to(page, page.locator(".tabs a", has_text="Runs"))
    press("Enter")
    expect(page).to_have_url(re.compile("/runs/"))
    page.wait_for_load_state("load")
    press("j", "j", " ")
    expect(page.locator('#rows tr[aria-selected="true"]')).to_have_count(1)
    press("x", "j", "k", "Enter")
    arrive("Run 1 ")
    press("]")
    arrive("Run 2 ")
    press("[")
    arrive("Run 1 ")
    press("g", "c")
    arrive("Compute")
    press("g", "s")
    arrive("Sweeps")


def test_shortcuts_are_listed_and_can_be_turned_off(chromium_page, sweeps, press, expect, arrive):
    page = chromium_page
    page.goto("/sweeps/")
    press("/")
    expect(page.locator("#q")).to_be_focused()
    press("n", "?", "x")
    expect(page.locator("#q")).to_have_value("n?x")
    expect(page.locator("dialog.shortcuts")).to_have_count(0)

    page.goto("/compute/")
    account = page.locator("summary.avatar")
    account.focus()
    press("Enter")
    tab_to(page, page.locator("#shortcuts"), most=12)
    press("Enter")
    dialog = page.locator("dialog.shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Previous and next run")
    dialog.locator("input").focus()
    press(" ", "Escape")
    expect(dialog).to_have_count(0)
    expect(account).to_be_focused()
    page.reload()
    press("?", "n", "g", "s")
    expect(page.locator("dialog")).to_have_count(0)
    arrive("Compute")

    account.focus()
    press("Enter")
    page.locator("#shortcuts").focus()
    press("Enter")
    dialog.locator("input").focus()
    press(" ", "Escape", "?")
    expect(dialog).to_be_visible()
    press("Escape", "n")
    arrive("New sweep")


def test_form_is_filled_refused_mended_and_sent(chromium_page, tmp_path, press, expect, arrive):
    page = chromium_page
    (tmp_path / "train.py").write_text(
        "from studio.sdk import Run\nRun.get_context().log('a', 1)\n"
    )
    page.goto("/sweeps/new/")
    page.locator("#start").focus()
    press("Enter")
    expect(page.locator("#problem-list li").first).to_be_visible()
    wrong = page.evaluate("document.activeElement.getAttribute('aria-invalid')")
    assert wrong == "true", page.evaluate("document.activeElement.outerHTML")

    def write(field, text):
        page.locator(field).focus()
        press("Control+a")
        page.keyboard.type(text)

    write("#name", "typed with keys")
    write("#experiment", "keys")
    page.locator('input[name="code"]:checked').focus()
    while not page.locator("#source_directory").is_visible():
        press("ArrowDown")
    write("#source_directory", str(tmp_path))
    write("#script", "train.py")
    write("#search_space-0-name", "lr")
    page.locator("#search_space-0-type").focus()
    page.keyboard.type("uniform")
    write("#search_space-0-min_value", "0")
    write("#search_space-0-max_value", "1")
    write("#metric", "a")
    write("#max_total_runs", "1")
    expect(page.locator("#verdict")).to_contain_text("Ready.")
    tab_to(page, page.locator("#start"))
    press("Enter")
    arrive("typed with keys")


def test_focus_is_seen_is_never_covered_and_goes_on_at_the_next_row(
    chromium_page, sweeps, press, expect
):
    page = chromium_page
    for address in ("/sweeps/", f"/runs/{sweeps['nan']}_1/"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        for _ in range(40):
            press("Tab")
            element, is_seen, is_free = page.evaluate(RING)
            if not element.startswith("<body"):  # once round, the browser itself has it
                assert is_seen, element
                assert is_free, f"covered: {element}"

    page.goto("/sweeps/?experiment=states")
    before = page.locator("#rows tr").count()
    row = page.locator(f'#rows tr[data-id="{sweeps["one"]}"]')
    after = row.locator("xpath=following-sibling::tr[1]").get_attribute("data-id")
    row.locator("summary").focus()
    press("Enter")
    tab_to(page, row.locator('button[name="only"]'), most=6)
    press("Enter")
    expect(page.locator("#rows tr")).to_have_count(before - 1)
    expect(page.locator(f'#rows tr[data-id="{after}"] a.name')).to_be_focused()


def test_nothing_moves_for_those_who_want_it_still(chromium_page, sweeps):
    page = chromium_page
    page.emulate_media(reduced_motion="reduce")
    page.goto("/sweeps/")
    moving = page.evaluate(
        """document.getAnimations().filter(
            (one) => one.effect.getComputedTiming().endTime > 100).length"""
    )
    assert moving == 0
