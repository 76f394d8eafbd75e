"""Best so far, 2-D and 3-D scatter, parallel coordinates: what stands where."""

from __future__ import annotations

import base64
import math

import numpy as np
import pytest

from experiments.charts import load_chart
from experiments.charts.base import METRIC
from tests.chart_views import SPACE, Shape, make_mixed_runs, make_run, make_view


def build(chart, view, **options):
    return load_chart(chart).build(view, options)


def trace(figure, name):
    return next(t for t in figure.data if t["name"] == name)


def failed_run(number, **fields):
    return make_run(number, None, state="Failed", end_reason="nonzero_exit", last=None, **fields)


def test_best_so_far_is_a_step_line_over_the_run_numbers():
    view = make_view([make_run(2, 0.7), make_run(0, 0.5), make_run(1, 0.4), failed_run(3)])

    figure = build("best_so_far", view)

    line = trace(figure, "best so far")
    assert (line["x"], line["y"]) == ([0, 1, 2], [0.5, 0.5, 0.7])
    assert line["line"]["shape"] == "hv"
    assert figure.meta["caption"] == "1 of 4 not drawn: 1 failed"
    assert figure.meta["table"]["columns"][3] == "Best so far"
    assert [row[3] for row in figure.meta["table"]["rows"]] == [0.7, 0.5, 0.5, None]


def test_best_so_far_of_minimize_goes_down():
    view = make_view([make_run(0, 0.5), make_run(1, 0.7), make_run(2, 0.3)], goal="minimize")

    assert trace(build("best_so_far", view), "best so far")["y"] == [0.5, 0.5, 0.3]


def test_best_so_far_labels_the_star():
    star = trace(build("best_so_far", make_view()), "best")

    assert star["text"] == ["Run 9 · 0.59000"]
    assert star["textposition"] == "top left"
    assert star["marker"]["symbol"] == "star"


@pytest.mark.parametrize(
    ("best", "goal", "place"),
    [
        (0, "maximize", "top right"),
        (5, "maximize", "top center"),
        (5, "minimize", "bottom center"),
        (9, "minimize", "bottom left"),
    ],
)
def test_best_so_far_keeps_the_label_inside(best, goal, place):
    sign = 1 if goal == "maximize" else -1
    view = make_view([make_run(n, sign * float(n == best)) for n in range(10)], goal=goal)

    assert trace(build("best_so_far", view), "best")["textposition"] == place


@pytest.mark.parametrize(
    ("goal", "bad", "symbol"),
    [("maximize", -50.0, "triangle-down"), ("minimize", 50.0, "triangle-up")],
)
def test_best_so_far_shows_outliers_at_the_edge(goal, bad, symbol):
    view = make_view([*(make_run(n, 0.5 + n / 100) for n in range(9)), make_run(9, bad)], goal=goal)

    focused = trace(build("best_so_far", view), "completed")
    full = trace(build("best_so_far", view, range="full"), "completed")

    assert focused["marker"]["symbol"] == ["circle"] * 9 + [symbol]
    assert abs(focused["y"][9]) < 1
    assert full["marker"]["symbol"] == "circle"
    assert full["y"][9] == bad


def test_scatter_defaults_to_the_first_parameters():
    options = build("scatter_3d", make_view()).meta["options"]

    assert [option["value"] for option in options] == ["learning_rate", "momentum", "batch_size"]
    assert options[0]["choices"][-1] == [METRIC, "accuracy"]


def test_scatter_with_few_parameters_falls_back_to_the_metric():
    view = make_view(space={"momentum": SPACE["momentum"]})

    assert [o["value"] for o in build("scatter_2d", view).meta["options"]] == ["momentum", METRIC]
    assert [o["value"] for o in build("scatter_3d", view).meta["options"]] == [
        "momentum",
        METRIC,
        METRIC,
    ]


def test_scatter_draws_good_runs_on_top():
    runs = [make_run(0, 0.9), make_run(1, 0.1), make_run(2, 0.5)]

    for goal, order in (("maximize", [1, 2, 0]), ("minimize", [0, 2, 1])):
        assert trace(build("scatter_2d", make_view(runs, goal=goal)), "runs")["customdata"] == order


