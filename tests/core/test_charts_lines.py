"""Curves end to end: cut together, windows, steps and time, and the packed form."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.charts.lines import Bundle, by_step, cut, inside, pack, since_first

NAN = float("nan")


def bundle(*curves, xs=None):
    ys = [np.array(curve, np.float64) for curve in curves]
    places = [np.arange(1.0, y.size + 1) for y in ys] if xs is None else [np.array(x) for x in xs]
    return Bundle(
        np.arange(len(ys)),
        np.array([y.size for y in ys]),
        np.concatenate(places).astype(np.float64),
        np.concatenate(ys),
    )


def curves_of(found):
    ends = np.cumsum(found.counts)
    pieces = zip(found.numbers.tolist(), found.starts.tolist(), ends.tolist(), strict=True)
    return {
        number: list(zip(found.x[a:b].tolist(), found.y[a:b].tolist(), strict=True))
        for number, a, b in pieces
    }


def unpacked(array):
    return np.frombuffer(base64.b64decode(array["bdata"]), f"<{array['dtype']}")


def test_few_points_are_not_cut():
    whole = bundle([1, 2, 3], [4])

    assert cut(whole, 4) is whole


@given(
    curves=st.lists(
        st.lists(st.floats(-1e6, 1e6) | st.just(NAN), min_size=1, max_size=60),
        min_size=1,
        max_size=8,
    ),
    most=st.integers(3, 60),
)
def test_cut_curves_keep_ends_extremes_gaps_and_order(curves, most):
    whole = bundle(*curves)

    found = cut(whole, most)

    assert found.numbers.tolist() == list(range(len(curves)))
    kept = curves_of(found)
    for number, curve in enumerate(curves):
        points = kept[number]
        assert [x for x, _ in points] == sorted({x for x, _ in points})
        for x, y in points:
            assert np.array_equal(y, curve[int(x) - 1], equal_nan=True)
        assert (points[0][0], points[-1][0]) == (1, len(curve))
        ys = [y for _, y in points]
        if not np.isnan(curve).all():
            assert (np.nanmin(ys), np.nanmax(ys)) == (np.nanmin(curve), np.nanmax(curve))
        assert np.isnan(ys).any() == np.isnan(curve).any()


def test_a_thousand_curves_are_cut_to_what_was_asked_for():
    rng = np.random.default_rng(0)
    whole = bundle(*(rng.random(n) for n in (1000, 10, 500, 1) * 50))

    found = cut(whole, 10_000)

    assert 7_000 < found.y.size <= 10_000 + 10 * 200
    by_run = dict(zip(found.numbers.tolist(), found.counts.tolist(), strict=True))
    # Buckets are as long for a short curve as for a long one, and all begin finely.
    assert by_run[0] - 7 == pytest.approx(2 * (by_run[2] - 7), rel=0.1)
    assert {1, 2, 3, 4, 6, 9, 13, 19} <= set(found.x[:20].tolist())


def test_steps_are_sorted_and_the_last_of_equal_ones_counts():
    whole = bundle(
        [0.1, 0.2, 0.3, 0.5, 0.4], [0.9], [0.8, 0.7], xs=[[10, 20, 10, 30, NAN], [NAN], [0.5, 1.5]]
    )

    found = by_step(whole)

    assert curves_of(found) == {0: [(10, 0.3), (20, 0.2), (30, 0.5)], 2: [(0.5, 0.8), (1.5, 0.7)]}
    assert by_step(bundle([0.9], xs=[[NAN]])).counts.size == 0


def test_time_begins_with_the_first_report_of_each_run():
    whole = bundle([1, 2], [3, 4, 5], xs=[[1e9, 1e9 + 2.5], [2e9, 2e9 + 1, 2e9 + 1]])

    found, begins = since_first(whole)

    assert found.x.tolist() == [0, 2.5, 0, 1, 1]
    assert begins.tolist() == [1e9, 2e9]


def test_a_window_has_one_point_more_on_either_side_and_no_run_without_any():
    found = inside(bundle([1, 2, 3, 4, 5, 6], [7, 8]), 3.5, 4.5)

    assert curves_of(found) == {0: [(3, 3), (4, 4), (5, 5)]}


def test_few_values_are_sent_to_the_last_bit_and_x_as_differences():
    document = json.loads(json.dumps(pack(bundle([0.1, NAN, 0.3], [0.7])), allow_nan=False))

    assert document["numbers"] == [0, 1]
    assert unpacked(document["counts"]).tolist() == [3, 1]
    assert (document["xs"]["is_delta"], document["xs"]["dtype"]) == (True, "u1")
    assert unpacked(document["xs"]).tolist() == [1, 1, 1, 1]
    assert np.array_equal(unpacked(document["ys"]), [0.1, NAN, 0.3, 0.7], equal_nan=True)
    assert document["base"] == 0


def test_many_values_are_sent_to_seven_digits_of_their_spread():
    values = 1e6 + np.random.default_rng(1).random(40_000)

    document = pack(bundle(values))

    assert document["ys"]["dtype"] == "f4"
    assert np.abs(unpacked(document["ys"]).astype("f8") + document["base"] - values).max() < 1e-7


@pytest.mark.parametrize(
    ("x", "dtype", "is_delta"),
    [([1, 200, 70_000], "u4", True), ([0.5, 1], "f8", False), ([-3, 1], "f8", False)],
)
def test_x_takes_the_least_type_that_holds_it(x, dtype, is_delta):
    packed = pack(bundle([0.0] * len(x), xs=[x]))["xs"]

    assert (packed["dtype"], packed["is_delta"]) == (dtype, is_delta)


def test_nothing_is_packed_as_nothing():
    empty = Bundle(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))

    document = pack(cut(inside(by_step(empty), 0, 1), 100))

    assert (document["numbers"], unpacked(document["ys"]).size) == ([], 0)
