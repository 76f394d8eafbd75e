"""Charts of several sweeps: leads, looks, empty and strange sweeps; all of it is plain JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import plotly.graph_objects as go
import pytest

from experiments.charts import COMPARISONS, load_comparison
from experiments.charts.comparison import (
    MOST_SWEEPS,
    ComparedSweep,
    ComparisonView,
    distinct_names,
    leads_by_run,
    leads_by_time,
)
from tests.chart_views import SPACE, Shape, make_run

NAN = math.nan


def make_compared(place=0, values=(0.1, 0.5, 0.3), *, name=None, space=SPACE, at=None, **changes):
    """A sweep whose runs start every ten seconds and have a slot for twenty."""
    starts = np.arange(len(values)) * 10.0
    runs = tuple(make_run(n, None if math.isnan(v) else v) for n, v in enumerate(values))
    best = [n for n, v in enumerate(values) if not math.isnan(v)]
    parts = {
        "place": place,
        "name": name or f"sweep {place}",
        "numbers": np.arange(len(values)),
        "values": np.array(values, np.float64),
        "at": np.array(at if at is not None else starts + 15, np.float64),
        "starts": starts,
        "ends": starts + 20,
        "seconds": len(values) * 10.0 + 10,
        "best_number": max(best, key=lambda n: values[n], default=None),
        "is_live": False,
        "runs": runs,
        "space": space,
    }
    return ComparedSweep(**(parts | changes))


def view_of(*sweeps, goal="maximize", metric="accuracy"):
    return ComparisonView(metric, goal, sweeps)


VIEWS = {
    "none": view_of(),
    "two": view_of(make_compared(0), make_compared(1, (0.2, 0.9))),
    "eight": view_of(*(make_compared(at, (0.1 * at, 0.5)) for at in range(MOST_SWEEPS))),
    "without runs": view_of(make_compared(0), make_compared(1, ())),
    "without values": view_of(make_compared(0, (NAN, NAN)), make_compared(3, (NAN,))),
    "one value": view_of(make_compared(0, (0.5,)), make_compared(1, (0.5,)), goal="minimize"),
    "all zero": view_of(make_compared(0, (0.0, 0.0)), make_compared(1, (0.0,))),
    "far apart": view_of(make_compared(0, (1e-9, 1e30)), make_compared(2, (-5.0, NAN, 3.0))),
    "odd names": view_of(
        make_compared(0, name="<b>a</b> %{x}" * 9), make_compared(1, name="\u202eabc"), metric="<i>"
    ),
    "other spaces": view_of(
        make_compared(0, space={"learning_rate": Shape("linear", (0, 1)), "x": Shape("linear")}),
        make_compared(1, space={"learning_rate": Shape("category", options=["a", 2])}),
    ),
}


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_figure_is_json_that_plotly_takes(name, view):
    chart = load_comparison(name)
    choices = [
        dict.fromkeys([spec.name for spec in chart.options], ""),
        {spec.name: spec.choices[-1][0] for spec in chart.options},
    ]
    for options in choices:
        figure = chart.build(view, options).to_json()
        json.dumps(figure, allow_nan=False)
        assert figure["meta"]["chart"] == name
        table = figure["meta"]["table"]
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
        if name != "compare_coverage":
            go.Figure(without_tokens({"data": figure["data"], "layout": figure["layout"]}))


def without_tokens(value):
    if isinstance(value, dict):
        return {key: without_tokens(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_tokens(inner) for inner in value]
    return "#000000" if isinstance(value, str) and value.startswith("token:") else value


def test_leads_in_order_of_runs_and_of_reports_differ():
    # Run 1 reports its best after run 2 did.
    sweep = make_compared(values=(0.1, 0.5, 0.3, NAN), at=(15, 100, 35, 50))

    by_run, by_time = leads_by_run(sweep, "maximize"), leads_by_time(sweep, "maximize")

    assert by_run.numbers.tolist() == [0, 1]
    assert by_run.runs.tolist() == [1, 2]
    assert by_time.numbers.tolist() == [0, 2, 1]
    assert by_time.seconds.tolist() == [15, 35, 100]
    # Until 35 s: 20 of run 0, 20 of run 1, 15 of run 2, 5 of run 3.
    assert by_time.compute.tolist() == [15 + 5, 20 + 20 + 15 + 5, 80]


def test_leads_of_a_minimized_metric_pass_over_equal_and_missing_values():
    sweep = make_compared(values=(NAN, 0.5, 0.5, 0.7, 0.2))

    assert leads_by_run(sweep, "minimize").numbers.tolist() == [1, 4]
    assert leads_by_run(sweep, "minimize").runs.tolist() == [2, 5]


def test_lines_are_steps_that_end_where_the_sweep_is():
    figure = load_comparison("compare_best").build(VIEWS["two"], {"x": "runs"})

    line = next(trace for trace in figure.data if trace["name"] == "sweep 0")

    assert list(zip(line["x"], line["y"], strict=True)) == [(1, 0.1), (2, 0.1), (2, 0.5), (3, 0.5)]
    assert set(line["customdata"]) == {0}


def test_every_place_has_a_dash_and_a_marker_of_its_own():
    sweeps = VIEWS["eight"].sweeps

    assert len({sweep.dash for sweep in sweeps}) == MOST_SWEEPS
    assert len({sweep.marker()["symbol"] for sweep in sweeps}) == MOST_SWEEPS


def test_distribution_counts_the_runs_with_a_value():
    view = view_of(make_compared(0, (0.4, 0.1, NAN, 0.3, 0.2)), make_compared(1, (NAN,)))

    rows = load_comparison("compare_values").build(view).meta["table"]["rows"]

    assert rows[0][:4] == ["sweep 0", 4, 0.2, 0.1]
    assert rows[1][:3] == ["sweep 1", 0, None]


def test_coverage_says_how_much_was_tried_and_what_was_not_searched():
    figure = load_comparison("compare_coverage").build(VIEWS["other spaces"])

    rows = {(row[0], row[1]): row[2] for row in figure.meta["table"]["rows"]}

    assert rows["x", "sweep 1"] == "not searched"
    assert rows["learning_rate", "sweep 0"].endswith("of the range")
    assert {trace["name"] for trace in figure.data} == {"learning_rate", "x"}


def test_equal_names_are_told_apart():
    assert distinct_names({0: "a", 2: "a", 3: "b"}) == {0: "a (1)", 2: "a (3)", 3: "b"}
