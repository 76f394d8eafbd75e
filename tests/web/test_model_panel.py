"""The model on the charts page: when it is offered, who may see it, what it costs."""

from __future__ import annotations

import pickle
import random

import pytest
from django.urls import reverse
from django.utils import timezone

from experiments.model_process import Models
from experiments.models import Run, Sweep
from tests.factories import make_sweep, make_user, make_workspace

pytestmark = pytest.mark.django_db
NAMES = ("model_slice", "model_surface", "model_check")
every_name = pytest.mark.parametrize("name", NAMES)


def filled(count: int, sampling: str = "random", **spec) -> Sweep:
    """Make a sweep of `count` completed runs."""
    sweep = make_sweep(
        sampling=sampling,
        search_space={"lr": "uniform(0.0, 1.0)", "layers": "choice(1, 2, 3)"},
        max_total_runs=1000,
        **spec,
    )
    add_runs(sweep, count)
    return sweep


def add_runs(sweep: Sweep, count: int, state: str = "Completed") -> None:
    start, rng = sweep.runs.count(), random.Random(3)
    rows = []
    for number in range(start, start + count):
        params = {"lr": rng.random(), "layers": rng.choice([1, 2, 3])}
        rows.append(
            Run(
                public_id=f"{sweep.public_id}_{number}",
                sweep=sweep,
                number=number,
                params=params,
                state=state,
                end_reason="finished" if state == "Completed" else "",
                ended_at=timezone.now() if state == "Completed" else None,
                best_value=1 - (params["lr"] - 0.4) ** 2,
            )
        )
    Run.objects.bulk_create(rows)
    best = max(sweep.runs.all(), key=lambda run: run.best_value)
    sweep.cursor += 1
    sweep.best_run, sweep.best_value = best, best.best_value
    sweep.save(update_fields=["cursor", "best_run", "best_value"])


def figure(client, sweep: Sweep, name: str, query: str = ""):
    return client.get(reverse("chart_data", args=[sweep.public_id, name]) + query)


def charts_page(client, sweep: Sweep) -> str:
    return client.get(reverse("sweep_charts", args=[sweep.public_id])).content.decode()


@pytest.fixture
def signed_in(client):
    client.force_login(make_user())
    return client


@pytest.mark.parametrize(
    ("sampling", "count", "is_offered", "said"),
    [
        ("random", 19, False, "needs 20 ended runs with a value; there are 19 so far."),
        ("random", 20, True, "learned of accuracy from 20 ended runs."),
        ("sobol", 20, True, "learned of accuracy from 20 ended runs."),
        ("bayesian", 0, True, "needs 5 ended runs with a value; there are none so far."),
        ("bayesian", 1, True, "there is 1 so far."),
        ("bayesian", 5, True, "learned of accuracy from 5 ended runs."),
    ],
)
def test_page_offers_the_model_when_there_is_enough(signed_in, sampling, count, is_offered, said):
    sweep = filled(count, sampling) if count else make_sweep(sampling=sampling)

    page = charts_page(signed_in, sweep)

    assert said in page
    assert [f'data-chart="{name}"' in page for name in NAMES] == [is_offered] * 3


@every_name
def test_figure_comes_with_a_model(signed_in, name):
    found = figure(signed_in, filled(25), name).json()

    assert found["meta"]["is_empty"] is False
    assert found["meta"]["table"]["rows"]


@every_name
def test_figure_without_enough_runs_says_so(signed_in, name):
    meta = figure(signed_in, filled(3, "bayesian"), name).json()["meta"]

    assert meta["is_empty"] is True
    assert meta["note"] == (
        "A model of accuracy needs 5 ended runs with a value; there are 3 so far."
    )


@every_name
def test_model_is_not_there_for_people_of_another_workspace(client, name):
    sweep = filled(25)
    stranger = make_user("mallory")
    make_workspace(stranger, name="Elsewhere")
    client.force_login(stranger)

    assert figure(client, sweep, name).status_code == 404


@every_name
def test_queries_do_not_grow_with_the_runs(signed_in, name, django_assert_num_queries):
    few, many = filled(25, name="few"), filled(200, name="many")

    with django_assert_num_queries(5):
        figure(signed_in, few, name)
    with django_assert_num_queries(5):
        figure(signed_in, many, name)
    with django_assert_num_queries(3):
        figure(signed_in, many, name)


def test_charts_of_one_page_share_one_model_until_a_run_ends(signed_in, monkeypatch):
    learned: set[bytes] = set()
    ask = Models.ask
    monkeypatch.setattr(
        Models, "ask", lambda self, of, *q: learned.add(pickle.dumps(of)) or ask(self, of, *q)
    )
    sweep = filled(25)
    for name in NAMES:
        figure(signed_in, sweep, name)
    figure(signed_in, sweep, "model_slice", "?x=layers")
    assert len(learned) == 1

    add_runs(sweep, 1, state="Running")
    figure(signed_in, sweep, "model_check")
    assert len(learned) == 1

    add_runs(sweep, 1)
    figure(signed_in, sweep, "model_check")
    assert len(learned) == 2


@pytest.mark.parametrize("query", ["?x=nothing", "?y=__metric", "?show=all", "?z=lr"])
def test_wrong_options_are_answered_with_the_problem(signed_in, query):
    answer = figure(signed_in, filled(25), "model_surface", query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == query[1:].partition("=")[0]
