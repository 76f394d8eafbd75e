"""Figures as JSON: options are checked, nothing is sent twice, they are right by their cursor."""

import gzip
import json

import pytest
from django.urls import reverse

from experiments.charts import CHARTS, load_chart
from tests.factories import report
from tests.web.sweep_world import make_sweep_world, many_runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


@pytest.fixture
def figure(client, world):
    client.force_login(world.alice)

    def get(name, query="", **headers):
        url = reverse("chart_data", args=[world.sweep.public_id, name])
        return client.get(url + query, **headers)

    return get


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_figure_has_data_words_and_the_cursor_of_its_sweep(figure, world, name):
    answer = figure(name)
    found = json.loads(answer.content, parse_constant=pytest.fail)

    assert answer.headers["Content-Type"] == "application/json"
    assert found["cursor"] == world.sweep.cursor
    assert found["meta"]["chart"] == name
    if load_chart(name).draws_runs:
        assert found["meta"]["summary"].startswith("5 runs, best accuracy 0.9")
        assert len(found["meta"]["table"]["rows"]) == 5


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_figure_is_not_there_for_people_outside(client, world, name):
    client.force_login(world.charlie)

    url = reverse("chart_data", args=[world.sweep.public_id, name])

    assert client.get(url).status_code == 404


def test_unknown_chart_is_not_found(figure):
    assert figure("pie").status_code == 404


@pytest.mark.parametrize(
    ("name", "query", "path", "said"),
    [
        ("scatter_2d", "?x=nothing", "x", "x is 'nothing'; use one of lr, layers, __metric."),
        ("scatter_2d", "?colour=red", "colour", "scatter_2d has no option 'colour'"),
        ("metrics", "?metric=bleu", "metric", "metric is 'bleu'; use one of accuracy, loss <b>."),
        ("metrics", "?x=epochs", "x", "x is 'epochs'; use one of interval, step, time."),
        ("parallel_coordinates", "?x=lr", "x", "parallel_coordinates has no option 'x'"),
    ],
)
def test_wrong_option_is_answered_with_the_problem(figure, name, query, path, said):
    answer = figure(name, query)

    problem = answer.json()
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["path"] for error in problem["errors"]] == [path]
    assert said in problem["detail"]


def test_options_change_the_figure(figure):
    found = figure("scatter_2d", "?x=layers&y=__metric").json()

    chosen = {option["name"]: option["value"] for option in found["meta"]["options"]}
    assert chosen == {"x": "layers", "y": "__metric"}


def test_rows_of_the_table_stay_away_where_they_are_not_wanted(figure):
    whole, bare = (figure("scatter_2d", query).json() for query in ("", "?rows=0"))

    table = whole["meta"]["table"]
    assert len(table["rows"]) == 5
    assert bare["meta"]["table"] == {**table, "rows": []}
    assert bare["data"] == whole["data"]


def test_any_logged_metric_can_be_drawn(figure):
    found = figure("metrics", "?metric=loss <b>").json()

    options = {option["name"]: option for option in found["meta"]["options"]}
    assert options["metric"]["choices"] == [["accuracy", "accuracy"], ["loss <b>", "loss <b>"]]
    assert found["meta"]["goal"] == ""


def test_unchanged_figure_is_not_sent_again(figure, world):
    first = figure("metrics")
    etag = first.headers["ETag"]

    again = figure("metrics", headers={"If-None-Match": etag})
    other = figure("metrics", "?range=full", headers={"If-None-Match": etag})
    report(world.running, [0.5])
    changed = figure("metrics", headers={"If-None-Match": etag})

    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert (other.status_code, changed.status_code) == (200, 200)
    assert changed.json()["cursor"] > first.json()["cursor"]


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_number_of_queries_does_not_grow_with_the_runs(
    figure, world, name, django_assert_max_num_queries
):
    many_runs(world.sweep, [0.11, 0.12, 0.13, 0.14, 0.15])

    with django_assert_max_num_queries(12):
        figure(name)


def test_a_figure_is_made_once_for_all_who_look(client, figure, world, django_assert_num_queries):
    first = figure("metrics")
    client.force_login(world.charlie)
    assert figure("metrics").status_code == 404
    client.force_login(world.bob)
    figure("scatter_2d")
    assert first.headers["Vary"] == "Accept-Encoding, Cookie"

    with django_assert_num_queries(3):  # session, person, sweep
        again = figure("metrics", headers={"Accept-Encoding": "gzip"})
    report(world.running, [0.5])
    newer = figure("metrics")

    assert again.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(again.content) == first.content
    assert again.headers["ETag"] == first.headers["ETag"]
    assert newer.json()["cursor"] > first.json()["cursor"]
    assert figure("metrics", "?x=step").json()["meta"]["x"] == "step"
