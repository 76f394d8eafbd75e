"""Importance, correlation and pairs on the pages: when they are there, what they say and cost."""

from __future__ import annotations

import pytest
from django.urls import reverse

from experiments import queries
from experiments.queries import relations
from tests.factories import make_user
from tests.runner.simulated import script_of, simulate
from tests.web.sweep_world import make_sweep_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def sweep(db):
    return simulate(script_of(4), max_total_runs=40, max_concurrent_runs=8).run()


def figure(client, sweep, name, query=""):
    answer = client.get(reverse("chart_data", args=[sweep.public_id, name]) + query)
    assert answer.status_code == 200
    return answer.json()


def test_charts_of_parameters_name_method_runs_and_interval(client, sweep):
    client.force_login(sweep.owner)

    found = figure(client, sweep, "importance")

    rows = found["meta"]["table"]["rows"]
    # The quality of a run is mostly its width.
    assert [row[0] for row in rows] == ["width", "depth"]
    assert all(low <= share <= high for _, share, low, high in rows)
    caption = found["meta"]["caption"]
    assert caption.startswith(
        "Permutation importance of a random forest on ranks of accuracy, best;"
    )
    assert "40 ended runs" in caption
    assert "of the spread in rank of runs left out" in caption
    assert found["meta"]["summary"].startswith("width matters most, with ")

    rows = figure(client, sweep, "correlation", "?reading=last")["meta"]["table"]["rows"]

    assert [(row[0], row[1], row[5]) for row in rows] == [
        ("width", "Spearman", 40),
        ("depth", "Spearman", 40),
    ]
    assert all(row[3] <= row[2] <= row[4] for row in rows)

    found = figure(client, sweep, "matrix")

    columns = found["meta"]["table"]["columns"]
    rows = found["meta"]["table"]["rows"]
    assert columns == [
        "Parameter",
        "Part",
        "Parameter 2",
        "Part 2",
        "Median accuracy, best",
        "Runs",
    ]
    assert sum(row[5] for row in rows if row[0] == "width" and row[2] == "") == 40
    assert sum(row[5] for row in rows if row[2] == "depth") == 40
    assert [block[0] for block in found["data"][0]["meta"]] == ["width", "depth"]


def test_few_runs_say_what_they_wait_for(client, tmp_path):
    world = make_sweep_world(tmp_path)
    client.force_login(world.alice)

    found = figure(client, world.sweep, "importance")

    assert found["meta"]["is_empty"] is True
    assert found["meta"]["note"] == "Needs 20 ended runs with a value; there are 2."


def test_relations_are_worked_out_once_for_the_cards_of_both_pages(client, sweep, monkeypatch):
    client.force_login(sweep.owner)
    asked = []
    real = relations.relate
    monkeypatch.setattr(relations, "relate", lambda *a, **k: asked.append(1) or real(*a, **k))

    for name in ("importance", "correlation", "importance"):
        figure(client, sweep, name)

    assert len(asked) == 1

    overview = client.get(reverse("sweep", args=[sweep.public_id])).content.decode()
    charts = client.get(reverse("sweep_charts", args=[sweep.public_id])).content.decode()

    assert 'data-chart="importance"' in overview
    for name in ("importance", "correlation", "matrix", "equal_budget", "model_slice"):
        assert f'data-chart="{name}"' in charts
    assert queries.model_need(sweep).is_offered  # slices and surfaces for any sweep of twenty
    client.force_login(make_user("stranger"))
    answer = client.get(reverse("chart_data", args=[sweep.public_id, "importance"]))
    assert answer.status_code == 404
