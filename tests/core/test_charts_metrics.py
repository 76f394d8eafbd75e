"""Metrics: lines by style, x axis, ends, limit, live data and single points."""

from __future__ import annotations

import base64
import math

import numpy as np
import pytest

from experiments.charts import load_chart
from experiments.charts.base import Curve
from tests.chart_views import make_curves, make_mixed_runs, make_run, make_view


def build(view, curves=None, **options):
    made = make_curves(view) if curves is None else curves
    return load_chart("metrics").build(view, options, made)


def curve(number, values, steps=None, times=None):
    intervals = np.arange(1, len(values) + 1)
    return Curve(
        number,
        intervals,
        None if steps is None else np.array(steps, np.float64),
        np.array(times if times is not None else intervals, np.float64),
        np.array(values, np.float64),
    )


def trace(figure, name):
    return next(t for t in figure.data if t["name"] == name)


def names(figure):
    return [t["name"] for t in figure.data]


def test_metrics_groups_lines_of_one_style_with_gaps_between():
    view = make_view([make_run(0, 0.5), make_run(1, 0.6), make_run(2, 0.9)])
    curves = {0: curve(0, [0.1, 0.5]), 1: curve(1, [0.2, 0.6]), 2: curve(2, [0.3, 0.9])}

    figure = build(view, curves)

    done = trace(figure, "completed")
    assert done["y"] == [0.1, 0.5, None, 0.2, 0.6]
    assert done["x"] == [1, 2, 0, 1, 2]
    assert done["customdata"] == [0, 0, 0, 1, 1]
    assert done["connectgaps"] is False
    assert trace(figure, "best")["y"] == [0.3, 0.9]
    assert trace(figure, "best")["line"]["color"] == "token:best-line"


def test_metrics_draws_others_then_running_then_best_then_highlight():
    view = make_view(make_mixed_runs(40))

    order = [n for n in names(build(view)) if "ends" not in n and n != "edge"]

    assert order == ["completed", "canceled", "stopped", "failed", "running", "best", "highlight"]


def test_metrics_marks_how_lines_end():
    view = make_view(
        [
            make_run(0, 0.5, state="Failed", end_reason="nonzero_exit"),
            make_run(1, 0.6, state="Canceled", end_reason="policy"),
            make_run(2, 0.7, state="Running", end_reason=""),
            make_run(3, 0.9),
            make_run(4, 0.8, last=math.nan),
        ]
    )
    curves = {n: curve(n, [0.4, 0.4 + n / 10, 0.41]) for n in range(4)}
    curves[4] = curve(4, [0.5, 0.8, math.nan])

    figure = build(view, curves)

    failed = trace(figure, "failed ends")
    assert failed["marker"]["symbol"] == "x"
    assert list(zip(failed["customdata"], failed["x"], failed["y"], strict=True)) == [
        (0, 3, 0.41),
        (4, 2, 0.8),
    ]
    assert trace(figure, "stopped ends")["marker"]["symbol"] == "line-ns-open"
    assert trace(figure, "running ends")["marker"]["symbol"] == "circle"
    star = trace(figure, "best ends")
    assert (star["marker"]["symbol"], star["x"], star["y"]) == ("star", [2], [0.4 + 3 / 10])


def test_metrics_keeps_a_gap_for_nan_and_infinity():
    view = make_view([make_run(0, 0.5), make_run(1, 0.9)])

    figure = build(view, {0: curve(0, [0.1, math.nan, math.inf, 0.5]), 1: curve(1, [0.9, 0.8])})

    assert trace(figure, "completed")["y"] == [0.1, None, None, 0.5]


def test_metrics_by_step_sorts_and_lets_the_last_of_equal_steps_count():
    view = make_view([make_run(0, 0.5), make_run(1, 0.9)])
    curves = {
        0: curve(0, [0.1, 0.2, 0.3, 0.5, 0.4], steps=[10, 20, 10, 30, math.nan]),
        1: curve(1, [0.9, 0.8], steps=[0.5, 1.5]),
    }

    figure = build(view, curves, x="step")

    assert trace(figure, "completed")["x"] == [10, 20, 30]
    assert trace(figure, "completed")["y"] == [0.3, 0.2, 0.5]
    assert trace(figure, "best")["x"] == [0.5, 1.5]
    assert figure.layout["xaxis"]["title"]["text"] == "step"


def test_metrics_by_step_counts_runs_without_steps():
    view = make_view([make_run(0, 0.5), make_run(1, 0.9)])
    curves = {0: curve(0, [0.1, 0.5]), 1: curve(1, [0.9, 0.8], steps=[1, 2])}

    assert build(view, curves, x="step").meta["caption"] == "1 of 2 not drawn: 1 without a step"


def test_metrics_by_time_starts_every_line_at_its_first_report():
    view = make_view([make_run(0, 0.5), make_run(1, 0.9)])
    curves = {
        0: curve(0, [0.1, 0.5], times=[1_700_000_000.0, 1_700_000_002.5]),
        1: curve(1, [0.9, 0.8], times=[1_700_009_000.0, 1_700_009_001.0]),
    }

    figure = build(view, curves, x="time")

    assert trace(figure, "completed")["x"] == [0.0, 2.5]
    assert trace(figure, "best")["x"] == [0.0, 1.0]


