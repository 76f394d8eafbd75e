"""Receipts of runs that a policy stopped: on their pages, in the table, beside the charts."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse

from experiments.models import Decision, Run
from experiments.queries.receipts import receipt_of, what_if
from tests.factories import make_user
from tests.runner.simulated import BANDIT, script_of, simulate

pytestmark = pytest.mark.django_db
POLICIES = [
    BANDIT,
    {"type": "median_stopping", "delay_evaluation": 3},
    {"type": "truncation_selection", "truncation_percentage": 40, "evaluation_interval": 4},
]


def swept(policy):
    world = simulate(
        script_of(12), max_total_runs=24, max_concurrent_runs=6, early_termination=policy
    )
    return world.run()


def words(html):
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


@pytest.mark.parametrize("policy", POLICIES, ids=[p["type"] for p in POLICIES])
def test_every_stopped_run_has_a_receipt_that_a_replay_confirms(policy):
    sweep = swept(policy)
    stopped = list(Run.objects.filter(sweep=sweep, end_reason="policy").select_related("sweep"))

    assert stopped
    for run in stopped:
        receipt = receipt_of(run)
        row = Decision.objects.get(run=run)
        assert receipt.judged.reason == row.reason == run.reason
        assert (receipt.judged.interval, receipt.judged.limit) == (row.interval, row.limit)
        assert receipt.judged.source
        assert receipt.saving.completed > 0
        own = what_if(run)[0]
        assert own.is_own
        assert (own.ruling.interval, own.ruling.own, own.ruling.limit, own.ruling.reason) == (
            row.interval,
            row.own,
            row.limit,
            row.reason,
        )
    assert receipt_of(Run.objects.filter(sweep=sweep, state="Completed").first()) is None


def test_receipt_stands_on_the_page_in_the_table_and_beside_the_charts(client):
    sweep = swept(BANDIT)
    client.force_login(sweep.owner)
    run = Run.objects.filter(sweep=sweep, end_reason="policy").first()
    row = Decision.objects.get(run=run)

    page = client.get(run.get_absolute_url()).content.decode()
    card = words(page[page.index('id="receipt"') : page.index("data-what-if")])
    assert "Bandit, slack factor 0.1, every 5" in card
    assert f"report {row.interval} of accuracy" in card
    assert f"the leader, run {row.leader}" in card.replace(" ,", ",")
    assert "An estimate: the median of" in card

    other = client.get(reverse("run_what_if", args=[run.public_id]), headers={"X-Fragment": "1"})
    said = words(other.content.decode())
    assert f"this sweep stopped at {row.interval}" in said
    assert "Median stopping" in said
    assert "Truncation selection, worst 50 %" in said

    table = client.get(reverse("sweep_runs", args=[sweep.public_id])).content.decode()
    assert f'href="{run.get_absolute_url()}#receipt"' in table
    chart = client.get(reverse("chart_data", args=[sweep.public_id, "parallel_coordinates"]))
    assert chart.json()["meta"]["stops"][str(run.number)] == [row.interval, row.own, row.limit]

    whole = Run.objects.filter(sweep=sweep, state="Completed").first()
    said = words(client.get(reverse("run_what_if", args=[whole.public_id])).content.decode())
    assert "this sweep not stopped by report 12" in said
    client.force_login(make_user("stranger"))
    assert client.get(reverse("run_what_if", args=[run.public_id])).status_code == 404
