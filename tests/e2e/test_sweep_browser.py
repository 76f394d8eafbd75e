"""Charts of a sweep in a real Chromium, live and finished, fed by real workers."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

METRICS = '[data-chart="metrics"]'
PARALLEL = '[data-chart="parallel_coordinates"]'
SCATTER_3D = '[data-chart="scatter_3d"]'
# The values of a run's line as they are drawn, gaps left out.
LINE = """(number) =>
  document.querySelector('[data-chart="metrics"] .runlines')?.valuesOf(number) ?? []"""
EYE = f"() => document.querySelector('{SCATTER_3D} .plot')?._fullLayout?.scene?.camera?.eye?.x"


def wait_for_chart(page: Any, card: str) -> None:
    page.locator(card).scroll_into_view_if_needed()
    page.wait_for_function(
        "card => document.querySelector(card + ' .plot')?._fullLayout?.width", arg=card
    )


def wait_for_points(page: Any, run: int, least: int) -> None:
    page.wait_for_function(
        f"([run, least]) => ({LINE})(run).length >= least", arg=[run, least], timeout=60000
    )


def listed(page: Any) -> list[int]:
    rows = page.locator("#runlist li")
    return [int(row.get_attribute("data-run")) for row in rows.all()]


def order(page: Any) -> list[str]:
    axes = page.locator(".pc-axes .axis")
    return [axis.get_attribute("data-column") for axis in axes.all()]


def test_points_arrive_while_the_sweep_runs(chromium_page, submit, expect):
    page = chromium_page
    sweep = submit(arguments=["--reports", "60", "--pause", "0.2"])

    page.goto(f"/sweeps/{sweep}/")
    page.evaluate("window.notReloaded = true")
    expect(page.locator("#live")).to_have_text("Live", timeout=20000)
    wait_for_points(page, 0, 3)
    before = page.evaluate(LINE, 0)
    wait_for_points(page, 0, len(before) + 10)
    expect(page.locator(".runcard")).to_contain_text("Run 0")
    expect(page.locator('h1 [data-part="state"]')).to_have_text("Completed", timeout=60000)
    expect(page.locator(".banner.ok")).to_be_visible()

    assert page.evaluate("window.notReloaded")
    values = page.evaluate(LINE, 0)
    assert values[: len(before)] == before
    assert values == sorted(values)


def test_dropped_socket_comes_back_without_a_gap(chromium_page, submit, live_studio, expect):
    page = chromium_page
    sweep = submit(arguments=["--reports", "50", "--pause", "0.2"])
    sockets: list[Any] = []

    def pass_on(socket: Any) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket(re.compile("/ws/sweeps/"), pass_on)
    page.goto(f"/sweeps/{sweep}/charts/")
    wait_for_points(page, 0, 3)
    for _ in range(2):
        sockets[-1].close(code=1011)
        opened = len(sockets)
        page.wait_for_timeout(300)
        expect(page.locator("#live")).to_have_text("Live", timeout=20000)
        page.wait_for_timeout(1500)
        assert len(sockets) > opened
    wait_for_points(page, 0, 50)

    items = live_studio.api(f"/runs/{sweep}_0/metrics?name=accuracy")["items"]
    assert page.evaluate(LINE, 0) == items[0]["values"]


def test_page_polls_where_sockets_are_blocked(chromium_page, submit, expect):
    page = chromium_page
    sweep = submit(arguments=["--reports", "60", "--pause", "0.2"])
    page.route_web_socket(re.compile("/ws/sweeps/"), lambda socket: socket.close())

    page.goto(f"/sweeps/{sweep}/")
    expect(page.locator("#live")).to_have_text("Polling", timeout=30000)
    wait_for_points(page, 0, 3)
    before = len(page.evaluate(LINE, 0))
    wait_for_points(page, 0, before + 5)
    page.click("#live")

    expect(page.locator("#live")).to_have_text("Paused")


def test_brush_on_an_axis_narrows_the_list_and_all_charts(chromium_page, finished, expect):
    page = chromium_page
    page.goto(f"/sweeps/{finished}/charts/")
    expect(page.locator("#runlist li")).to_have_count(8)
    ranked = listed(page)
    wait_for_points(page, ranked[0], 1)
    page.locator(PARALLEL).scroll_into_view_if_needed()

    zone = page.locator(".axis.metric .zone").bounding_box()
    x = zone["x"] + zone["width"] / 2
    page.mouse.move(x, zone["y"] + 1)
    page.mouse.down()
    page.mouse.move(x, zone["y"] + zone["height"] * 0.4, steps=5)
    page.mouse.up()
    page.mouse.move(5, 5)
    expect(page.locator("#list-note")).to_contain_text("of 8 in range")
    inside = listed(page)

    assert 0 < len(inside) < 8
    assert inside == ranked[: len(inside)]
    page.wait_for_function(f"run => ({LINE})(run).length === 0", arg=ranked[-1])
    assert page.evaluate(LINE, ranked[0])
    page.reload()
    expect(page.locator("#list-note")).to_have_text(f"{len(inside)} of 8 in range")
    page.click("[data-clear]")
    expect(page.locator("#runlist li")).to_have_count(8)


def test_axes_are_moved_by_dragging_and_by_keys(chromium_page, finished, expect):
    page = chromium_page
    page.goto(f"/sweeps/{finished}/charts/")
    expect(page.locator(".pc-axes .axis")).to_have_count(4)

    start = page.locator('.axis[data-column="0"] .lab').bounding_box()
    goal = page.locator('.axis[data-column="2"] .lab').bounding_box()
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(goal["x"] + goal["width"] / 2, goal["y"] + 5, steps=8)
    page.mouse.up()
    assert order(page) == ["1", "2", "0", "3"]
    page.locator('.axis[data-column="1"] .lab').focus()
    page.keyboard.press("Alt+ArrowRight")
    assert order(page) == ["2", "1", "0", "3"]
    expect(page.locator('.axis[data-column="1"] .lab')).to_be_focused()

    zone = page.locator('.axis[data-column="3"] .zone')
    zone.focus()
    for _ in range(10):
        page.keyboard.press("ArrowUp")
    expect(page.locator("#list-note")).to_contain_text("of 8 in range")
    page.keyboard.press("Delete")
    expect(zone).to_have_attribute("aria-valuetext", "all values")
    page.reload()
    expect(page.locator(".pc-axes .axis")).to_have_count(4)
    assert order(page) == ["2", "1", "0", "3"]


def test_pointing_at_a_run_lights_it_up_everywhere(chromium_page, finished, expect):
    page = chromium_page
    page.goto(f"/sweeps/{finished}/charts/")
    expect(page.locator("#runlist li")).to_have_count(8)
    wait_for_points(page, 0, 1)
    row = page.locator("#runlist li").nth(2)
    run = int(row.get_attribute("data-run"))

    row.hover()
    expect(page.locator(f"{METRICS} .run-line.hl")).to_have_count(1)
    expect(page.locator("[data-inspector]")).to_contain_text(f"Run {run}")
    row.click(position={"x": 5, "y": 5})
    page.mouse.move(5, 5)

    expect(page.locator(f"{METRICS} .run-line.hl")).to_have_count(0)
    expect(page.locator(f"{METRICS} .run-line.pin-1")).to_have_count(1)
    expect(page).to_have_url(re.compile(f"pins={run}"))
    page.click("[data-unpin]")
    expect(page.locator(f"{METRICS} .run-line.pin-1")).to_have_count(0)


def test_scatter_in_three_dimensions_turns_and_keeps_the_view(chromium_page, finished, expect):
    page = chromium_page
    page.goto(f"/sweeps/{finished}/charts/")
    wait_for_chart(page, SCATTER_3D)
    page.wait_for_function(EYE)
    before = page.evaluate(EYE)
    box = page.locator(f"{SCATTER_3D} .plot").bounding_box()

    page.mouse.move(box["x"] + 120, box["y"] + 120)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 150, steps=4)
    page.mouse.up()
    page.wait_for_function(f"before => ({EYE})() !== before", arg=before)
    turned = page.evaluate(EYE)
    page.click("#theme")
    page.wait_for_timeout(500)
    assert page.evaluate(EYE) == pytest.approx(turned)
    page.locator(f'{SCATTER_3D} [data-option="z"]').select_option("__metric")

    page.wait_for_function(
        "card => document.querySelector(card).layout.scene.zaxis.title.text.startsWith('accuracy')",
        arg=f"{SCATTER_3D} .plot",
    )
    expect(page).to_have_url(re.compile("scatter_3d.z=__metric"))


def test_chart_has_a_table_and_downloads(chromium_page, finished, expect):
    page = chromium_page
    page.goto(f"/sweeps/{finished}/charts/")
    card = page.locator(PARALLEL)
    expect(card.locator("[data-plot]")).to_have_attribute("aria-label", re.compile("8 runs, best"))

    card.locator("[data-menu] summary").click()
    with page.expect_download() as csv:
        card.locator('[data-do="csv"]').click()
    card.locator("[data-menu] summary").click()
    with page.expect_download() as png:
        card.locator('[data-do="png"]').click()
    card.locator("[data-menu] summary").click()
    card.locator('[data-do="table"]').click()

    expect(card.locator("[data-table] tbody tr")).to_have_count(8)
    assert (
        csv.value.path().read_text().startswith('Run,Status,"accuracy, best",lr,momentum,layers\n')
    )
    assert png.value.path().read_bytes().startswith(b"\x89PNG")

    # The rows of this one are fetched now: of an ended sweep nobody needed them before.
    card = page.locator('[data-chart="scatter_2d"]')
    card.scroll_into_view_if_needed()
    expect(card.locator("[data-plot]")).to_have_attribute("aria-label", re.compile("8 runs, best"))
    card.locator("[data-menu] summary").click()
    card.locator('[data-do="table"]').click()
    expect(card.locator("[data-table] tbody tr")).to_have_count(8)
