"""Filters and orders of runs as queries: numbers, texts, nothing, NaN, names with signs in them."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments import clock
from experiments.models import Run
from experiments.queries.run_table import RunChoice, columns_of, every_row, run_rows
from experiments.run_filter import parse_filter
from experiments.services.outcome import RunOutcome
from experiments.services.run_marks import change_marks
from experiments.services.runs import finish_run
from tests.factories import make_run, make_running_run, make_sweep, report

pytestmark = pytest.mark.django_db
SPACE = {
    "lr": "uniform(0, 1)",
    "batch": "choice(16, 32, '32', 320)",
    "opt": "choice('adam', 'adamw', 'true')",
    "number": "uniform(0, 9)",
    "a.b\"c'é%s": "choice(1, 2)",
    "0": "choice('x', 'y')",
}


@pytest.fixture
def sweep():
    """Five runs whose values differ in every way that a column can."""
    sweep = make_sweep(max_concurrent_runs=5, max_total_runs=5, search_space=SPACE)
    odd = "a.b\"c'é%s"
    values = [
        {"lr": 0.001, "batch": 32, "opt": "adam", "number": 1, odd: 1, "0": "x"},
        {"lr": 0.02, "batch": "32", "opt": "adamw", "number": 2, odd: 2, "0": "y"},
        {"lr": 0.3, "batch": 320, "opt": True, "number": 3, odd: 1, "0": "x"},
        {"lr": "auto", "batch": 16, "opt": ["adam", 1], "number": 4, odd: 2, "0": "y"},
    ]
    runs = [make_running_run(sweep, **value) for value in values]
    make_run(sweep, lr=None)
    report(runs[0], [0.5, 0.9])
    report(runs[1], [0.4, math.nan])
    report(runs[2], [0.95])
    report(runs[0], [3.0, 1.0, 2.0], name="loss <b>")
    report(runs[2], [0.5, math.nan], name="loss <b>")
    change_marks(runs[0], tags={"base": None, "team": "Vision"}, removed_tags=[], properties={})
    change_marks(runs[1], tags={"1": "x=y", 'ü"': "q"}, removed_tags=[], properties={"sha": "abc"})
    finish_run(runs[1].pk, runs[1].fence, RunOutcome(exit_code=1, error_line="CUDA out of memory"))
    now = clock.now()
    Run.objects.filter(pk=runs[0].pk).update(started_at=now - timedelta(hours=2))
    Run.objects.filter(pk=runs[1].pk).update(created_at=now - timedelta(days=3))
    return sweep


def numbers(sweep, text="", *, sort="", descending=False):
    columns = columns_of(sweep)
    choice = RunChoice(
        conditions=parse_filter(text, columns), sort=columns.find(sort), descending=descending
    )
    return [row.number for row in run_rows(sweep, choice).items]


def test_filters_find_the_runs(sweep):
    expected = {
        "": [0, 1, 2, 3, 4],
        "lr<0.1": [0, 1],
        "lr>0.01": [1, 2],
        "lr:0.001..0.02": [0, 1],
        "-lr<0.1": [2, 3, 4],
        "lr=auto": [3],
        "lr:AU": [3],
        "lr:none": [4],
        "lr:any": [0, 1, 2, 3],
        "batch=32": [0, 1],
        "batch:32": [0, 1],
        "batch!=32": [2, 3, 4],
        "batch:16,320": [2, 3],
        "batch>=32": [0, 2],
        "opt=adam": [0],
        "opt:adam": [0, 1, 3],
        "opt=true": [2],
        "params.number>2": [2, 3],
        "number>2": [3, 4],
        "run:0..1 -run:1": [0],
        "0=x": [0, 2],
        '"a.b\\"c\'é%s"=2': [1, 3],
        "accuracy>0.6": [0, 2],
        "accuracy:nan": [1],
        "accuracy:none": [3, 4],
        "-accuracy>0.6": [1, 3, 4],
        "last:none": [1, 3, 4],
        '"loss <b>"<2.5': [0],
        '"loss <b>.min"<0.9': [2],
        '"loss <b>":nan': [2],
        '"loss <b>":none': [1, 2, 3, 4],
        "tag:base": [0],
        "tag:team=Vision": [0],
        "tags.team:vis": [0],
        "tags.base:any": [0],
        "-tags.base:any": [1, 2, 3, 4],
        '"tags.ü\\"":any': [1],
        'tag:"ü\\"=q"': [1],
        "tags.1=x=y": [1],
        "tag:any": [0, 1],
        "tag:none status:running": [2, 3],
        "property:sha": [1],
        "properties.sha=abc": [1],
        "status:failed": [1],
        "status:queued,failed": [1, 4],
        "status:active": [0, 2, 3, 4],
        "-status:ended": [0, 2, 3, 4],
        "duration>1h": [0],
        "duration:none": [4],
        "created<-1d": [1],
        "created:-1h": [0, 2, 3, 4],
        "created:today -created:today": [],
        "exit_code=1": [1],
        "reason:cuda": [1],
        "reason:none": [0, 2, 3, 4],
        "origin:sampler": [0, 1, 2, 3, 4],
        "memory": [1],
        "-memory": [0, 2, 3, 4],
        "3": [3],
        "99999999999999999999999": [],
        "number<1e300": [0, 1, 2, 3, 4],
        "'; DROP": [],
    }
    found = {text: numbers(sweep, text) for text in expected}

    assert found == expected


@pytest.mark.parametrize(
    ("sort", "up", "down"),
    [
        ("lr", [0, 1, 2, 3, 4], [2, 1, 0, 3, 4]),
        ("batch", [3, 0, 2, 1, 4], [2, 0, 3, 1, 4]),
        ("loss <b>", [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ("loss <b>.min", [2, 0, 1, 3, 4], [0, 2, 1, 3, 4]),
        ("best", [1, 0, 2, 3, 4], [2, 0, 1, 3, 4]),
        ("tags.team", [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ("params.number", [0, 1, 2, 3, 4], [3, 2, 1, 0, 4]),
    ],
)
def test_runs_are_sorted_with_numbers_before_texts_before_nothing(sweep, sort, up, down):
    assert numbers(sweep, sort=sort) == up
    assert numbers(sweep, sort=sort, descending=True) == down


def test_rows_have_metrics_and_curves_with_a_fixed_number_of_queries(sweep):
    columns = columns_of(sweep)
    shown = [columns["curve"], *(c for c in columns if c.source == "metrics")]

    with CaptureQueriesContext(connection) as queries:
        rows = every_row(sweep, RunChoice(), shown, limit=100)

    assert len(queries) == 3
    assert rows[0].metrics == {
        ("loss <b>", "last_value"): 2.0,
        ("loss <b>", "minimum"): 1.0,
        ("loss <b>", "maximum"): 3.0,
        ("accuracy", "last_value"): 0.9,
        ("accuracy", "minimum"): 0.5,
        ("accuracy", "maximum"): 0.9,
    }
    assert rows[2].curve == [0.95]
    assert rows[4].curve == []
