"""Notifications in a whole studio: a webhook made on a page, its test, the end of a real sweep."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.receivers import receiver

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCRIPT = """
from studio.sdk import Run

Run.get_context().log("accuracy", 0.75)
"""


def test_a_webhook_is_made_tested_and_told_of_a_sweep(chromium_page, live_studio, tmp_path):
    from standardwebhooks.webhooks import Webhook

    page = chromium_page
    with receiver() as web:
        page.goto("/")
        page.locator("summary.avatar").click()
        page.get_by_role("link", name="Notifications").click()
        page.get_by_role("link", name="New webhook").click()
        page.get_by_label("Name").fill("pager")
        page.get_by_label("URL").fill(web.url)
        page.get_by_role("button", name="Make the webhook").click()
        secret = page.get_by_label("Signing secret").input_value()
        page.get_by_role("link", name="Go on to its test").click()
        page.get_by_role("button", name="Send a test").click()
        row = page.locator(".deliveries > li").first
        expect(row).to_contain_text("delivered")  # without a reload
        expect(row).to_contain_text("200")

        (tmp_path / "train.py").write_text(SCRIPT)
        spec = {
            "name": "told",
            "experiment": "notifications",
            "source_directory": str(tmp_path),
            "script": "train.py",
            "search_space": {"lr": "choice(0.1)"},
            "sampling": "grid",
            "primary_metric": {"name": "accuracy", "goal": "maximize"},
            "max_total_runs": 1,
        }
        sweep = live_studio.api("/sweeps", spec)["id"]
        live_studio.wait_for_end(sweep)
        test, end = web.wait_for(2)[:2]
        for sent in (test, end):
            headers = {key.lower(): value for key, value in sent.headers.items()}
            Webhook(secret).verify(sent.body, headers)
        said = json.loads(end.body)
        assert (said["type"], said["data"]["sweep"]["id"]) == ("sweep.finished", sweep)
        assert said["data"]["url"] == f"{live_studio.url}/sweeps/{sweep}/"
        assert said["data"]["best_run"]["hyperparameters"] == {"lr": 0.1}
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("pager is deleted.")).to_be_visible()
