"""Metrics: which runs it draws and how they look; the points come from `charts.lines`."""

from __future__ import annotations

import pytest

from experiments.charts import load_chart
from tests.chart_views import make_mixed_runs, make_run, make_view


def build(view, **options):
    return load_chart("metrics").build(view, options)


def test_metrics_says_how_each_run_looks_and_which_is_the_best():
    view = make_view(
        [
            make_run(0, 0.5, state="Failed", end_reason="nonzero_exit"),
            make_run(1, 0.6, state="Canceled", end_reason="policy"),
            make_run(2, 0.7, state="Running", end_reason=""),
            make_run(3, 0.9),
            make_run(4, 0.8, last=float("nan")),
        ]
    )

    meta = build(view).meta

    assert meta["runs"] == {
        "numbers": [0, 1, 2, 3, 4],
        "groups": ["failed", "stopped", "running", "completed", "failed"],
    }
    assert meta["best"] == 3
    assert meta["styles"]["best"]["colour"] == "token:best-line"
    assert set(meta["runs"]["groups"]) <= set(meta["styles"])
    assert (meta["label"], meta["x_label"]) == ("accuracy ↑", "interval")


def test_metrics_has_the_limit_of_the_policy():
    meta = build(make_view(limits=((4, 0.5), (6, 0.6)), limit_label="bandit limit")).meta

    assert meta["limits"] == [[4, 0.5], [6, 0.6]]
    assert meta["limit_label"] == "bandit limit"


@pytest.mark.parametrize("options", [{"x": "step"}, {"x": "time"}, {"metric": "loss"}])
def test_metrics_has_a_limit_only_where_it_means_something(options):
    assert build(make_view(limits=((4, 0.5),)), **options).meta["limits"] == []


def test_metrics_of_another_metric_has_no_goal():
    meta = build(make_view(), metric="loss <train>").meta

    assert (meta["metric"], meta["goal"], meta["decimals"]) == ("loss <train>", "", None)
    assert meta["label"] == "loss <train>"


def test_metrics_of_finished_runs_with_one_report_is_drawn_in_order_of_start():
    view = make_view([make_run(n, 0.5 + n / 100, reports=1) for n in range(4)])

    figure = build(view)

    assert figure.meta["x"] == "run"
    done = next(trace for trace in figure.data if trace["name"] == "completed")
    assert done["x"] == [0, 1, 2, 3]


def test_metrics_of_running_runs_with_one_report_stays_a_chart_of_lines():
    live = make_run(1, 0.9, state="Running", end_reason="", reports=1)
    view = make_view([make_run(0, 0.5, reports=1), live])

    assert build(view).meta["x"] == "interval"
    assert build(make_view([make_run(0, 0.5, reports=1)])).meta["x"] == "interval"


def test_metrics_table_has_where_the_best_was_and_how_many_reports():
    table = build(make_view([make_run(0, 0.5)])).meta["table"]

    assert table["columns"][3:6] == ["Best at", "Last", "Reports"]
    assert table["rows"][0][:6] == [0, "Completed", 0.5, 5, 0.5, 10]


def test_metrics_counts_the_runs_that_have_no_line():
    meta = build(make_view(make_mixed_runs(20))).meta

    assert len(meta["runs"]["numbers"]) == 20
    assert meta["caption"].startswith("6 of 20 not drawn: 2 failed")
