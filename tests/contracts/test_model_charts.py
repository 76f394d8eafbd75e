"""What the charts of a model hold when there is a model: real ones, learned from made-up runs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from experiments.charts import CHARTS, load_chart
from experiments.charts.base import Figure, RunView, SweepView
from experiments.fitted_metric import FittedMetric
from experiments.samplers.base import History, Observation
from experiments.samplers.gp.inspect import learn
from experiments.space.space import SearchSpace
from tests.chart_views import make_run
from tests.contracts.drawn import decoded, drawn_runs, resolved

MODEL_CHARTS = [name for name in CHARTS if load_chart(name).needs_model]
every_chart = pytest.mark.parametrize("name", MODEL_CHARTS)
SPACE = SearchSpace.parse(
    {
        "rate<b>": "loguniform(-9, -1)",
        "momentum": "uniform(0.5, 0.99)",
        "units": "quniform(8, 64, 8)",
        "kind": {"type": "choice", "values": ["sgd", "adam %{x}", None]},
        "fixed": "choice(3)",
    }
)


def value_of(params: dict[str, Any]) -> float:
    rate = np.log(params["rate<b>"])
    return float(0.9 - 0.01 * (rate + 4) ** 2 - (0.1 if params["kind"] == "sgd" else 0.0))


def make_runs(count: int = 30, sign: float = 1.0) -> list[RunView]:
    rng = np.random.default_rng(4)
    runs = []
    for number in range(count):
        params = SPACE.sample(rng)
        runs.append(make_run(number, sign * value_of(params), params=params))
    runs.append(make_run(count, None, state="Failed", params=SPACE.sample(rng)))
    runs.append(make_run(count + 1, 0.1 * sign, state="Running", params=SPACE.sample(rng)))
    return runs


def view_of(runs: list[RunView], goal: str = "maximize", metric: str = "accuracy") -> SweepView:
    done = [run for run in runs if run.state in ("Completed", "Failed")]
    outcomes = {"Completed": "completed", "Failed": "failed"}
    observations = [Observation(r.number, r.params, r.best, outcomes[r.state]) for r in done]
    scored = [run for run in done if run.best is not None]
    best = (max if goal == "maximize" else min)(scored, key=lambda run: run.best)
    learned = learn(SPACE, goal=goal, history=History(0, observations))
    assert learned is not None
    model = FittedMetric(learned, best.params)
    return SweepView(metric, goal, SPACE.expressions, tuple(runs), best.number, model=model)


VIEWS = {
    "maximize": lambda: view_of(make_runs()),
    "minimize": lambda: view_of(make_runs(sign=-1.0), "minimize", "loss <i>%{y}"),
    "three runs": lambda: view_of(make_runs(3)),
    "300 runs": lambda: view_of(make_runs(300)),
    "all equal": lambda: view_of([replace(r, best=0.5) for r in make_runs() if r.best is not None]),
    "huge values": lambda: view_of(
        [replace(r, best=r.best * 1e30) for r in make_runs() if r.best is not None]
    ),
}
every_view = pytest.mark.parametrize("make", VIEWS.values(), ids=list(VIEWS))


def build(name: str, view: SweepView, **options: str) -> Figure:
    return load_chart(name).build(view, options)


def numbers(values: Any) -> np.ndarray:
    return np.array(decoded(values), dtype=float)


def trace(figure: Figure, name: str) -> dict[str, Any]:
    return next(one for one in figure.data if one["name"] == name)


@every_chart
@every_view
def test_figure_is_valid_strict_and_small(name, make):
    figure = build(name, make())

    found = figure.to_json()
    go.Figure(data=resolved(found["data"]), layout=resolved(found["layout"]))
    text = json.dumps(found, allow_nan=False)
    assert len(text.encode()) < 1_000_000
    assert figure.data[-1]["name"] == "highlight"
    names = [one["name"] for one in figure.data]
    assert len(set(names)) == len(names)
    assert figure.meta["is_empty"] is False
    assert figure.meta["summary"]
    assert all(
        len(row) == len(figure.meta["table"]["columns"]) for row in figure.meta["table"]["rows"]
    )


@every_chart
def test_runs_that_the_model_does_not_know_are_counted(name):
    view = view_of(make_runs())

    figure = build(name, view)

    assert figure.meta["caption"] == "2 of 32 not drawn: 1 failed, 1 not in the model"
    assert drawn_runs(figure) == set(range(30))


@every_chart
def test_colours_are_tokens_of_the_style_sheet(name):
    css = (Path(__file__).parents[2] / "static" / "css" / "tokens.css").read_text("utf-8")
    text = json.dumps(build(name, view_of(make_runs())).to_json())

    used = set(re.findall(r'"token:([a-z0-9-]+)"', text))

    assert used - {"seq"} <= set(re.findall(r"--([a-z0-9-]+):", css))
    assert not re.findall(r'"(#[0-9a-fA-F]{3,8}|rgb\([^"]*)"', text)


@every_chart
def test_figure_without_a_model_says_what_it_waits_for(name):
    view = replace(view_of(make_runs()), model=None, model_note="It needs 20 runs.")

    meta = build(name, view).meta

    assert (meta["is_empty"], meta["note"]) == (True, "It needs 20 runs.")


def test_slice_of_a_number_is_a_line_inside_its_band():
    figure = build("model_slice", view_of(make_runs()), x="rate<b>")

    mean, low, high = (numbers(trace(figure, n)["y"]) for n in ("expected", "low", "band"))
    places = numbers(trace(figure, "expected")["x"])
    assert np.all(np.diff(places) > 0)
    assert np.all((low <= mean) & (mean <= high))
    # The metric is best where the logarithm is -4, and the model has learned that.
    assert abs(np.log(places[mean.argmax()]) + 4) < 1
    assert figure.layout["xaxis"]["type"] == "log"


def test_slice_of_a_category_is_points_with_bars():
    figure = build("model_slice", view_of(make_runs()), x="kind")

    expected = trace(figure, "expected")
    assert expected["mode"] == "markers"
    assert numbers(expected["x"]).tolist() == [0, 1, 2]
    assert min(numbers(expected["error_y"]["array"])) >= 0
    assert numbers(expected["y"]).argmin() == 0
    assert [row[0] for row in figure.meta["table"]["rows"]] == ["sgd", "adam %{x}", None]


def test_slice_of_a_counted_number_has_its_values_only():
    rows = build("model_slice", view_of(make_runs()), x="units").meta["table"]["rows"]

    assert [row[0] for row in rows] == [8, 16, 24, 32, 40, 48, 56, 64]


@pytest.mark.parametrize(
    ("x", "y", "kind"),
    [
        ("rate<b>", "momentum", "contour"),
        ("rate<b>", "kind", "heatmap"),
        ("units", "momentum", "contour"),
    ],
)
def test_surface_has_one_row_for_each_value_of_y(x, y, kind):
    view = view_of(make_runs())

    figure = build("model_surface", view, x=x, y=y)

    surface = trace(figure, "surface")
    assert surface["type"] == kind
    across, up = numbers(surface["x"]), numbers(surface["y"])
    assert [len(row) for row in surface["z"]] == [len(across)] * len(up)
    z = np.array(surface["z"], dtype=float)
    along = view.model.over(x, y)
    assert np.allclose(z.ravel(), along.expected.mean, rtol=1e-5)
    turned = view.model.over(y, x)
    assert np.allclose(z.T.ravel(), turned.expected.mean, rtol=1e-5)


def test_surface_of_uncertainty_is_small_near_the_runs():
    figure = build("model_surface", view_of(make_runs()), x="rate<b>", y="momentum", show="spread")

    assert np.min(trace(figure, "surface")["z"]) >= 0


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("model_slice", {"x": "fixed"}, "fixed has a single value."),
        ("model_surface", {"x": "units", "y": "units"}, "two different parameters"),
        ("model_surface", {"x": "units", "y": "fixed"}, "more than one value"),
    ],
)
def test_what_cannot_be_drawn_is_said(name, options, said):
    meta = build(name, view_of(make_runs()), **options).meta

    assert meta["is_empty"]
    assert said in meta["note"]


def test_check_puts_every_run_beside_what_the_others_say():
    view = view_of(make_runs())

    figure = build("model_check", view)

    runs = trace(figure, "runs")
    observed = dict(zip(decoded(runs["customdata"]), numbers(runs["y"]), strict=True))
    assert observed == pytest.approx({r.number: r.best for r in view.runs if r.number < 30})
    # A metric without noise that depends on two parameters is learned from thirty runs.
    assert np.corrcoef(numbers(runs["x"]), numbers(runs["y"]))[0, 1] > 0.8


def test_slices_go_through_the_best_run():
    view = view_of(make_runs())
    best = next(run for run in view.runs if run.number == view.best_number)

    found = view.model.along("kind")

    at = list(found.values).index(best.params["kind"])
    assert found.expected.mean[at] == pytest.approx(best.best, abs=0.02)
