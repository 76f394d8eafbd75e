"""REST: packed curves of a sweep: windows, runs, conditional answers, who may read them."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from django.db import connection

from tests.factories import report
from tests.web.sweep_world import make_sweep_world, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


@pytest.fixture
def curves(client, world):
    client.force_login(world.alice)

    def get(query="", **headers):
        return client.get(f"/api/v1/sweeps/{world.sweep.public_id}/curves{query}", **headers)

    return get


def unpacked(array):
    return np.frombuffer(base64.b64decode(array["bdata"]), f"<{array['dtype']}")


def test_curves_of_all_runs_in_one_answer(curves, world, django_assert_max_num_queries):
    report(world.running, [0.5, float("inf")])

    with django_assert_max_num_queries(6):
        found = curves().json()

    number = world.running.number
    place = found["numbers"].index(number)
    counts = unpacked(found["counts"])
    ys = unpacked(found["ys"])[counts[:place].sum() :][: counts[place]]
    assert (found["metric"], found["x"], found["is_whole"]) == ("accuracy", "interval", True)
    assert found["reports"][place] == counts[place] == ys.size
    assert ys[-2] == 0.5
    assert np.isnan(ys[-1])


def test_run_that_begins_to_report_between_two_reads_waits_for_the_next_answer(curves, world):
    before = curves("?points=1000").json()["numbers"]
    late = start(world.sweep, Path(world.winner.directory).parent / "late", lr=0.6, layers=3)

    def in_between(execute, sql, params, many, context):
        if "metricchunk" in sql and sql.startswith("SELECT") and not late.reports:
            late.reports = 1
            report(late, [0.7])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(in_between):
        found = curves()

    assert found.status_code == 200
    assert found.json()["numbers"] == before
    assert curves().json()["numbers"] == [*before, late.number]


def test_curves_of_some_runs_metric_and_window(curves, world):
    report(world.running, [n / 100 for n in range(90)], steps=range(0, 900, 10))
    number = world.running.number

    steps = curves(f"?x=step&runs={number}&low=300&high=400").json()
    times = curves(f"?x=time&runs={number}").json()
    other = curves("?metric=none").json()

    assert steps["numbers"] == times["numbers"] == [number]
    assert np.cumsum(unpacked(steps["xs"])).tolist() == list(range(290, 420, 10))
    assert (steps["low"], steps["high"], steps["reports"]) == (300, 400, times["reports"])
    assert unpacked(times["xs"])[0] == 0
    assert len(times["begins"]) == 1
    assert other["numbers"] == []


def test_curves_that_have_not_changed_are_not_sent_again(curves, world):
    first = curves()

    again = curves(headers={"If-None-Match": first.headers["ETag"]})
    other = curves("?x=step", headers={"If-None-Match": first.headers["ETag"]})
    report(world.running, [0.1])
    changed = curves(headers={"If-None-Match": first.headers["ETag"]})

    assert [again.status_code, other.status_code, changed.status_code] == [304, 200, 200]


@pytest.mark.parametrize(
    "query", ["?x=epoch", "?points=1", "?low=nan", "?runs=a", "?runs=-1", "?runs=9" + "0" * 20]
)
def test_wrong_part_is_answered_with_the_problem(curves, query):
    answer = curves(query)

    assert answer.status_code == 422 or answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"]


def test_curves_are_not_there_for_people_outside(client, world):
    client.force_login(world.charlie)

    assert client.get(f"/api/v1/sweeps/{world.sweep.public_id}/curves").status_code == 404
