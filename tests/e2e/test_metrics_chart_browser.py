"""The metrics chart in a real Chromium: what people do with its lines, what live data moves."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CARD = '[data-chart="metrics"]'
LINES = f"{CARD} .runlines"
SIMULATED = """
import django; django.setup()
from django.core.management import call_command
from experiments.models import Sweep
call_command("studio_simulate", runs=30, concurrency=10, reports=40, policy="bandit", verbosity=0)
print(Sweep.objects.latest("pk").public_id)
"""
LIVE = """
import django; django.setup()
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from experiments import queries
from experiments.models import Run, Sweep
from experiments.services.setup import first_administrator
from tests.factories import make_running_run, make_sweep, report
found = Sweep.objects.filter(name="grows").first()
if found is None:
    owner = first_administrator()
    with transaction.atomic():  # the controller finds it complete
        found = make_sweep(owner=owner, workspace=queries.current_workspace(owner), name="grows",
                           max_total_runs=2, max_concurrent_runs=2)
        for n in range(2):
            make_running_run(found, lr=n / 10, layers=1)
        Run.objects.filter(sweep=found).update(lease_expires_at=timezone.now() + timedelta(hours=1))
for run in Run.objects.filter(sweep=found):
    report(run, [run.number + (run.reports + n) / 100 for n in range({0})])
