"""All runs at one budget over HTTP: ranking, final top, delay, what is refused, whose it is."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from tests.factories import make_user, make_workspace, report
from tests.runner.simulated import BANDIT, script_of, simulate
from tests.web.sweep_world import make_sweep_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def sweep(db):
    world = simulate(
        script_of(12), max_total_runs=30, max_concurrent_runs=6, early_termination=BANDIT
    )
    return world.run()


def page(client, address):
    return client.get(address).content.decode()


def ask(client, sweep, query="", **headers):
    return client.get(reverse("equal_budget", args=[sweep.public_id]) + query, headers=headers)


def test_answer_has_ranking_final_top_delay_and_figure(client, sweep):
    client.force_login(sweep.owner)

    found = json.loads(ask(client, sweep, "?budget=3&top=3").content, parse_constant=pytest.fail)

    meta = found["meta"]
    assert meta["budget"] == {
        "by": "reports",
        "value": 3.0,
        "text": "3 reports",
        "largest": 12.0,
        "top": 3,
    }
    ranks = [rank for _, rank, *_ in meta["standing"]["ranking"]]
    assert ranks == list(range(1, 11))
    values = [value for *_, value, _, _ in meta["standing"]["ranking"]]
    assert values == sorted(values, reverse=True)
    final = meta["standing"]["final"]
    assert [row[1] for row in final] == [1, 2, 3]
    assert final[0][0] == sweep.best_run.number
    assert "the final top 3" in meta["advice"]["sentence"]
    assert found["data"][1]["name"] == "rank correlation"
    assert len(meta["table"]["rows"]) == 12


def test_wrong_questions_strangers_time_and_answers_that_are_known(client, sweep):
    client.force_login(sweep.owner)
    for query, path, said in (
        ("?by=dollars", "by", "by is 'dollars'; use reports or seconds."),
        ("?top=4", "top", "top is '4'; use one of 1, 3, 5, 10."),
        ("?budget=-1", "budget", "budget is '-1'; use a number above 0."),
        ("?budget=nan", "budget", "budget is 'nan'; use a number above 0."),
        ("?runs=3", "runs", "There is no option 'runs'; use by, budget, top."),
    ):
        answer = ask(client, sweep, query)
        assert answer.status_code == 400
        assert answer.json()["errors"] == [{"path": path, "message": said}]

    by_time = ask(client, sweep, "?by=seconds&budget=60").json()["meta"]
    assert by_time["budget"]["text"] == "1 min"
    assert 200 < by_time["budget"]["largest"] < 300
    assert by_time["standing"]["compared"] > 10
    columns = ask(client, sweep, "?by=seconds").json()["meta"]["table"]["columns"]
    assert columns[0] == "Seconds since the start of the run"

    first = ask(client, sweep)
    assert ask(client, sweep, **{"If-None-Match": first.headers["ETag"]}).status_code == 304
    client.force_login(make_user("stranger"))
    assert ask(client, sweep).status_code == 404


def test_delay_fills_the_form_where_a_policy_goes_with_the_sampling(client, sweep):
    client.force_login(sweep.owner)
    address = f"{reverse('sweep_new')}?delayed={sweep.public_id}&delay="
    charts = reverse("sweep_charts", args=[sweep.public_id])

    assert f'data-form="{reverse("sweep_new")}?delayed={sweep.public_id}"' in page(client, charts)
    form = page(client, address + "7")
    assert "judged from report 7 on." in form
    assert re.search(r'name="policy-bandit-delay_evaluation" value="7"', form)
    assert re.search(r'name="policy" value="bandit" checked', form)
    sweep.spec["early_termination"] = None
    sweep.save()
    assert re.search(r'name="policy" value="median_stopping" checked', page(client, address + "7"))
    for wrong in ("", "0", "-1", "x", "²", "9" * 9):
        assert client.get(address + wrong).status_code == 404
    sweep.spec["sampling"] = {"type": "bayesian"}
    sweep.save()
    assert client.get(address + "7").status_code == 404
    assert "data-form=" not in page(client, charts)
    stranger = make_user("stranger")
    make_workspace(stranger, name="Others")
    client.force_login(stranger)
    assert client.get(address + "7").status_code == 404


def test_live_sweep_counts_who_is_not_there_yet(client, tmp_path):
    world = make_sweep_world(tmp_path)
    client.force_login(world.alice)

    before = ask(client, world.sweep, "?budget=3").json()["meta"]
    report(world.running, [0.5])
    world.sweep.refresh_from_db()
    after = ask(client, world.sweep, "?budget=3").json()["meta"]

    said = "1 run compared at 3 reports; 1 ended before without completing, 1 not there yet."
    assert before["standing"]["words"] == said
    assert after["standing"]["compared"] == 2
    assert before["advice"]["sentence"] == "Advice needs 6 completed runs with a value."
