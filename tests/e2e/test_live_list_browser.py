"""The list of sweeps in a real Chromium while it is made again: no key is pressed in vain."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.servers import LiveStudio

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROWS = """
import django; django.setup()
from experiments.queries import current_workspace
from experiments.services import setup
from experiments.services.sweeps import cancel_sweep
from tests.factories import make_sweep
root = setup.first_administrator()
for number in range(4):
    sweep = make_sweep(
        owner=root, workspace=current_workspace(root), name=f"{NAME}-{number}", compute="nowhere",
        is_running=False,
    )
    cancel_sweep(sweep, user=root)
"""


class HeldList:
    """The list of some sweeps, whose next look at the server waits until it is let go."""

    def __init__(self, page: Page, studio: LiveStudio, expect: Any) -> None:
        self.page = page
        self.studio = studio
        self.expect = expect
        self.rows = page.locator("#rows tr")
        self._held: list[Route] = []
        self._is_holding = True
        name = uuid.uuid4().hex
        studio.run_python(f"NAME = {name!r}\n{ROWS}")
        page.goto(f"/sweeps/?q={name}")
        page.route("**/sweeps/?q=*", self._hold)
        expect(self.rows).to_have_count(4)
        page.wait_for_load_state("load")

    def _hold(self, route: Route) -> None:
        if self._is_holding and "x-fragment" in route.request.headers:
            self._held.append(route)
        else:
            route.continue_()

    def remove(self, place: int) -> None:
        """Move a sweep to the trash somewhere else, and wait until the page asks for its list."""
        sweep = self.rows.nth(place).get_attribute("data-id")
        self.studio.api(f"/sweeps/{sweep}", method="DELETE")
        deadline = time.monotonic() + 30
        while not self._held:  # waiting in Playwright, which has to see the request
            assert time.monotonic() < deadline
            self.page.wait_for_timeout(50)

    def let_go(self) -> None:
        """Let the page have the list without the removed sweep; wait until it shows that."""
        self._is_holding = False
        for route in self._held:
            route.continue_()
        self.expect(self.rows).to_have_count(3)

    def name(self, place: int) -> Any:
        """The link to a sweep."""
        return self.rows.nth(place).locator("a.name")

    def box(self, place: int) -> Any:
        """What picks a sweep."""
        return self.rows.nth(place).locator("input")


@pytest.fixture
def listed(chromium_page: Page, live_studio: LiveStudio, expect: Any) -> HeldList:
    return HeldList(chromium_page, live_studio, expect)


def test_row_that_was_picked_stays_picked_when_the_list_is_made_again(
    listed: HeldList, expect: Any
) -> None:
    press = listed.page.keyboard.press
    press("j")
    press("j")
    press("x")
    expect(listed.box(1)).to_be_checked()
    listed.remove(3)
    listed.let_go()

    expect(listed.box(1)).to_be_checked()
    expect(listed.page.locator("[data-picked]")).to_have_text("1 selected")
    expect(listed.name(1)).to_be_focused()
    press("x")
    expect(listed.box(1)).not_to_be_checked()


def test_keys_go_on_at_the_next_row_when_that_with_the_focus_is_gone(
    listed: HeldList, expect: Any
) -> None:
    press = listed.page.keyboard.press
    press("j")
    press("j")
    after = listed.rows.nth(2).get_attribute("data-id")
    listed.remove(1)
    listed.let_go()

    expect(listed.rows.nth(1)).to_have_attribute("data-id", after)
    expect(listed.name(1)).to_be_focused()
    press("x")
    expect(listed.box(1)).to_be_checked()


def test_filter_with_the_focus_keeps_it_when_its_count_changes(
    listed: HeldList, expect: Any
) -> None:
    pill = listed.page.locator("nav a.filter").first
    count = int(pill.locator("b").inner_text())
    pill.focus()
    listed.remove(0)
    listed.let_go()

    expect(pill.locator("b")).to_have_text(str(count - 1))
    expect(pill).to_be_focused()
