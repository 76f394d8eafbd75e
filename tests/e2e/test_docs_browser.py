"""The documentation in a real browser: from a search to a section to its commands; a phone."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_reader_finds_a_section_copies_its_commands_and_turns_the_page(chromium_page):
    from playwright.sync_api import expect

    page = chromium_page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/docs/")
    page.get_by_role("searchbox", name="Search the documentation").fill("winner home")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="5. Take the winner home").click()
    expect(page).to_have_url(re.compile("/docs/first-sweep/#5-take-the-winner-home$"))

    contents = page.get_by_role("navigation", name="On this page", exact=True)
    shown = contents.locator("[aria-current]")
    expect(shown).to_have_text("5. Take the winner home")
    block = page.locator(".doccode", has_text="studio best $SWEEP")
    block.hover()
    block.get_by_role("button", name="Copy").click()
    expect(page.locator("#toasts")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == block.locator("code").text_content()

    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_text("All pages", exact=True).click()
    pages = page.get_by_role("navigation", name="Pages of the documentation, folded")
    pages.get_by_role("link", name="Defining sweeps").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Defining sweeps")
