"""Administration and API docs in a real browser: nothing on the console, lists that work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.axe import OF_THEMES, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LiveStudio

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PAGES = [
    "/admin/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/experiments/workspace/",
    "/admin/experiments/workspace/1/change/",
    "/admin/experiments/membership/",
    "/admin/experiments/sweep/",
    "/admin/experiments/run/",
    "/admin/experiments/event/",
    "/admin/experiments/computetarget/",
    "/admin/experiments/computetarget/1/change/",
    "/admin/experiments/worker/",
    "/admin/experiments/apitoken/",
    "/admin/experiments/auditentry/",
    "/admin/experiments/sweep/?q=nothing+is+called+so",
    "/admin/django_rq/dashboard/",
    "/admin/django_rq/dashboard/queues/0/",
    "/admin/django_rq/dashboard/queues/0/failed/",
    "/admin/django_rq/dashboard/queues/0/details/",
    "/admin/django_rq/dashboard/workers/0/",
    "/api/v1/docs",
]
# A job that a worker gives up, and where it is seen.
_FAILED_JOB = """
import time, django; django.setup()
from experiments.admin_queues import queue_indexes
from experiments.models import ComputeTarget
from experiments.services.dispatch import get_queue
queue = get_queue(ComputeTarget.objects.get(name="local").queue_name)
job = queue.enqueue("runner.jobs.no_such_function", "x" * 60, depth=2)
while not job.get_status(refresh=True) == "failed":
    time.sleep(0.1)
print(f"/admin/django_rq/dashboard/queues/{queue_indexes()[queue.name]}/{job.id}/")
"""
# Of every kind of page one that has all of what such pages have: names, links in text, tables.
KINDS = [
    "/admin/auth/user/",
    "/admin/auth/user/1/change/",
    "/admin/auth/user/add/",
    "/admin/django_rq/dashboard/",
    "/admin/experiments/auditentry/",
    "/admin/experiments/computetarget/add/",
    "/admin/experiments/membership/",
    "/admin/experiments/membership/add/",
    "/admin/experiments/sitesettings/1/change/",
    "/admin/experiments/workspace/1/change/",
    "/admin/experiments/workspace/1/delete/",
    "/admin/experiments/workspace/1/history/",
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_open_with_a_quiet_console(chromium_page: Page, theme: str) -> None:
    chromium_page.emulate_media(color_scheme=theme)  # type: ignore[arg-type] # one of its two words

    for address in PAGES:
        response = chromium_page.goto(address)
        assert response is not None
        assert response.status == 200, address
        assert chromium_page.locator("h1").first.is_visible(), address


@pytest.mark.parametrize("address", KINDS)
def test_pages_of_every_kind_are_accessible(chromium_page: Page, address: str) -> None:
    chromium_page.emulate_media(color_scheme="light")
    chromium_page.goto(address)
    assert violations(chromium_page) == []
    assert chromium_page.locator("h1").count() == 1

    chromium_page.emulate_media(color_scheme="dark")
    chromium_page.wait_for_timeout(400)  # Django's own pages fade from one colour to the other
    assert violations(chromium_page, rules=OF_THEMES) == []

    chromium_page.set_viewport_size({"width": 390, "height": 844})
    assert chromium_page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_box_to_choose_from_is_named_as_its_field(chromium_page: Page) -> None:
    chromium_page.goto("/admin/experiments/membership/add/")
    chromium_page.get_by_role("combobox", name="Workspace").click()
    chromium_page.get_by_role("searchbox", name="Search").fill("Default")
    chromium_page.get_by_role("option", name="Default").click()

    # The name says what is chosen as well.
    chromium_page.get_by_role("combobox", name="Workspace: Default").wait_for()


def test_a_failed_job_shows_its_traceback(chromium_page: Page, live_studio: LiveStudio) -> None:
    chromium_page.goto(live_studio.run_python(_FAILED_JOB).splitlines()[-1])

    assert "AttributeError" in chromium_page.locator("pre").inner_text()
    assert violations(chromium_page) == []
    chromium_page.set_viewport_size({"width": 390, "height": 844})
    assert chromium_page.evaluate("document.documentElement.scrollWidth") <= 390

    chromium_page.get_by_role("link", name="Failed").click()
    assert chromium_page.locator("h1").inner_text().startswith("Job ")


def test_the_dashboard_tells_of_the_studio_and_fits_a_phone(chromium_page: Page) -> None:
    chromium_page.set_viewport_size({"width": 390, "height": 844})
    chromium_page.goto("/admin/")

    health = chromium_page.locator("[data-part=health]")
    assert health.get_by_role("heading", name="Scheduler").is_visible()
    assert chromium_page.locator(".part-failed").count() == 0
    assert chromium_page.evaluate("document.documentElement.scrollWidth") <= 390
    # Its parts are the same when they are fetched again.
    names = "[...document.querySelectorAll('[data-part]')].map((part) => part.dataset.part)"
    again = chromium_page.evaluate(
        """async () => {
            const answer = await fetch('/admin/', {headers: {'X-Fragment': '1'}});
            const holder = document.createElement('template');
            holder.innerHTML = await answer.text();
            return [...holder.content.querySelectorAll('[data-part]')].map((p) => p.dataset.part);
        }"""
    )
    assert sorted(again) == sorted(chromium_page.evaluate(names))


def test_docs_lead_from_an_operation_to_its_schema(chromium_page: Page) -> None:
    chromium_page.goto("/api/v1/docs")
    operation = chromium_page.locator("details", has=chromium_page.locator("#submit_sweep"))
    assert not chromium_page.locator("#schema-SweepSpec").is_visible()

    operation.locator("summary").click()
    operation.get_by_role("link", name="SweepSpec").first.click()

    chromium_page.wait_for_url("**#schema-SweepSpec")
    chromium_page.locator("#schema-SweepSpec").wait_for(state="visible")


def test_worker_is_chosen_and_kept(chromium_page: Page, live_studio: LiveStudio) -> None:
    chromium_page.goto("/admin/experiments/worker/")
    chromium_page.locator("#action-toggle").check()
    assert "2 of 2 selected" in chromium_page.locator(".action-counter").inner_text()

    chromium_page.locator("select[name=action]").select_option("forget")
    chromium_page.get_by_role("button", name="Run").or_(
        chromium_page.get_by_role("button", name="Go")
    ).first.click()
    # The page that asks names them, and does it when told to.
    assert chromium_page.locator(".chosen li").count() == 2
    chromium_page.get_by_role("button", name="Forget").click()

    assert chromium_page.locator(".messagelist").inner_text() == (
        "2 selected workers are alive and kept."
    )
    assert len(live_studio.api("/compute")["items"][0]["workers"]) == 2
