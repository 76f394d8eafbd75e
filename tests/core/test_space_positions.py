"""Where a value stands in its range, and how far configurations are apart."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.space import EXPRESSIONS
from experiments.space.parsing import parse_expression
from experiments.space.positions import distance, position_of, ranked_options
from experiments.space.space import SearchSpace
from tests.space_strategies import EXPRESSION_MAPPINGS, space_mappings

calmly = settings(deadline=None, max_examples=60)
units = st.floats(0, 1)


@pytest.mark.parametrize(
    ("text", "value", "place", "words", "edge"),
    [
        ("uniform(0, 10)", 0, 0, "at the lower bound", -1),
        ("uniform(0, 10)", 0.4, 0.04, "near the lower bound", -1),
        ("uniform(0, 10)", 2, 0.2, "in the lower third", 0),
        ("uniform(0, 10)", 5, 0.5, "in the middle", 0),
        ("uniform(0, 10)", 8, 0.8, "in the upper third", 0),
        ("uniform(0, 10)", 9.7, 0.97, "near the upper bound", 1),
        ("uniform(0, 10)", 10, 1, "at the upper bound", 1),
        ("uniform(0, 10)", 11, 1, "outside the search space", 1),
        ("uniform(0, 10)", -1, 0, "outside the search space", -1),
        ("uniform(0, 10)", "x", None, "outside the search space", 0),
        ("quniform(0, 10, 4)", 4, 0.5, "in the middle", 0),
        ("quniform(0, 10, 4)", 8, 1, "at the upper bound", 1),
        ("quniform(0, 10, 4)", 5, None, "outside the search space", 0),
        ("randint(11)", 0, 0, "at the lower bound", 0),
        ("randint(11)", 10, 1, "at the upper bound", 1),
        ("normal(10, 2)", 10, 0.5, "near the mean", 0),
        ("normal(10, 2)", 7, 0.25, "1.5 spreads below the mean", 0),
        ("normal(10, 2)", 99, 1, "3 or more spreads above the mean", 0),
        ("normal(10, 0)", 10, 0.5, "the only value", 0),
        ("qnormal(10, 0.1, 5)", 10, 0.5, "near the mean", 0),
        ("lognormal(0, 1)", -1, 0, "3 or more spreads below the mean", 0),
        ("choice(32, 16, 64)", 16, 0, "the smallest of 3", -1),
        ("choice(32, 16, 64)", 32.0, 0.5, "number 2 of 3", 0),
        ("choice(32, 16, 64)", 64, 1, "the largest of 3", 1),
        ("choice(32, 16)", 16, 0, "the smallest of 2", 0),
        ("choice('a', 'b', 'c')", "c", 1, "option 3 of 3", 0),
        ("choice('a')", "a", 0.5, "the only value", 0),
        ("choice('a', 'b')", "x", None, "outside the search space", 0),
        ("choice(1, True)", True, 1, "option 2 of 2", 0),
    ],
)
def test_position_says_where_a_value_stands(text, value, place, words, edge):
    found = position_of(parse_expression(text, "x"), value)

    assert (found.place, found.words, found.edge) == (
        place if place is None else pytest.approx(place),
        words,
        edge,
    )


def test_log_expressions_are_measured_by_decades():
    found = position_of(parse_expression("loguniform(-6, -2)", "x"), math.exp(-4))

    assert found.place == pytest.approx(0.5)
    assert (found.low, found.high) == (math.exp(-6), math.exp(-2))


def test_lognormal_is_measured_in_spreads_of_the_logarithm():
    found = position_of(parse_expression("lognormal(0, 1)", "x"), math.e**2)

    assert found.words == "2.0 spreads above the mean"
    assert found.place == pytest.approx(5 / 6)


def test_bounds_are_written_as_runs_get_them():
    found = position_of(parse_expression("quniform(16, 128, 16)", "x"), 32)

    assert [repr(bound) for bound in (found.low, found.high)] == ["16", "128"]


def test_options_that_are_numbers_are_ranked_by_size():
    assert ranked_options(parse_expression("choice(3, 1, 2)", "x")) == [1, 2, 3]
    assert ranked_options(parse_expression("choice('b', 'a')", "x")) == ["b", "a"]


@pytest.mark.parametrize("name", EXPRESSIONS)
@calmly
@given(data=st.data())
def test_drawn_value_stands_within_its_range(name, data):
    expression = parse_expression(data.draw(EXPRESSION_MAPPINGS[name]), "x")

    found = position_of(expression, expression.from_unit(data.draw(units)))

    assert found.place is not None
    assert 0 <= found.place <= 1
    assert found.words != "outside the search space"


@calmly
@given(raw=space_mappings, data=st.data())
def test_distance_is_symmetric_and_zero_only_for_the_same(raw, data):
    space = SearchSpace.parse(raw)
    size = len(space.expressions)
    a, b = (space.from_unit(data.draw(st.lists(units, min_size=size, max_size=size))) for _ in "ab")

    there, back = distance(space, a, b), distance(space, b, a)

    assert there == back
    assert 0 <= there <= 1
    assert distance(space, a, dict(a)) == 0
    if space.key(a) == space.key(b):
        assert there == 0


def test_distance_weighs_every_parameter_alike():
    space = SearchSpace.parse(
        {"a": "uniform(0, 1)", "b": "choice('x', 'y')", "c": "choice(1, 2, 3)"}
    )
    one = {"a": 0.0, "b": "x", "c": 1}

    assert distance(space, one, {"a": 1.0, "b": "y", "c": 3}) == 1
    assert distance(space, one, {"a": 0.3, "b": "x", "c": 1}) == pytest.approx(0.3 / 3**0.5)
    assert distance(space, one, {"a": 0.0, "b": "x", "c": 2}) == pytest.approx(0.5 / 3**0.5)
    assert distance(space, one, {"a": 0.0, "b": "z", "c": 1}) == pytest.approx(1 / 3**0.5)
    assert distance(space, one, {"a": "?", "b": "x", "c": 1}) == pytest.approx(1 / 3**0.5)
