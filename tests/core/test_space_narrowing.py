"""The search space of a second sweep: around a configuration, of the same expressions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.space import EXPRESSIONS
from experiments.space.narrowing import narrow, narrow_space
from experiments.space.parsing import parse_expression
from experiments.space.positions import distance, position_of
from experiments.space.space import SearchSpace
from tests.space_strategies import EXPRESSION_MAPPINGS


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("uniform(0, 8)", 5, "uniform(3, 7)"),
        # Clipped to the old bounds.
        ("uniform(2, 8)", 3, "uniform(2, 4.5)"),
        # At or near a bound it goes on beyond.
        ("uniform(2, 8)", 2.1, "uniform(0.6, 3.6)"),
        ("uniform(2, 8)", 8, "uniform(6.5, 9.5)"),
        # But a sign stays, and a fraction stays one.
        ("uniform(0, 8)", 0.0, "uniform(0, 2)"),
        ("uniform(-8, 0)", 0.0, "uniform(-2, 0)"),
        ("uniform(0.5, 1)", 1.0, "uniform(0.875, 1)"),
        ("uniform(0.9, 0.99)", 0.987654, "uniform(0.9652, 1)"),
        ("loguniform(-6, -2)", math.exp(-4), "loguniform(-5, -3)"),
        ("loguniform(-6, -2)", math.exp(-6), "loguniform(-7, -5)"),
        ("quniform(0, 100, 10)", 50, "quniform(20, 80, 10)"),
        ("quniform(1, 5, 1)", 1, "quniform(0, 2, 1)"),
        ("quniform(0, 4, 2)", 2, "quniform(0, 4, 2)"),
        ("qloguniform(0, 6, 1)", 20, "qloguniform(1.5, 4.5, 1)"),
        ("randint(100)", 50, "randint(76)"),
        ("randint(100)", 99, "randint(125)"),
        ("randint(1)", 0, "randint(1)"),
        ("normal(10, 2)", 12.5, "normal(12.5, 1)"),
        ("lognormal(0, 1)", math.e, "lognormal(1, 0.5)"),
        ("normal(3, 0)", 3, "normal(3, 0)"),
        ("choice(16, 32, 64)", 16, "choice(16, 32, 64)"),
        # A configuration queued by hand may be outside.
        ("choice(16, 32)", 128, "choice(16, 32, 128)"),
        ("uniform(2, 8)", 12, "uniform(10.5, 13.5)"),
        ("uniform(0, 1)", 5, "uniform(4.75, 5.25)"),
        ("uniform(0, 8)", -3, "uniform(-5, -1)"),
        ("uniform(-8, 0)", 3, "uniform(1, 5)"),
        ("loguniform(-2, 2)", math.exp(9), "loguniform(8, 10)"),
        ("uniform(2, 8)", "auto", "uniform(2, 8)"),
        ("lognormal(0, 1)", -1, "lognormal(0, 1)"),
        # Rounding may give 0, which has no logarithm.
        ("qloguniform(-3, 3, 1)", 0, "qloguniform(-2.19, 0.81, 1)"),
        # Where the range would leave what numbers can hold, it stays.
        ("qloguniform(30, 36, 1)", 4311231547115195, "qloguniform(30, 36, 1)"),
        ("loguniform(690, 700)", math.exp(700), "loguniform(697.5, 700)"),
        # A step as coarse as the range leaves nothing to search.
        ("qnormal(0, 4, 5)", 0, "qnormal(0, 2, 5)"),
    ],
)
def test_range_around_a_value(text, value, expected):
    assert narrow(parse_expression(text, "x"), value).to_text() == expected


def test_choice_that_is_full_stays_as_it_is():
    full = parse_expression({"type": "choice", "values": list(range(10_000))}, "x")

    assert narrow(full, "another") is full


@pytest.mark.parametrize("name", EXPRESSIONS)
@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_narrowed_expression_is_of_the_same_kind_and_draws_the_value(name, data):
    old = parse_expression(data.draw(EXPRESSION_MAPPINGS[name]), "x")
    value = old.from_unit(data.draw(st.floats(0, 1)))

    new = narrow(old, value)

    assert new.name == old.name
    assert new.contains(value)
    assert parse_expression(new.to_mapping(), "x") == new


@pytest.mark.parametrize("name", ["uniform", "loguniform", "quniform", "qloguniform", "randint"])
@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_narrowed_range_stays_within_the_old_one_away_from_its_bounds(name, data):
    old = parse_expression(data.draw(EXPRESSION_MAPPINGS[name]), "x")
    value = old.from_unit(data.draw(st.floats(0, 1)))
    new = narrow(old, value)

    (low, high), (new_low, new_high) = old.bounds(), new.bounds()
    slack = 1e-9 * max(abs(low), abs(high))
    edge = position_of(old, value).edge

    assert edge < 0 or new_low >= low - slack
    assert edge > 0 or new_high <= high + slack


def test_space_keeps_names_and_their_order():
    space = SearchSpace.parse({"lr": "loguniform(-6, -2)", "b": "choice(1, 2)", "a": "randint(9)"})

    found = narrow_space(space, {"a": 4, "b": 1, "lr": math.exp(-4)})

    assert list(found) == ["lr", "b", "a"]
    assert found["lr"] == {"type": "loguniform", "min_value": -5, "max_value": -3}
    assert SearchSpace.parse(found).contains({"a": 4, "b": 1, "lr": math.exp(-4)})


@pytest.mark.parametrize("name", EXPRESSIONS)
@settings(deadline=None, max_examples=100)
@given(data=st.data(), value=st.one_of(st.floats(-1e9, 1e9), st.text(max_size=3), st.none()))
def test_values_from_anywhere_are_answered(name, data, value):
    old = parse_expression(data.draw(EXPRESSION_MAPPINGS[name]), "x")

    assert narrow(old, value).name == name
    place = position_of(old, value).place
    assert place is None or 0 <= place <= 1
    space = SearchSpace({"x": old})
    assert 0 <= distance(space, {"x": value}, {"x": old.from_unit(0.5)}) <= 1


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_value_that_has_no_logarithm_leaves_the_range(value):
    old = parse_expression({"type": "loguniform", "min_value": -2, "max_value": -1}, "x")

    assert narrow(old, value).arguments() == old.arguments()
