"""Best, last, at a step: pages, table, charts, files and REST say the same value, and which."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.models import Run
from experiments.services.access import make_api_token
from tests.factories import make_sweep, make_user, report
from tests.web.api_world import assert_problem, call
from tests.web.sweep_world import make_sweep_world, many_runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    made = make_sweep_world(tmp_path)
    many_runs(made.sweep, [0.85])  # best by its last value; run 0 had 0.9 and ended with 0.8
    return made


@pytest.fixture
def page(client, world):
    client.force_login(world.alice)

    def get(name, query=""):
        answer = client.get(reverse(name, args=[world.sweep.public_id]) + query)
        assert answer.status_code == 200
        return answer.getvalue().decode()

    return get


def rows(html):
    return [int(n) for n in re.findall(r'<tr data-id="[^"]+" data-run="(\d+)"', html)]


def figure(client, world, name, query):
    answer = client.get(reverse("chart_data", args=[world.sweep.public_id, name]) + query)
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize(
    ("query", "label", "order"),
    [
        ("", "best", [0, 5, 3, 1]),
        ("&reading=last", "last", [5, 0, 3, 1]),
        ("&reading=step:2", "at step 2", [0, 3, 1]),
        ("&reading=step&step=3", "at step 3", [0]),
    ],
)
def test_table_is_sorted_by_the_server_and_labelled(page, query, label, order):
    html = page("sweep_runs", f"?sort=best&dir=desc{query}")

    assert f"accuracy ↑ {label}" in html
    assert rows(html)[: len(order)] == order
    # Runs without such a value come last, by number.
    assert rows(html)[len(order) :] == sorted(set(range(6)) - set(order))
    best = re.search(r'<tr[^>]*data-run="(\d+)"[^>]*class="isbest"', html)
    assert int(best[1]) == order[0]


def test_ascending_order_and_pages_hold_as_well(client, world, page):
    many_runs(world.sweep, [n / 100 for n in range(60)])

    first = rows(page("sweep_runs", "?sort=best&reading=last"))
    second = rows(page("sweep_runs", "?sort=best&reading=last&offset=50"))

    assert len(first) == 50
    assert len(second) == 16
    values = dict(Run.objects.filter(sweep=world.sweep).values_list("number", "last_value"))
    known = [values[n] for n in [*first, *second] if values[n] is not None]
    assert known == sorted(known)


def test_overview_says_which_run_and_what_stays(page):
    html = page("sweep", "?reading=last")

    assert "Best run, last" in html
    card = html[html.index('data-part="best"') :][:1500]
    assert "Run 5" in card
    assert "0.8500" in card
    assert "The end of the sweep and its best model go by the best value" in html
    assert 'aria-current="true" title="The last report of a run">last' in html


def test_runs_without_a_value_at_that_step_are_counted(page):
    html = page("sweep", "?reading=step:3")

    # Of the four runs with values, only run 0 made three reports.
    assert "3 of 6 runs have no value at step 3." in html


def test_wrong_reading_is_said_and_the_best_is_shown(client, world, page):
    html = page("sweep_runs", "?reading=worst")

    assert "reading is &#x27;worst&#x27;; use best, last or a step like step:20." in html
    assert "accuracy ↑ best" in html
    wrong = client.get(
        reverse("chart_data", args=[world.sweep.public_id, "best_so_far"]) + "?reading=worst"
    )
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["path"] == "reading"


def test_tabs_and_links_of_the_table_keep_the_reading(page):
    html = page("sweep_runs", "?reading=step:2&q=number%3C4")

    for tab in ("sweep", "sweep_charts"):
        assert re.search(
            rf'href="[^"]*/{"charts/" if tab == "sweep_charts" else ""}\?reading=step:2"', html
        )
    assert "reading=step%3A2" in html  # heads of columns, pages, export
    assert '<input type="hidden" name="q" value="number&lt;4">' in html


def test_charts_take_the_reading_for_values_best_and_words(client, world, page):
    page("sweep")
    by_best = figure(client, world, "best_so_far", "")
    by_last = figure(client, world, "best_so_far", "?reading=last")
    at_three = figure(client, world, "best_so_far", "?reading=step:3")

    assert by_best["meta"]["best_run"] == 0
    assert by_last["meta"]["best_run"] == 5
    assert by_last["meta"]["table"]["columns"][2] == "accuracy, last"
    assert by_last["layout"]["yaxis"]["title"]["text"] == "accuracy ↑ last"
    assert "3 without a value at step 3" in at_three["meta"]["caption"]
    assert [row[2] for row in at_three["meta"]["table"]["rows"]] == [
        0.8,
        None,
        None,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("query", "key", "values"),
    [
        ("", "best", ["0.9", "0.2", "", "0.45", "", "0.85"]),
        ("&reading=last", "last", ["0.8", "0.2", "", "0.45", "", "0.85"]),
        ("&reading=step:2", "step:2", ["0.9", "0.2", "", "0.45", "", ""]),
    ],
)
def test_file_says_which_value_it_has(page, query, key, values):
    found = list(csv.DictReader(io.StringIO(page("sweep_runs", f"?format=csv{query}"))))

    assert [row["value"] for row in found] == values
    assert {row["reading"] for row in found} == {key}
    assert [row["accuracy"] for row in found][:2] == ["0.9", "0.2"]


def test_steps_of_the_script_come_before_numbers_of_reports(client):
    alice = make_user("alice")
    sweep = make_sweep(owner=alice)
    many_runs(sweep, [0.1])
    run = Run.objects.get(sweep=sweep, number=0)
    Run.objects.filter(pk=run.pk).update(state="Running", ended_at=None, end_reason="")
    report(run, [0.2, 0.3, 0.4], steps=[100, 200, 300])
    client.force_login(alice)

    answer = client.get(
        reverse("sweep_runs", args=[sweep.public_id]) + "?format=csv&reading=step:250"
    )

    assert next(csv.DictReader(io.StringIO(answer.getvalue().decode())))["value"] == "0.3"


def test_reading_costs_few_queries_whatever_the_runs(client, world):
    client.force_login(world.alice)
    url = reverse("sweep", args=[world.sweep.public_id])
    client.get(url)
    with CaptureQueriesContext(connection) as best:
        client.get(url)
    many_runs(world.sweep, [0.1, 0.2, 0.3])
    client.get(url)  # what has ended is looked through once
    with CaptureQueriesContext(connection) as at_step:
        client.get(f"{url}?reading=step:1")

    assert len(at_step) - len(best) <= 3


def test_rest_says_the_reading_and_the_value_of_each_run(world):
    token = make_api_token(world.alice, name="reader", scope="read")[1]
    path = f"/sweeps/{world.sweep.public_id}/runs"

    best = call("GET", path, token=token).json()
    step = call("GET", f"{path}?reading=step:2&limit=2", token=token).json()

    assert (best["reading"], best["items"][0]["value"]) == ("best", 0.9)
    assert (step["reading"], [run["value"] for run in step["items"]]) == ("step:2", [0.9, 0.2])
    winner = call("GET", f"{path[:-5]}/best-run?reading=last", token=token).json()
    assert (winner["number"], winner["value"], winner["reading"]) == (5, 0.85, "last")
    wrong = call("GET", f"{path}?reading=worst", token=token)
    assert [problem["path"] for problem in assert_problem(wrong, 422)] == ["reading"]