print(found.public_id)
"""


@pytest.fixture
def expect():
    from playwright.sync_api import expect

    expect.set_options(timeout=20_000)
    return expect


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def simulated(live_studio):
    return last_line(live_studio.run_python(SIMULATED))


@pytest.fixture
def growing(live_studio):
    """A sweep of two running runs; call it with a number to let both report so many values."""

    def grow(count: int) -> str:
        return last_line(live_studio.run_python(LIVE.format(count)))

    yield grow
    code = "import django; django.setup(); from experiments.models import Sweep\n"
    live_studio.run_python(f"{code}Sweep.objects.filter(name='grows').delete()")


def ticks(page: Any) -> list[str]:
    return page.locator(f"{CARD} .line-axes .tick").all_text_contents()


def other_ticks(page: Any, before: list[str]) -> list[str]:
    """Wait until the axes are drawn anew; return their texts."""
    page.wait_for_function(
        f"""before => [...document.querySelectorAll('{CARD} .line-axes .tick')]
          .map((tick) => tick.textContent).join() !== before""",
        arg=",".join(before),
    )
    return ticks(page)


def wait_for_lines(page: Any, count: int) -> None:
    page.locator(CARD).scroll_into_view_if_needed()
    page.wait_for_function(
        f"n => document.querySelector('{LINES}')?.drawn === n", arg=count, timeout=30_000
    )


def place_of(page: Any) -> dict[str, float]:
    """Return a place on the limit line of the policy: some run is near it."""
    found = page.evaluate(
        f"""() => {{
          const box = document.querySelector("{LINES.replace('"', "'")}").getBoundingClientRect();
          const path = document.querySelector("{CARD.replace('"', "'")} .limit-line");
          const {{ x, y }} = path.getPointAtLength(path.getTotalLength() - 1);
          return {{ x: Math.min(x, box.width - 20), y }};
        }}"""
    )
    return {name: float(value) for name, value in found.items()}


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    box = page.locator(LINES).bounding_box()
    place = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*place[0])
    page.mouse.down()
    page.mouse.move(*place[1], steps=4)
    page.mouse.up()


def test_lines_are_pointed_at_pinned_smoothed_colored_and_zoomed(chromium_page, simulated, expect):
    page = chromium_page
    page.goto(f"/sweeps/{simulated}/charts/")
    wait_for_lines(page, 30)
    card, lines = page.locator(CARD), page.locator(LINES)
    expect(card.locator(".limit-line")).to_have_count(1)
    words = re.compile(r"Bandit, slack factor 0\.1: stop (below|above) 0")
    expect(card.locator(".limit-label")).to_have_text(words)

    # The pointer: nearest line, its values, the same run in the list; a click pins it.
    place = place_of(page)
    lines.hover(position=place)
    expect(page.locator(".tip")).to_contain_text(re.compile(r"Run \d+.*interval \d+", re.S))
    expect(card.locator(".run-line.hl")).to_have_count(1)
    run = re.search(r"Run (\d+)", page.locator(".tip").text_content())[1]
    lines.click(position=place)
    expect(page).to_have_url(re.compile(rf"pins={run}\b"))
    page.mouse.move(5, 5)
    expect(card.locator(".run-line.pin-1")).to_have_count(1)

    # The controls, each in the address.
    card.locator('[data-local="smooth"]').fill("0.9")
    expect(card.locator(".run-line.raw")).to_have_count(1)
    linear = ticks(page)
    card.locator('[data-local="scale"]').select_option("log")
    expect(page).to_have_url(re.compile(r"metrics.smooth=0.9.*metrics.scale=log"))
    other_ticks(page, linear)
    card.locator('[data-local="scale"]').select_option("")
    card.locator('[data-local="colour"]').select_option("param:hidden_units")
    expect(card.locator("[data-colour-legend]")).to_contain_text("128")
    card.locator('[data-option="x"]').select_option("time")
    expect(card.locator(".axis-title").first).to_contain_text("seconds")
    expect(card.locator(".limit-line")).to_have_count(0)
    card.locator('[data-option="x"]').select_option("interval")
    expect(card.locator(".limit-line")).to_have_count(1)

    # A box zooms, the address remembers it, the button shows everything again.
    whole = ticks(page)
    drag(page, (0.3, 0.2), (0.6, 0.6))
    expect(card.locator(".zoom-reset")).to_be_visible()
    expect(page).to_have_url(re.compile(r"metrics.zoom="))
    zoomed = other_ticks(page, whole)
    page.reload()
    wait_for_lines(page, 30)
    assert ticks(page) == zoomed
    expect(card.locator(".run-line.pin-1:not(.raw)")).to_have_count(1)
    card.locator(".zoom-reset").click()
    expect(card.locator(".zoom-reset")).to_be_hidden()
    page.keyboard.down("Control")
    lines.hover(position={"x": 300, "y": 120})
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    expect(card.locator(".zoom-reset")).to_be_visible()
    lines.dblclick(position={"x": 300, "y": 120})
    expect(card.locator(".zoom-reset")).to_be_hidden()


def test_keys_alone_reach_every_run_and_the_table(chromium_page, simulated, expect):
    page = chromium_page
    page.goto(f"/sweeps/{simulated}/charts/")
    wait_for_lines(page, 30)
    card = page.locator(CARD)

    page.locator(LINES).focus()
    page.keyboard.press("ArrowDown")
    said = card.locator('[role="status"]')
    expect(said).to_have_text(re.compile(r"Run \d+, interval \d+, accuracy"))
    first = said.text_content()
    page.keyboard.press("ArrowDown")
    expect(said).not_to_have_text(first)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"pins=\d+"))
    page.keyboard.press("Escape")
    expect(card.locator(".run-line.hl")).to_have_count(0)
    page.keyboard.press("+")
    expect(card.locator(".zoom-reset")).to_be_visible()
    page.keyboard.press("0")
    expect(card.locator(".zoom-reset")).to_be_hidden()
    card.locator("summary").click()
    card.locator('[data-do="table"]').click()
    expect(card.locator("[data-table] tbody tr")).to_have_count(30)


def test_curves_that_could_not_be_read_come_by_themselves(chromium, live_studio, simulated, expect):
    context = chromium.new_context(base_url=live_studio.url)
    context.request.get(live_studio.sign_in_link(), max_redirects=0)
    page = context.new_page()
    page.route(re.compile("/curves"), lambda route: route.fulfill(status=503, body=""))
    page.goto(f"/sweeps/{simulated}/charts/")
    page.locator(CARD).scroll_into_view_if_needed()

    expect(page.locator(f"{CARD} [data-note]")).to_contain_text("This chart could not be loaded")
    page.unroute_all()
    wait_for_lines(page, 30)
    expect(page.locator(f"{CARD} [data-note]")).to_be_hidden()
    context.close()


# The page is closed before its sweep is deleted.
def test_charts_start_out_of_sight_before_a_run_has_reported(growing, chromium_page, expect):
    page = chromium_page
    page.goto(f"/sweeps/{growing(0)}/charts/")
    card = page.locator("[data-chart=scatter_3d]")
    card.scroll_into_view_if_needed()
    expect(card.locator(".is-empty .js-plotly-plot")).to_be_attached()
    expect(card.locator("[data-note]")).to_contain_text("No run")
    growing(3)

    expect(card.locator("[data-note]")).to_be_hidden()
    shown = "() => document.querySelector('[data-chart=scatter_3d] .js-plotly-plot').data"
    numbers = "(traces) => traces.flatMap((trace) => [...(trace.customdata ?? [])]).sort().join()"
    page.wait_for_function(f"() => ({numbers})(({shown})()) === '0,1,1'")


def test_zoom_and_axes_stay_while_points_arrive(growing, chromium_page, expect):
    page = chromium_page
    sweep = growing(20)
    page.goto(f"/sweeps/{sweep}/charts/")
    wait_for_lines(page, 2)
    count = f"n => document.querySelector('{LINES}').valuesOf(1).length === n"
    expect(page.locator("#live")).to_have_text("Live")
    whole = ticks(page)

    page.locator(LINES).hover(position={"x": 300, "y": 120})
    growing(30)
    page.wait_for_function(count, arg=50, timeout=30_000)
    assert ticks(page) == whole, "axes never move under the pointer"
    drag(page, (0.3, 0.2), (0.6, 0.6))
    expect(page.locator(".zoom-reset")).to_be_visible()
    zoomed = other_ticks(page, whole)
    page.mouse.move(5, 5)
    growing(10)
    page.wait_for_function(count, arg=60, timeout=30_000)
    assert ticks(page) == zoomed
    page.locator(".zoom-reset").click()
    page.mouse.move(5, 5)
    growing(1)
    page.wait_for_function(count, arg=61, timeout=30_000)

    expect(page.locator(f"{CARD} .line-axes")).to_contain_text("60")