def test_metrics_draws_the_limit_as_dashed_steps_with_a_label():
    view = make_view(limits=((4, 0.5), (6, 0.6)), limit_label="bandit limit")

    figure = build(view)

    limit = trace(figure, "limit")
    assert (limit["x"], limit["y"]) == ([4, 6], [0.5, 0.6])
    assert limit["line"]["shape"] == "hv"
    assert "dash" in limit["line"]
    assert limit["hovertemplate"].startswith("Bandit limit %{y")
    assert figure.layout["annotations"][0]["text"] == "bandit limit"


@pytest.mark.parametrize("options", [{"x": "step"}, {"x": "time"}, {"metric": "loss"}])
def test_metrics_shows_the_limit_only_where_it_means_something(options):
    figure = build(make_view(limits=((4, 0.5),)), **options)

    assert "limit" not in names(figure)
    assert "annotations" not in figure.layout


def test_metrics_of_another_metric_has_neither_goal_nor_focus():
    figure = build(make_view(), metric="loss <train>")

    assert figure.meta["metric"] == "loss <train>"
    assert figure.layout["yaxis"]["title"]["text"] == "loss &lt;train&gt;"
    assert "range" not in figure.layout["yaxis"]


def test_metrics_focuses_on_the_interesting_range_unless_asked_for_all():
    view = make_view()

    low, high = build(view).layout["yaxis"]["range"]

    assert low < 0.5
    assert 0.59 < high < 0.65
    assert "range" not in build(view, range="full").layout["yaxis"]


@pytest.mark.parametrize(
    ("goal", "bad", "symbol"),
    [("maximize", -50.0, "triangle-down"), ("minimize", 50.0, "triangle-up")],
)
def test_metrics_shows_a_run_outside_of_the_range_at_its_edge(goal, bad, symbol):
    view = make_view([*(make_run(n, 0.5 + n / 100) for n in range(9)), make_run(9, bad)], goal=goal)
    curves = {n: curve(n, [0.5 + n / 100] * 3) for n in range(9)} | {9: curve(9, [bad] * 3)}

    figure = build(view, curves)

    edge = trace(figure, "edge")
    low, high = figure.layout["yaxis"]["range"]
    assert edge["customdata"] == [9]
    assert edge["marker"]["symbol"] == symbol
    assert low < edge["y"][0] < high


def test_metrics_tells_the_browser_what_it_needs_to_append():
    view = make_view(
        [make_run(0, 0.5), make_run(1, 0.4, state="Running", end_reason=""), make_run(2, 0.9)]
    )
    curves = {0: curve(0, [0.5, 0.4]), 1: curve(1, [0.3, 0.4, math.nan]), 2: curve(2, [0.9, 0.8])}

    figure = build(view, curves)

    assert figure.meta["lines"] == {
        "0": {"group": "completed", "n": 2},
        "1": {"group": "running", "n": 3, "end": [2.0, 0.4]},
        "2": {"group": "best", "n": 2, "end": [2.0, 0.8]},
    }
    assert figure.meta["x"] == "interval"


def test_metrics_shows_a_lone_report_as_a_point():
    view = make_view([make_run(0, 0.5), make_run(1, 0.9)])

    figure = build(view, {0: curve(0, [0.5]), 1: curve(1, [0.9, 0.8])})

    assert trace(figure, "completed ends")["customdata"] == [0]


def test_metrics_of_finished_runs_with_one_report_is_drawn_in_order_of_start():
    view = make_view([make_run(n, 0.5 + n / 100) for n in range(4)])
    curves = {n: curve(n, [0.5 + n / 100]) for n in range(4)}

    figure = build(view, curves)

    assert figure.meta["x"] == "run"
    assert figure.meta["lines"] == {}
    assert trace(figure, "completed")["x"] == [0, 1, 2, 3]
    assert "best so far" in names(figure)


def test_metrics_of_running_runs_with_one_report_stays_a_chart_of_lines():
    view = make_view([make_run(0, 0.5), make_run(1, 0.9, state="Running", end_reason="")])

    figure = build(view, {0: curve(0, [0.5]), 1: curve(1, [0.9])})

    assert figure.meta["x"] == "interval"
    assert set(figure.meta["lines"]) == {"0", "1"}


def test_metrics_cuts_long_lines_and_keeps_the_best_detailed():
    view = make_view([make_run(n, 0.5 + n / 1000) for n in range(200)])
    curves = {n: curve(n, np.linspace(0, 0.5 + n / 1000, 5000)) for n in range(200)}

    figure = build(view, curves)

    best = trace(figure, "best")
    assert best["x"]["dtype"] == "f8"
    points = len(base64.b64decode(best["y"]["bdata"])) // 8
    assert 32_000 // 200 < points <= 300
    assert trace(figure, "completed")["x"]["dtype"] == "i4"


def test_metrics_of_many_lines_draws_them_thinner():
    few, many = make_view(), make_view([make_run(n, 0.5 + n / 1000) for n in range(301)])

    assert trace(build(few), "completed")["line"]["width"] == 1.2
    assert trace(build(many), "completed")["line"]["width"] < 1.2
    assert trace(build(many), "best")["line"]["width"] == 2.8


def test_metrics_table_has_where_the_best_was_and_how_many_reports():
    table = build(make_view([make_run(0, 0.5)])).meta["table"]

    assert table["columns"][:6] == ["Run", "Status", "accuracy", "Best at", "Last", "Reports"]
    assert table["rows"][0][:6] == [0, "Completed", 0.5, 5, 0.5, 10]
