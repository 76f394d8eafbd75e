"""Ends of the search space: where the best runs stand at one, and what lies beyond."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.space.edges import Scored, find_edges
from experiments.space.parsing import parse_expression
from experiments.space.space import SearchSpace
from experiments.space.widening import widen
from tests.space_strategies import EXPRESSION_MAPPINGS


@pytest.mark.parametrize(
    ("text", "side", "expected"),
    [
        ("uniform(2, 8)", 1, "uniform(2, 11)"),
        ("uniform(2, 8)", -1, "uniform(0.2, 8)"),
        ("uniform(20, 60)", -1, "uniform(2, 60)"),
        ("uniform(-3, 5)", -1, "uniform(-7, 5)"),
        # A momentum comes closer to 1 and does not reach it.
        ("uniform(0.9, 0.99)", 1, "uniform(0.9, 0.999)"),
        ("uniform(0, 0.5)", 1, "uniform(0, 0.75)"),
        ("uniform(0.1, 0.5)", -1, "uniform(0.01, 0.5)"),
        # Natural ends.
        ("uniform(0, 8)", -1, None),
        ("uniform(0, 1)", 1, None),
        ("uniform(0, 1)", -1, None),
        ("uniform(-8, 0)", 1, None),
        ("quniform(10, 100, 10)", 1, "quniform(10, 140, 10)"),
        ("quniform(1, 5, 1)", -1, None),
        # A decade, or the whole range where that is less.
        ("loguniform(-9.2103, -2.3026)", 1, "loguniform(-9.2103, 0)"),
        ("loguniform(-9.2103, -2.3026)", -1, "loguniform(-11.5129, -2.3026)"),
        ("loguniform(-3, -2)", 1, "loguniform(-3, -1)"),
        ("loguniform(690, 700)", 1, None),
        ("qloguniform(0, 6, 1)", 1, "qloguniform(0, 8.3026, 1)"),
        ("qloguniform(0, 6, 1)", -1, None),
        ("randint(100)", 1, "randint(150)"),
        ("randint(100)", -1, None),
        ("normal(0, 1)", 1, None),
        ("lognormal(0, 1)", -1, None),
        ("choice(32, 64, 128)", 1, "choice(32, 64, 128, 256)"),
        ("choice(32, 64, 128)", -1, "choice(16, 32, 64, 128)"),
        ("choice(128, 64, 32)", 1, "choice(256, 128, 64, 32)"),
        ("choice(0.001, 0.01, 0.1)", 1, None),
        ("choice(0.001, 0.01, 0.1)", -1, "choice(0.0001, 0.001, 0.01, 0.1)"),
        ("choice(2, 3, 4)", 1, "choice(2, 3, 4, 5)"),
        ("choice(1, 2, 3)", -1, None),
        ("choice(0.1, 0.3, 0.5)", 1, "choice(0.1, 0.3, 0.5, 0.7)"),
        ("choice(0.5, 0.7, 0.9)", 1, None),
        ("choice(0, 0.1, 0.2)", -1, None),
        ('choice("sgd", "adam", "rmsprop")', 1, None),
        ("choice(16, 32)", 1, None),
        ("choice(2, 4, 6)", 1, "choice(2, 4, 6, 8)"),
    ],
)
def test_space_goes_on_beyond_an_end_that_is_not_natural(text, side, expected):
    found = widen(parse_expression(text, "x"), side)

    assert (found and found.to_text()) == expected


@given(st.one_of(*EXPRESSION_MAPPINGS.values()), st.sampled_from([-1, 1]))
@settings(max_examples=60, deadline=None)
def test_wider_space_holds_everything_that_the_old_one_draws(mapping, side):
    expression = parse_expression(mapping, "x")
    wider = widen(expression, side)

    if wider is not None:
        assert wider.name == expression.name
        for share in (0.0, 0.3, 0.7, 1.0):
            value = expression.from_unit(share)
            if expression.contains(value):
                assert wider.contains(value) or wider.name.startswith("q")


SPACE = SearchSpace.parse(
    {
        "lr": f"loguniform({math.log(1e-4)}, {math.log(1e-1)})",
        "batch_size": "choice(16, 32, 64, 128)",
        "dropout": "uniform(0, 1)",
    }
).expressions


def scored(count, best_params):
    """Return runs with values from 0 on; the best have `best_params`, others are in the middle."""
    usual = {"lr": 3e-3, "batch_size": 32, "dropout": 0.4}
    changes = [{}] * (count - len(best_params)) + best_params
    return [Scored(n, {**usual, **change}, float(n)) for n, change in enumerate(changes)]


def test_best_runs_at_a_bound_raise_the_alarm_with_its_numbers():
    runs = scored(12, [{"lr": 0.09}, {"lr": 0.099}, {"lr": 0.1}])

    (edge,) = find_edges(SPACE, runs, "maximize")

    assert (edge.name, edge.side, edge.runs) == ("lr", 1, (11, 10, 9))
    assert (edge.at, edge.top, edge.others_at, edge.others) == (3, 3, 0, 9)
    assert edge.bound == pytest.approx(0.1)
    assert edge.wider.bounds()[1] == pytest.approx(1.0, rel=1e-4)
    assert not edge.is_choice


def test_last_option_of_an_ordered_choice_is_an_edge():
    runs = scored(12, [{"batch_size": 128}] * 3)

    (edge,) = find_edges(SPACE, runs, "maximize")

    assert (edge.name, edge.side, edge.bound, edge.is_choice) == ("batch_size", 1, 128, True)


def test_three_quarters_of_the_best_tenth_are_enough_and_less_are_not():
    four = [{"lr": 0.099}] * 3 + [{"lr": 1e-2}]
    three = [{"lr": 0.099}] * 2 + [{"lr": 1e-2}] * 2

    assert [e.at for e in find_edges(SPACE, scored(40, four), "maximize")] == [3]
    assert find_edges(SPACE, scored(40, three), "maximize") == []


def test_random_draws_with_the_best_at_the_end_raise_it():
    """Where only the end matters, the best tenth of random draws fills a tenth of the range."""
    space = SearchSpace.parse({"x": "uniform(5, 25)", "y": "uniform(5, 25)"}).expressions
    rng = np.random.default_rng(0)
    runs = [
        Scored(n, {"x": float(x), "y": float(rng.uniform(5, 25))}, float(x))
        for n, x in enumerate(rng.uniform(5, 25, 60))
    ]

    (edge,) = find_edges(space, runs, "maximize")

    assert (edge.name, edge.side, edge.top) == ("x", 1, 6)
    assert [e.side for e in find_edges(space, runs, "minimize")] == [-1]


def test_where_all_runs_stand_at_the_end_nothing_is_compared():
    runs = [Scored(n, {"lr": 0.099, "batch_size": 32, "dropout": 0.4}, float(n)) for n in range(12)]

    assert find_edges(SPACE, runs, "maximize") == []


def test_no_alarm_without_enough_runs_or_at_a_natural_bound_or_on_the_wrong_side():
    at_bound = [{"lr": 0.099}] * 3
    assert find_edges(SPACE, scored(9, at_bound), "maximize") == []
    assert find_edges(SPACE, scored(12, [{"dropout": 0.999}] * 3), "maximize") == []
    assert find_edges(SPACE, scored(12, at_bound), "minimize") == []
    assert find_edges(SPACE, scored(12, [{"lr": "fast"}] * 3), "maximize") == []


def test_chance_is_no_alarm():
    """Of two options one is always the last; of three, three runs in a row rarely are."""
    space = SearchSpace.parse({"layers": "choice(2, 4, 8)", "size": "randint(2)"}).expressions
    runs = [Scored(n, {"layers": 8 if n > 8 else 4, "size": 1}, float(n)) for n in range(12)]

    assert [edge.name for edge in find_edges(space, runs, "maximize")] == ["layers"]