@pytest.mark.parametrize("chart", ["scatter_2d", "scatter_3d"])
@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_scatter_colour_is_goodness_and_its_bar_is_in_metric_units(chart, goal):
    runs = [make_run(n, n / 10) for n in range(11)]
    figure = build(chart, make_view(runs, goal=goal))

    points = trace(figure, "runs")
    colours = dict(zip(points["customdata"], points["marker"]["color"], strict=True))
    best, worst = (10, 0) if goal == "maximize" else (0, 10)
    assert colours[best] == 1
    assert colours[worst] == 0
    axis = figure.layout["coloraxis"]
    assert (axis["colorscale"], axis["cmin"], axis["cmax"]) == ("token:seq", 0, 1)
    assert axis["reversescale"] is False
    bar = dict(zip(axis["colorbar"]["ticktext"], axis["colorbar"]["tickvals"], strict=True))
    assert bar == pytest.approx(
        {"≤ 0.2000": 0, "0.3600": 0.2, "0.5200": 0.4, "0.6800": 0.6, "0.8400": 0.8, "1.0000": 1}
        if goal == "maximize"
        else {
            "0.0000": 1,
            "0.1600": 0.8,
            "0.3200": 0.6,
            "0.4800": 0.4,
            "0.6400": 0.2,
            "≥ 0.8000": 0,
        }
    )
    arrow = "↑" if goal == "maximize" else "↓"
    assert axis["colorbar"]["title"]["text"] == f"accuracy {arrow} best"


def test_scatter_shows_stopped_failed_and_best_apart():
    runs = [
        make_run(0, 0.5),
        make_run(1, 0.4, state="Canceled", end_reason="policy"),
        failed_run(2),
        make_run(3, 0.9),
        make_run(4, None, last=None),
    ]

    flat = build("scatter_2d", make_view(runs))
    space = build("scatter_3d", make_view(runs))

    assert trace(flat, "stopped")["marker"]["line"]["color"] == "token:terminated"
    assert trace(flat, "failed")["marker"]["symbol"] == "x-thin"
    assert trace(flat, "best")["marker"]["symbol"] == "star"
    assert trace(space, "best")["marker"]["symbol"] == "diamond"
    for figure in (flat, space):
        assert trace(figure, "runs")["customdata"] == [0, 3]
        assert trace(figure, "stopped")["customdata"] == [1]
        assert trace(figure, "failed")["customdata"] == [2]
        assert trace(figure, "best")["customdata"] == [3]
        assert figure.meta["caption"] == "1 of 5 not drawn: 1 no metric"


def test_scatter_counts_runs_that_lack_a_parameter():
    runs = [
        make_run(0, 0.5),
        make_run(1, 0.4, params={"learning_rate": 0.01}),
        failed_run(2, params={}),
    ]

    figure = build("scatter_2d", make_view(runs))

    assert figure.meta["caption"] == "2 of 3 not drawn: 1 failed, 1 without momentum"


def test_scatter_does_not_star_a_best_run_that_has_no_place():
    figure = build("scatter_2d", make_view([make_run(0, 0.5, params={})]))

    assert trace(figure, "best")["customdata"] == []


def test_scatter_2d_moves_outliers_of_the_metric_to_the_edge():
    runs = [*(make_run(n, 0.5 + n / 100) for n in range(9)), make_run(9, -50.0)]

    figure = build("scatter_2d", make_view(runs), x="momentum", y=METRIC)

    points = trace(figure, "runs")
    at = points["customdata"].index(9)
    assert points["marker"]["symbol"][at] == "triangle-down"
    assert set(points["marker"]["symbol"]) == {"circle", "triangle-down"}
    low, high = figure.layout["yaxis"]["range"]
    assert low < points["y"][at] < high
    sideways = trace(build("scatter_2d", make_view(runs), x=METRIC, y="momentum"), "runs")
    assert sideways["marker"]["symbol"][at] == "triangle-left"


