"""Groups of runs, and the words around a chart."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from experiments.charts.styles import STYLES, group_of, grouped
from experiments.charts.texts import best_run, caption, hover_texts, summary, table, without_value
from experiments.states import RunState
from tests.chart_views import Shape, make_mixed_runs, make_run, make_view


@pytest.mark.parametrize(
    ("fields", "group"),
    [
        ({"state": "Completed"}, "completed"),
        ({"state": "Completed", "last": math.nan}, "failed"),
        ({"state": "Canceled", "end_reason": "policy"}, "stopped"),
        ({"state": "Canceled", "end_reason": "user"}, "canceled"),
        ({"state": "Failed", "end_reason": "nonzero_exit"}, "failed"),
        ({"state": "Running", "end_reason": ""}, "running"),
        ({"state": "Running", "end_reason": "", "last": math.nan}, "running"),
        ({"state": "CancelRequested", "end_reason": "policy"}, "stopped"),
        ({"state": "CancelRequested", "end_reason": "user"}, "running"),
        ({"state": "Finalizing", "end_reason": ""}, "running"),
        ({"state": "NotResponding", "end_reason": ""}, "running"),
        ({"state": "Queued", "end_reason": ""}, "waiting"),
    ],
)
def test_group_of_follows_state_and_reason(fields, group):
    assert group_of(make_run(0, **fields)) == group


def test_group_of_knows_every_state_of_a_run():
    assert {group_of(make_run(0, state=state)) for state in RunState} <= set(STYLES)


def test_group_of_puts_the_best_run_apart():
    assert group_of(make_run(7, state="Running"), best_number=7) == "best"


def test_grouped_keeps_the_drawing_order_with_the_best_last():
    groups = grouped(make_mixed_runs(20), best_number=0)

    assert list(groups) == [name for name in STYLES if name in groups]
    assert list(groups)[-2:] == ["running", "best"]


def test_caption_counts_runs_by_reason():
    failed = [
        make_run(n, None, state="Failed", end_reason="nonzero_exit", last=None) for n in range(9)
    ]
    silent = [make_run(n, None, last=None) for n in range(9, 12)]
    view = make_view([*failed, *silent, *(make_run(n) for n in range(12, 80))])

    assert caption(view, without_value(view.runs)) == "12 of 80 not drawn: 9 failed, 3 no metric"


def test_caption_names_every_reason_in_a_fixed_order():
    view = make_view([make_run(n) for n in range(5)])
    absent = {4: "without momentum", 0: "waiting", 1: "no metric", 2: "canceled", 3: "failed"}

    assert caption(view, absent) == (
        "5 of 5 not drawn: 1 failed, 1 canceled, 1 no metric, 1 waiting, 1 without momentum"
    )
    assert caption(view, {}) == ""


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([], "No runs yet"),
        ([make_run(0, None)], "1 run, none with a value of accuracy"),
        (
            [make_run(n, 0.1) for n in range(59)] + [make_run(59, 0.95123)],
            "60 runs, best accuracy 0.9512 by run 59",
        ),
    ],
)
def test_summary_is_one_sentence(runs, text):
    assert summary(make_view(runs)) == text


def test_best_run_needs_a_finite_value():
    view = make_view([make_run(0, math.nan)], best_number=0)

    assert best_run(view) is None
    assert best_run(make_view([make_run(3, 0.5)])).number == 3


def test_table_has_run_status_metric_and_parameters():
    runs = [
        make_run(0, 0.5, state="Canceled", end_reason="policy"),
        make_run(1, None, last=math.nan, params={"momentum": math.inf}),
        make_run(2, None, last=None, params={}),
    ]

    rows = table(make_view(runs), {"Reports": {0: 10}})

    assert rows["columns"] == [
        "Run",
        "Status",
        "accuracy, best",
        "Reports",
        "learning_rate",
        "momentum",
        "batch_size",
        "optimizer",
    ]
    assert rows["rows"][0][:4] == [0, "Stopped early", 0.5, 10]
    assert rows["rows"][1] == [1, "Completed", "NaN", None, None, "Infinity", None, None]
    assert rows["rows"][2][2] is None
    assert rows["total"] == 3


def test_table_stops_at_1000_rows_and_says_how_many_there_are():
    rows = table(make_view([make_run(n) for n in range(1003)]))

    assert len(rows["rows"]) == 1000
    assert rows["total"] == 1003


def test_hover_text_lists_metric_and_parameters_safely():
    run = make_run(4, 0.5, params={"learning_rate": 2.334e-4, "optimizer": "adam <fast>"})

    [text] = hover_texts(make_view([run]), [run])

    assert text == (
        "<b>Run 4</b> · Completed<br>accuracy, best: <b>0.5000</b><br>learning_rate 2.33×10⁻⁴<br>"
        "momentum n/a<br>batch_size n/a<br>optimizer adam &lt;fast&gt;"
    )


def test_hover_text_of_many_parameters_is_cut():
    space = {f"p{n}": Shape("linear", (0, 1)) for n in range(20)}
    run = make_run(0, None, last=None, params=dict.fromkeys(space, 0.5))

    [text] = hover_texts(make_view([run], space=space), [run])

    assert "accuracy, best: no value" in text
    assert text.endswith("p11 0.5<br>and 8 more")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_scale_of_goodness_stands_out_the_more_the_better(theme):
    css = (Path(__file__).parents[2] / "static" / "css" / "tokens.css").read_text("utf-8")

    def brightness(token):
        light, dark = re.search(rf"--{token}: light-dark\((#\w+), (#\w+)\)", css).groups()
        channels = [int((light if theme == "light" else dark)[i : i + 2], 16) for i in (1, 3, 5)]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))

    surface = brightness("surface")
    distances = [abs(brightness(f"seq-{n}") - surface) for n in range(6)]
    # Dark is best on white; on the dark theme the best is the brightest.
    assert distances == sorted(distances)
    assert (brightness("seq-5") < brightness("seq-0")) == (theme == "light")
