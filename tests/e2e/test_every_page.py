"""Every page in both themes, wide and on a phone: a quiet console, nothing beside the frame, no
other host, a strict policy, and nothing that axe-core finds.

With STUDIO_TEST_SHOTS=FOLDER each page is kept there as a picture.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.e2e.axe import OF_THEMES, OF_WIDTHS, violations
from tests.e2e.page_addresses import make_sample, route_addresses, state_addresses

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
POLICY = {"default-src": "'self'", "script-src": "'self'", "frame-ancestors": "'none'"}
# Django's own pages fade from one colour to the other.
STILL = "() => !document.getAnimations().some((one) => one instanceof CSSTransition)"
# Every chart is drawn, or says why not; and for a moment nothing has come.
DRAWN = """() => {
    const come = performance.getEntriesByType('resource').length;
    if (come !== window.comeBefore) window.comeAt = performance.now();
    window.comeBefore = come;
    const places = [...document.querySelectorAll('.chartcard:has([data-note][hidden]) .chart')];
    const isOpen = places.some((one) => !one.hasChildNodes() && one.checkVisibility());
    return !isOpen && performance.now() - window.comeAt > 250;
}"""
NO_SUCH_PAGES = ("/no/such/page/", "/sweeps/sw_none/", "/runs/sw_none_0/")


@pytest.fixture(scope="module")
def sample(live_studio, tmp_path_factory):
    folder = tmp_path_factory.mktemp("every-page")
    made = make_sample(live_studio, folder)
    yield made
    (folder / "end").touch()
    for state in ("running", "queued"):
        live_studio.api(f"/sweeps/{made.states[state]}/cancel", {})


def pages_of_routes(chromium_page, sample):
    """Every page that answers a GET with HTML; routes of POST alone and of files are none."""
    pages, strange = [], {}
    for name, address in route_addresses(sample).items():
        response = chromium_page.request.get(address, max_redirects=0)
        kind = response.headers.get("content-type", "")
        if response.status == 200 and kind.startswith("text/html"):
            pages.append(address)
        elif response.status not in (200, 302, 405):
            strange[name] = f"{address} answers {response.status}"
    assert not strange, (
        f"{strange}: no test looks at these. Give their parameters a sample in "
        "tests/e2e/page_addresses.py, or name them in its LEFT_OUT with the reason."
    )
    return pages


def test_every_page_is_quiet_fits_and_is_accessible(chromium_page, sample):
    look_at(chromium_page, pages_of_routes(chromium_page, sample))


@pytest.mark.long
def test_pages_of_every_state_are_quiet_fit_and_are_accessible(chromium_page, sample):
    look_at(chromium_page, state_addresses(sample))


def look_at(page, addresses):
    """Look at all of the pages before anything is said of one."""
    faults: dict[str, list[str]] = {}
    for address in addresses:
        found = faults_of(page, address)
        if found:
            faults[address] = found
    assert not faults, "\n".join(
        f"{where}\n  " + "\n  ".join(all_) for where, all_ in faults.items()
    )


def faults_of(page, address):
    """Look at one page wide in light, wide in dark and narrow in dark; return what is wrong."""
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    response = page.goto(address)
    if response.status != 200:
        return [f"answers {response.status}"]
    found = policy_faults(response.headers.get("content-security-policy", ""))
    see_all_of(page)
    found += [f"light: {one}" for one in violations(page)]
    found += dialog_faults(page)
    keep_picture(page, f"{address}-light-1440")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(STILL)
    found += [f"dark: {one}" for one in violations(page, rules=OF_THEMES)]
    keep_picture(page, f"{address}-dark-1440")
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(100)  # what was drawn for the other width is drawn again
    found += [f"390 px: {one}" for one in violations(page, rules=OF_WIDTHS)]
    taken = page.evaluate("document.scrollingElement.scrollWidth")
    if taken > PHONE["width"]:
        found.append(f"390 px: takes {taken} px")
    keep_picture(page, f"{address}-dark-390")
    return found


def policy_faults(policy):
    """Return what a Content-Security-Policy allows that it must not."""
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";") if part.strip())
    return [
        f"Content-Security-Policy: {name} is {rules.get(name)}"
        for name, wanted in POLICY.items()
        if rules.get(name) != wanted
    ]


def dialog_faults(page):
    """Open each dialog of the page once and look at what was hidden before."""
    found = []
    for name in page.evaluate("[...document.querySelectorAll('dialog[id]')].map((d) => d.id)"):
        page.evaluate(
            """(id) => {
                const dialog = document.getElementById(id);
                dialog.removeAttribute('popover');
                dialog.showModal();
            }""",
            name,
        )
        found += [f"dialog {name}: {one}" for one in violations(page, within=f"#{name}")]
        page.evaluate("(id) => document.getElementById(id).close()", name)
    return found


def see_all_of(page):
    """Scroll down once: charts are drawn when they come into view."""
    page.evaluate(
        """async () => {
            const frame = () => new Promise((done) => requestAnimationFrame(done));
            for (let y = 0; y < document.body.scrollHeight; y += 700) {
                scrollTo(0, y);
                // Two frames: what came into view has been told so.
                await frame();
                await frame();
            }
            scrollTo(0, 0);
        }"""
    )
    page.wait_for_function(DRAWN, polling=100)


def keep_picture(page, name):
    """Keep what is seen where somebody asked for pictures."""
    folder = os.environ.get("STUDIO_TEST_SHOTS")
    if folder:
        name = re.sub(r"[^\w.=-]+", "_", name).strip("_")
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_pages_for_strangers_and_of_errors_are_accessible(chromium, live_studio):
    """The sign-in page, and 404: in the product's design, one h1, a way back."""
    context = chromium.new_context(base_url=live_studio.url)
    page = context.new_page()
    page.goto("/sign-in/")
    assert violations(page) == []
    for address in ("/sign-in/no-such-link/", "/password-reset/", "/sign-up/"):
        page.goto(address)
        assert violations(page) == []
    page.goto(live_studio.sign_in_link())
    for address in NO_SUCH_PAGES:
        response = page.goto(address)
        assert response.status == 404
        assert policy_faults(response.headers["content-security-policy"]) == []
        assert violations(page) == []
        assert page.locator("h1").count() == 1
        assert page.locator("main a.btn").count() >= 1
    context.close()
