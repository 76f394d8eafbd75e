"""Numbers and texts as charts show them."""

from __future__ import annotations

import base64
import math

import numpy as np
import pytest

from experiments.charts.formats import (
    MetricFormat,
    format_value,
    json_value,
    matrix,
    metric_format,
    numbers,
    plain,
    shorten,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("relu", "relu"),
        (0.0024834, "0.002483"),
        (1e-4, "10⁻⁴"),
        (math.nan, "NaN"),
        (True, "true"),
        (None, "null"),
        (0.5, "0.5"),
        ([32, "a"], '[32, "a"]'),
        ({"k": 1}, '{"k": 1}'),
    ],
)
def test_format_value_writes_any_parameter(value, text):
    assert format_value(value) == text


def test_shorten_cuts_the_middle_so_that_values_stay_apart():
    assert shorten("short") == "short"
    assert shorten("resnet50-imagenet-augmented-a", 14) == "resnet5…nted-a"
    assert len(shorten("x" * 100, 14)) == 14
    assert shorten("model-large-aaaa-v1", 14) != shorten("model-large-aaaa-v2", 14)


def test_plain_leaves_nothing_for_the_markup_of_plotly():
    assert plain("a<b>&%{x}") == "a&lt;b&gt;&amp;%\u200b{x}"


@pytest.mark.parametrize(
    ("values", "decimals", "d3"),
    [
        ([0.5, 0.9], 4, ".4f"),
        ([0.951, 0.9513], 7, ".7f"),
        ([0.5], 4, ".4f"),
        ([], 4, ".4f"),
        ([math.nan, 0.2, math.inf], 4, ".4f"),
        ([100.0, 350.0], 1, ".1f"),
        ([5e4, 9e5], 0, ".0f"),
        ([1.0, 1.0 + 1e-12], 8, ".8f"),
        ([2e-10, 1e-9], 8, ".4~g"),
        ([1.0, 2e7], 0, ".4~g"),
        ([0.0, 0.0], 4, ".4f"),
    ],
)
def test_metric_format_follows_the_spread(values, decimals, d3):
    form = metric_format(values)

    assert (form.decimals, form.d3) == (decimals, d3)


def test_metric_format_writes_values_as_the_rest_of_the_product():
    assert MetricFormat(3, ".3f").text(-0.12345) == "−0.123"
    assert MetricFormat(4, ".4~g").text(1.5e-5) == "1.5×10⁻⁵"
    assert MetricFormat(3, ".3f").text(math.nan) == "NaN"


def test_numbers_are_a_list_below_100_and_typed_from_100_on():
    assert numbers([1.5, math.nan, math.inf]) == [1.5, None, None]
    assert numbers([3, 4], "i4") == [3, 4]
    assert len(numbers(range(99), "i4")) == 99

    typed = numbers([*range(99), math.inf])

    assert typed["dtype"] == "f8"
    raw = np.frombuffer(base64.b64decode(typed["bdata"]), dtype="<f8")
    np.testing.assert_array_equal(raw, [*range(99), math.nan])


def test_matrix_has_its_shape_rows_first():
    assert matrix(np.array([[0.5, math.nan]])) == [[0.5, None]]

    typed = matrix(np.arange(120.0).reshape(40, 3))

    assert typed["shape"] == "40, 3"
    raw = np.frombuffer(base64.b64decode(typed["bdata"]), dtype="<f4").reshape(40, 3)
    assert raw[1].tolist() == [3, 4, 5]


def test_json_value_turns_only_non_finite_numbers_into_words():
    assert [json_value(v) for v in (math.nan, math.inf, -math.inf, 1.5, "x", None)] == [
        "NaN",
        "Infinity",
        "-Infinity",
        1.5,
        "x",
        None,
    ]