def test_scatter_2d_keeps_zoom_only_while_the_axes_stay():
    view = make_view()

    first = build("scatter_2d", view).layout["uirevision"]

    assert build("scatter_2d", make_view(make_mixed_runs())).layout["uirevision"] == first
    assert build("scatter_2d", view, y="batch_size").layout["uirevision"] != first


def test_scatter_3d_has_log_and_category_axes():
    scene = build("scatter_3d", make_view()).layout["scene"]

    assert scene["xaxis"]["type"] == "log"
    assert scene["zaxis"]["ticktext"] == ["32", "64", "128"]
    assert scene["aspectmode"] == "cube"


def test_parallel_coordinates_ends_with_the_metric_axis():
    axes = build("parallel_coordinates", make_view()).meta["axes"]

    assert [axis["name"] for axis in axes] == [*SPACE, METRIC]
    assert [axis["scale"] for axis in axes] == ["log", "linear", "category", "category", "linear"]
    assert axes[0]["ticks"] == [
        [0.0, "10⁻⁴", "10⁻⁴"],
        [0.333333, "0.001", "0.001"],
        [0.666667, "0.01", "0.01"],
        [1.0, "0.1", "0.1"],
    ]
    assert (axes[0]["min"], axes[0]["max"]) == pytest.approx((1e-4, 1e-1))
    assert [text for _, text, _ in axes[2]["ticks"]] == axes[2]["values"] == ["32", "64", "128"]
    assert axes[2]["options"] == [32, 64, 128]
    assert axes[2]["min"] is None
    assert axes[4]["label"] == "accuracy ↑ best"


def test_parallel_coordinates_gives_every_run_worst_first_with_nulls():
    runs = [
        make_run(0, 0.9),
        make_run(1, 0.1, params={"learning_rate": 0.1}),
        failed_run(2),
        make_run(3, 0.5, state="Running", end_reason=""),
    ]

    figure = build("parallel_coordinates", make_view(runs))

    lines = figure.meta["lines"]
    assert lines["numbers"] == [2, 1, 3, 0]
    assert lines["metric"] == [None, 0.1, 0.5, 0.9]
    assert lines["state"] == ["failed", "completed", "running", "completed"]
    assert lines["goodness"][0] is None
    assert lines["goodness"][3] == 1
    assert lines["units"][1][0] == pytest.approx(1.0)
    assert lines["units"][1][1:4] == [None, None, None]
    assert lines["units"][0][4] is None
    assert figure.meta["best"] == 0
    assert figure.meta["caption"] == "1 of 4 not drawn: 1 failed"
    assert figure.meta["absent"] == {"2": "failed"}


def test_parallel_coordinates_matrix_is_typed_when_large():
    view = make_view([make_run(n, n / 100) for n in range(100)])

    units = build("parallel_coordinates", view).meta["lines"]["units"]

    assert units["shape"] == "100, 5"
    raw = np.frombuffer(base64.b64decode(units["bdata"]), dtype="<f4").reshape(100, 5)
    assert raw.min() >= 0
    assert raw.max() <= 1
    assert raw[-1, 4] == 1


def test_parallel_coordinates_trace_has_a_place_for_missing_values():
    runs = [make_run(0, 0.9), make_run(1, 0.1, params={"learning_rate": 0.1}), failed_run(2)]

    [rate, momentum, *_] = build("parallel_coordinates", make_view(runs)).data[0]["dimensions"]

    assert rate["range"] == pytest.approx([-0.03, 1.03])
    assert "n/a" not in rate["ticktext"]
    assert momentum["ticktext"][-1] == "n/a"
    assert momentum["values"][0] == momentum["tickvals"][-1] < 0
    assert momentum["range"][0] < momentum["tickvals"][-1]


def test_parallel_coordinates_without_runs_still_has_its_axes():
    figure = build("parallel_coordinates", make_view([], space={"p": Shape("linear", (0, 2))}))

    assert [axis["max"] for axis in figure.meta["axes"]] == [2, 1.0]
    assert figure.meta["lines"]["numbers"] == []
    assert figure.meta["summary"] == "No runs yet"
    assert not math.isnan(figure.meta["axes"][1]["min"])
