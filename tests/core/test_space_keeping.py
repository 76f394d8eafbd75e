"""A search space of which a region is kept."""

import pytest

from experiments.space.keeping import keep_options, keep_range
from experiments.space.parsing import parse_expression


def read(text):
    return parse_expression(text, "space")


@pytest.mark.parametrize(
    ("text", "low", "high", "kept"),
    [
        ("uniform(0, 10)", 2.5, None, "uniform(2.5, 10)"),
        ("uniform(0, 10)", None, 3, "uniform(0, 3)"),
        ("uniform(0, 10)", -5, 3, "uniform(0, 3)"),
        ("loguniform(-9, 0)", 0.001, 0.1, "loguniform(-6.90776, -2.30259)"),
        ("loguniform(-9, 0)", 0.001, None, "loguniform(-6.90776, 0)"),
        ("quniform(0, 100, 8)", 10, 45, "quniform(16, 40, 8)"),
        ("qloguniform(0, 6, 4)", None, 32, "qloguniform(0, 3.46574, 4)"),
        # Distributions without ends are drawn evenly within the region.
        ("normal(0, 1)", -1, 2, "uniform(-1, 2)"),
        ("lognormal(0, 1)", 0.5, 2, "loguniform(-0.693147, 0.693147)"),
        ("qnormal(10, 5, 2)", 3, 14, "quniform(4, 14, 2)"),
        ("randint(50)", None, 9, "randint(10)"),
        ("randint(50)", 4.2, 7.9, "choice(5, 6, 7)"),
    ],
)
def test_range_is_kept_in_real_units(text, low, high, kept):
    found = keep_range(read(text), low, high)

    assert found is not None
    assert found.to_text() == kept


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("uniform(0, 10)", None, None),
        ("uniform(0, 10)", -1, 11),
        ("uniform(0, 10)", 20, 30),
        ("quniform(0, 100, 8)", 9, 15),
        ("loguniform(-9, 0)", -3, -1),
        ("randint(50)", 3.1, 3.9),
        ("choice(1, 2, 3)", 1, 2),
    ],
)
def test_range_that_keeps_all_or_nothing_is_none(text, low, high):
    assert keep_range(read(text), low, high) is None


def test_options_are_kept_in_the_order_of_the_choice():
    choice = read("choice('adam', 'sgd', 2, 2.5)")

    assert keep_options(choice, [2.0, "adam"]).to_text() == 'choice("adam", 2)'
    assert keep_options(choice, ["adam", "sgd", 2, 2.5]) is None
    assert keep_options(choice, ["unknown"]) is None
    assert keep_options(read("uniform(0, 1)"), [0]) is None
