"""What every chart must hold, whatever the sweep looks like."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from experiments.charts import CHARTS, load_chart
from experiments.charts.base import METRIC, SweepView
from experiments.charts.lines import Bundle, cut, pack
from tests.chart_views import (
    SPACE,
    Shape,
    make_curves,
    make_mixed_runs,
    make_run,
    make_view,
)
from tests.contracts.drawn import drawn_runs, resolved

ONE_MEGABYTE = 1_000_000


def long_names() -> SweepView:
    name = "a <b>very</b> & long parameter name with %{x} in it " * 3
    space = {name: Shape("linear", (0, 1))}
    runs = [make_run(n, n / 10, params={name: n / 10}) for n in range(10)]
    return make_view(runs, space=space, metric="loss <i>\u202eabc</i> %{y}" * 5)


def big_space() -> SweepView:
    space = {f"p{i}": Shape("linear", (0, 1)) for i in range(12)}
    rng = np.random.default_rng(0)
    runs = [
        make_run(n, float(rng.random()), params=dict(zip(space, rng.random(12), strict=True)))
        for n in range(1000)
    ]
    runs = [replace(r, params={k: float(v) for k, v in r.params.items()}) for r in runs]
    return make_view(runs, space=space)


VIEWS: dict[str, Callable[[], SweepView]] = {
    "no runs": partial(make_view, []),
    "one run": lambda: make_view([make_run(0)]),
    "ten runs": make_view,
    "minimize": partial(make_view, goal="minimize"),
    "every state": lambda: make_view(make_mixed_runs(40)),
    "1000 runs": lambda: make_view(make_mixed_runs(1000)),
    "1000 runs of 12 parameters": big_space,
    "all failed": lambda: make_view(
        [make_run(n, None, state="Failed", end_reason="nonzero_exit") for n in range(5)]
    ),
    "all equal": lambda: make_view([make_run(n, 0.25) for n in range(5)]),
    "all zero": lambda: make_view([make_run(n, 0.0) for n in range(5)], goal="minimize"),
    "no metric yet": lambda: make_view(
        [make_run(n, None, state="Running", end_reason="") for n in range(3)]
    ),
    "NaN and infinity": lambda: make_view(
        [
            make_run(0, math.nan, last=math.nan),
            make_run(1, math.inf, last=math.inf),
            make_run(2, 0.5, last=-math.inf),
            make_run(3, 0.7, params={"learning_rate": math.nan, "momentum": math.inf}),
        ]
    ),
    "diverged": lambda: make_view(
        [*(make_run(n, 0.1 + n / 1000) for n in range(9)), make_run(9, 1e30)], goal="minimize"
    ),
    "missing parameters": lambda: make_view(
        [make_run(0, 0.1, params={}), make_run(1, 0.2, params={"momentum": 0.7}), make_run(2, 0.3)]
    ),
    "values outside of the space": lambda: make_view(
        [
            make_run(0, 0.1, params={"learning_rate": 2.0, "momentum": -3, "batch_size": 256}),
            make_run(1, 0.2, params={"learning_rate": 0.0, "optimizer": ["a", {"b": 1}]}),
        ]
    ),
    "text where a number belongs": lambda: make_view(
        [make_run(0, 0.1, params={"learning_rate": "fast", "momentum": True})]
    ),
    "one parameter": lambda: make_view(space={"momentum": SPACE["momentum"]}),
    "no parameters": lambda: make_view([make_run(0, 0.3, params={})], space={}),
    "unbounded and degenerate": lambda: make_view(
        space={
            "momentum": Shape("linear", None),
            "learning_rate": Shape("log", (0.01, 0.01)),
            "batch_size": Shape("category", options=("only",)),
        }
    ),
    "long names": long_names,
}

every_chart = pytest.mark.parametrize("name", CHARTS)
every_view = pytest.mark.parametrize("make", VIEWS.values(), ids=list(VIEWS))


def build(name: str, view: SweepView, **options: str):
    return load_chart(name).build(view, options, make_curves(view))


def tokens(value: Any) -> set[str]:
    return set(re.findall(r'"token:([a-z0-9-]+)"', json.dumps(value)))


@every_chart
@every_view
def test_chart_is_valid_strict_small_and_says_what_it_shows(name, make):
    view = make()

    figure = build(name, view)

    found = figure.to_json()
    text = json.dumps(found, allow_nan=False)
    assert len(text.encode()) < ONE_MEGABYTE
    go.Figure(data=resolved(found["data"]), layout=resolved(found["layout"]))

    meta = figure.meta
    assert meta["chart"] == name
    assert meta["summary"]
    if load_chart(name).draws_runs:
        assert len(meta["table"]["rows"]) == len(view.runs)
    assert all(len(row) == len(meta["table"]["columns"]) for row in meta["table"]["rows"])
    assert re.fullmatch(r"(.+\. )?(\d+ of \d+ not drawn: .+)?", meta["caption"])

    names = [trace["name"] for trace in figure.data]
    assert len(set(names)) == len(names)
    last = figure.data[-1]
    assert last["name"] == "highlight"
    assert not last.get("x")
    assert not last.get("dimensions")


@every_chart
def test_chart_uses_only_tokens_of_the_style_sheet(name):
    css = Path(__file__).parents[2] / "static" / "css" / "tokens.css"
    defined = set(re.findall(r"--([a-z0-9-]+):", css.read_text("utf-8")))

    used = tokens(build(name, make_view(make_mixed_runs(40))).to_json())

    assert used - {"seq"} <= defined
    assert {f"seq-{i}" for i in range(6)} <= defined


@every_chart
def test_chart_has_no_colour_of_its_own(name):
    text = json.dumps(build(name, make_view(make_mixed_runs(40))).to_json())

    assert not re.findall(r'"(#[0-9a-fA-F]{3,8}|rgb\([^"]*)"', text)


@every_chart
def test_chart_is_the_same_every_time(name):
    view = make_view(make_mixed_runs(200))

    assert build(name, view) == build(name, view)


@every_chart
def test_chart_survives_options_that_are_out_of_date(name):
    view = make_view()

    strange = build(name, view, x="gone", y="", z="7", range="?", other="1")

    assert strange == build(name, view)


@every_chart
def test_chart_offers_what_it_has_chosen(name):
    for option in build(name, make_view()).meta["options"]:
        assert option["value"] in [value for value, _ in option["choices"]]
        assert option["label"]


@every_chart
def test_chart_describes_itself(name):
    chart = load_chart(name)

    assert chart.name == name
    assert chart.label
    assert chart.help.endswith(".")
    for option in chart.options:
        assert option.help.endswith(".")


# The points of the metrics chart come from elsewhere: core/test_charts_lines.py.
@pytest.mark.parametrize(
    "name", [name for name in CHARTS if name != "metrics" and load_chart(name).draws_runs]
)
def test_chart_draws_and_counts_every_run_once(name):
    view = make_view(make_mixed_runs(40))

    figure = build(name, view)

    absent = int((figure.meta["caption"] or "0").split()[0])
    assert absent + len(drawn_runs(figure)) == len(view.runs)


def test_contract_knows_that_metrics_needs_limits():
    assert [name for name in CHARTS if load_chart(name).needs_limits] == ["metrics"]


def test_curves_of_1000_runs_with_1000_reports_stay_below_a_megabyte_and_a_fifth():
    rng = np.random.default_rng(1)
    counts = np.full(1000, 1000)
    intervals = np.tile(np.arange(1.0, 1001), 1000)

    packed = pack(cut(Bundle(np.arange(1000), counts, intervals, rng.random(1_000_000))))

    assert len(json.dumps(packed).encode()) < 1.2 * ONE_MEGABYTE
    assert len(packed["numbers"]) == 1000


def test_every_axis_option_takes_the_metric():
    view = make_view()

    for name in ("scatter_2d", "scatter_3d"):
        by_name = build(name, view, x="accuracy")
        assert by_name == build(name, view, x=METRIC)
        assert by_name.meta["options"][0]["value"] == METRIC
