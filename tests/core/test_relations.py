"""Importance and correlation against what is known of made-up runs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.correlation import EPSILON, SPEARMAN, correlations_of
from experiments.importance import importance_of

NAMES = ["strong", "weak", "kind", "noise", "fixed"]


def world(runs=300, seed=1):
    rng = np.random.default_rng(seed)
    params = [
        {
            "strong": float(rng.random()),
            "weak": float(rng.random()),
            "kind": str(rng.choice(["a", "b", "c"])),
            "noise": float(rng.random()),
            "fixed": 3,
        }
        for _ in range(runs)
    ]
    values = np.array(
        [-4 * (p["strong"] - 0.5) ** 2 + 0.3 * p["weak"] + (p["kind"] == "c") * 0.6 for p in params]
    )
    return params, values + rng.normal(0, 0.02, runs)


def test_importance_orders_parameters_and_holds_noise_near_nothing():
    params, values = world()

    found = importance_of(NAMES, params, values)

    assert [share.name for share in found.shares][:2] == ["strong", "kind"] or [
        share.name for share in found.shares
    ][:2] == ["kind", "strong"]
    by_name = {share.name: share for share in found.shares}
    assert sum(share.share for share in found.shares) == pytest.approx(1.0)
    assert by_name["noise"].share < 0.03
    assert by_name["fixed"].share == by_name["fixed"].high == 0.0
    assert by_name["weak"].share > by_name["noise"].high
    assert all(share.low <= share.share <= share.high for share in found.shares)
    assert found.explained > 0.7
    assert importance_of(NAMES, params, values) == found


def test_importance_sees_what_no_parameter_tells_alone():
    rng = np.random.default_rng(2)
    params = [{"x": float(a), "y": float(b), "z": float(c)} for a, b, c in rng.random((400, 3))]
    values = np.array([(p["x"] > 0.5) != (p["y"] > 0.5) for p in params], float)

    found = importance_of(["x", "y", "z"], params, values + rng.normal(0, 0.05, 400))

    assert {share.name for share in found.shares[:2]} == {"x", "y"}
    assert found.shares[2].share < 0.1


def test_importance_of_nothing_explains_nothing():
    params, values = world(200)
    shuffled = np.random.default_rng(0).permutation(values)

    assert importance_of(NAMES, params, shuffled).explained < 0.1


@pytest.mark.parametrize("runs", [0, 1, 19])
def test_importance_waits_for_twenty_runs(runs):
    params, values = world(runs)

    assert importance_of(NAMES, params, values) is None


def test_importance_takes_missing_values_and_mixed_kinds():
    params, values = world(60)
    for number, own in enumerate(params):
        if number % 3 == 0:
            own.pop("weak")
        own["kind"] = [None, True, ["list", 1], "text"][number % 4]

    found = importance_of(NAMES, params, values)

    assert {share.name for share in found.shares} == set(NAMES)
    assert importance_of(["fixed"], params, values) is None
    assert importance_of(NAMES, params, np.zeros(60)) is None


def test_correlation_of_numbers_is_spearmans_with_its_interval():
    params, values = world(120)

    strong, weak, kind, *_ = correlations_of(NAMES, params, values, "maximize")

    expected = stats.spearmanr([p["weak"] for p in params], values)
    assert (weak.measure, weak.runs) == (SPEARMAN, 120)
    assert weak.value == pytest.approx(expected.statistic)
    assert weak.low < weak.value < weak.high
    assert weak.high - weak.low == pytest.approx(2 * 1.96 / np.sqrt(117), rel=0.15)
    assert abs(strong.value) < 0.3  # up and down again: no direction
    groups = [[v for p, v in zip(params, values, strict=True) if p["kind"] == k] for k in "abc"]
    h = stats.kruskal(*groups).statistic
    assert kind.measure == EPSILON
    assert kind.value == pytest.approx((h - 2) / (120 - 3), abs=1e-6)
    assert kind.low <= kind.value <= kind.high
    assert kind.note.startswith("best c, worst ")


def test_correlation_says_why_there_is_none():
    params, values = world(40)
    notes = {c.name: c for c in correlations_of(NAMES, params, values, "minimize")}

    assert (notes["fixed"].value, notes["fixed"].note) == (None, "has the same value in all runs")
    few = correlations_of(["weak"], params[:9], values[:9], "minimize")[0]
    assert (few.value, few.note) == (None, "needs 10 runs with a value")
    ids = [{"id": f"run {n}"} for n in range(40)]
    assert correlations_of(["id"], ids, values, "minimize")[0].note == "has 40 options for 40 runs"
