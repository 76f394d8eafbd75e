"""Axes: range, scale, positions, ticks; and the metric as a scale."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.charts.axes import (
    axis_named,
    focused_metric_axis,
    full_metric_axis,
    metric_axis,
    metric_ticks,
    parameter_axis,
)
from experiments.charts.base import METRIC
from experiments.charts.formats import MetricFormat
from experiments.charts.metric_scale import focus_range, goodness, metric_domain
from tests.chart_views import Shape, make_run, make_view


def run_with(value, number=0, name="p"):
    return make_run(number, params={name: value})


def test_log_axis_spans_the_space_with_ticks_at_powers_of_ten():
    axis = parameter_axis("p", Shape("log", (1e-4, 1e-1)), [run_with(1e-2)])

    assert (axis.scale, axis.low, axis.high) == ("log", 1e-4, 1e-1)
    assert [text for _, text, _ in axis.ticks()] == ["10⁻⁴", "0.001", "0.01", "0.1"]
    assert axis.units([run_with(1e-2)]) == pytest.approx([2 / 3])
    layout = axis.layout()
    assert layout["type"] == "log"
    assert layout["range"] == pytest.approx([-4.12, -0.88])
    assert layout["nticks"] == 4
    assert layout["exponentformat"] == "power"


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.02, 0.3, ["0.02", "0.05", "0.1", "0.2"]),
        (0.0025, 0.0035, ["0.0025", "0.00275", "0.003", "0.00325", "0.0035"]),
        (1e-12, 1e12, ["10⁻¹²", "10⁻⁸", "10⁻⁴", "1", "10\u202f000", "10⁸", "10¹²"]),
    ],
)
def test_log_axis_finds_ticks_for_narrow_and_wide_ranges(low, high, texts):
    axis = parameter_axis("p", Shape("log", (low, high)), [])

    assert [text for _, text, _ in axis.ticks()] == texts


def test_log_axis_that_must_show_zero_becomes_linear():
    axis = parameter_axis("p", Shape("log", (0.5, 8.0)), [run_with(0)])

    assert (axis.scale, axis.low, axis.high) == ("linear", 0, 8.0)


def test_linear_axis_is_widened_to_the_data():
    axis = parameter_axis("p", Shape("linear", (0.0, 1.0)), [run_with(-0.5), run_with(3)])

    assert (axis.low, axis.high) == (-0.5, 3.0)
    assert [text for _, text, _ in axis.ticks()] == ["−0.5", "0.375", "1.25", "2.12", "3"]


def test_axis_without_bounds_spans_the_data():
    runs = [run_with(2.0), run_with(5.0), run_with(math.nan), run_with("text"), run_with(True)]

    axis = parameter_axis("p", Shape("linear"), runs)

    assert (axis.low, axis.high) == (2.0, 5.0)
    np.testing.assert_array_equal(axis.positions(runs), [2.0, 5.0, math.nan, math.nan, math.nan])


@pytest.mark.parametrize(
    ("shape", "low", "high"),
    [
        (Shape("linear", (4.0, 4.0)), 3.8, 4.2),
        (Shape("linear", (0.0, 0.0)), -0.5, 0.5),
        (Shape("log", (0.01, 0.01)), 0.005, 0.02),
    ],
)
def test_axis_of_one_value_gets_room_on_both_sides(shape, low, high):
    axis = parameter_axis("p", shape, [])

    assert (axis.low, axis.high) == pytest.approx((low, high))


def test_category_axis_keeps_the_order_of_the_space_and_adds_strangers():
    runs = [run_with(v) for v in (64, 32.0, 256, True)]

    axis = parameter_axis("p", Shape("category", options=(128, 64, 32)), runs)

    assert axis.categories == (128, 64, 32, 256, True)
    assert [(place, text) for place, text, _ in axis.ticks()] == [
        (0, "128"),
        (1, "64"),
        (2, "32"),
        (3, "256"),
        (4, "true"),
    ]
    assert axis.positions(runs) == pytest.approx([0.75, 1.75, 2.75, 3.75])
    assert axis.layout()["range"] == [-0.6, 4.6]


def test_category_axis_spreads_equal_values_by_the_run_number():
    axis = parameter_axis("p", Shape("category", options=("a", "b")), [])
    runs = [run_with("b", number) for number in range(40)]

    places = axis.positions(runs)

    assert np.all(np.abs(places - 1) <= 0.25)
    assert len(set(np.round(places, 6))) == 17
    np.testing.assert_array_equal(axis.positions(runs), places)
    assert np.all((axis.units(runs) > 0.5) & (axis.units(runs) < 1))


def test_category_axis_tells_missing_from_null():
    axis = parameter_axis("p", Shape("category", options=("a", None)), [])

    places = axis.positions([run_with(None), make_run(1, params={})])

    assert places[0] == pytest.approx(0.75)
    assert math.isnan(places[1])


def test_category_ticks_shorten_the_text_and_keep_it_in_full():
    name = "resnet-50-with-a-very-long-tail"
    axis = parameter_axis("p", Shape("category", options=(name,)), [])

    [(_, short, full)] = axis.ticks()

    assert full == name
    assert len(short) == 14
    assert axis.layout()["ticktext"] == [short]


def test_category_axis_of_many_options_shows_those_that_were_drawn():
    shape = Shape("category", options=tuple(range(100_000)))

    axis = parameter_axis("p", shape, [run_with(v) for v in (70_000, 5, -1)])

    assert axis.categories == (5, 70_000, -1)
    assert parameter_axis("p", shape, []).categories == (0,)


def test_category_axis_labels_at_most_50_options():
    axis = parameter_axis("p", Shape("category", options=tuple(range(120))), [])

    assert [place for place, _, _ in axis.ticks()] == list(range(0, 120, 3))


def test_metric_domain_runs_from_the_20th_percentile_to_the_best():
    values = [float(n) for n in range(11)]

    assert metric_domain(values, "maximize") == (2.0, 10.0)
    assert metric_domain(values, "minimize") == (0.0, 8.0)
    assert metric_domain([math.nan, math.inf], "minimize") == (0.0, 1.0)


def test_goodness_is_one_for_the_best_of_either_goal():
    values = [0.0, 2.0, 6.0, 10.0, math.nan]

    up = goodness(values, (2.0, 10.0), "maximize")
    down = goodness(values, (0.0, 8.0), "minimize")

    np.testing.assert_array_equal(up, [0, 0, 0.5, 1, math.nan])
    np.testing.assert_array_equal(down, [1, 0.75, 0.25, 0, math.nan])
    np.testing.assert_array_equal(goodness([3.0, math.nan], (3.0, 3.0), "minimize"), [1, math.nan])


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_focus_range_leaves_more_room_on_the_worse_side(goal):
    low, high = focus_range([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], goal)
    first, last = metric_domain([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], goal)

    below, above = first - low, high - last
    assert below > 0
    assert above > 0
    assert (below > above) == (goal == "maximize")


def test_focus_range_ends_soon_after_the_worst_value():
    low, high = focus_range([0.1, 0.11, 0.12, 0.5], "maximize")
    assert 0 < low < 0.1
    assert 0.5 < high < 0.55
    low, high = focus_range([10.0, 49.0, 50.0, 51.0], "minimize")
    assert 51 < high < 55
    assert low < 10


def test_focus_range_of_one_value_is_not_empty():
    assert focus_range([0.0], "maximize") == pytest.approx((-0.55, 0.0875))
    assert focus_range([2.0], "minimize") == pytest.approx((1.9825, 2.11))


def test_metric_axis_says_which_end_is_clamped():
    runs = [make_run(n, float(n)) for n in range(11)]
    form = MetricFormat(1, ".1f")

    up, down = make_view(runs), make_view(runs, goal="minimize")

    assert metric_ticks(up, metric_axis(up), form)[0] == (2.0, "≤ 2.0", "≤ 2.0")
    assert metric_ticks(down, metric_axis(down), form)[-1] == (8.0, "≥ 8.0", "≥ 8.0")
    assert metric_axis(up).units([make_run(0, 0.0), make_run(1, 6.0)]).tolist() == [0.0, 0.5]


def test_metric_axis_of_equal_values_has_no_clamped_end():
    view = make_view([make_run(n, 2.0) for n in range(3)])
    axis = metric_axis(view)

    assert (axis.low, axis.high) == pytest.approx((1.9, 2.1))
    texts = [text for _, text, _ in metric_ticks(view, axis, MetricFormat(2, ".2f"))]
    assert texts[0] == "1.90"


def test_axis_named_knows_parameters_and_the_metric():
    view = make_view()

    assert axis_named(view, "momentum").label == "momentum"
    assert axis_named(view, METRIC).label == "accuracy ↑ best"
    assert axis_named(make_view(goal="minimize"), METRIC).label == "accuracy ↓ best"
    assert axis_named(view, METRIC).is_metric


def test_full_metric_axis_reaches_from_worst_to_best():
    view = make_view([make_run(0, 1.0), make_run(1, 9.0), make_run(2, 5.0)])

    assert (full_metric_axis(view).low, full_metric_axis(view).high) == (1.0, 9.0)
    assert full_metric_axis(make_view([])).high == 1.0
    assert full_metric_axis(make_view([make_run(0, 2.0)])).low == pytest.approx(1.9)
    assert focused_metric_axis(view).low < 1.0
