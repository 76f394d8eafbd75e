"""Single facts about expressions: distributions, membership, options of a choice."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import experiments.space
from experiments.problems import ProblemsError
from experiments.space import EXPRESSIONS, load_expression
from experiments.space.literals import brief, identity, literal, plain, printable
from experiments.space.parsing import parse_expression

MODULES = [module.name for module in pkgutil.iter_modules(experiments.space.__path__)]
DRAWS = 20_000
# With fixed seeds the statistical tests always give the same answer; were the seed new, a right
# distribution would fail once in ten thousand.
ALPHA = 1e-4


def expression(raw):
    return parse_expression(raw, "x")


def draw(raw, n=DRAWS):
    found, rng = expression(raw), np.random.default_rng(12345)
    return [found.sample(rng) for _ in range(n)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name):
    module = importlib.import_module(f"experiments.space.{name}")

    assert doctest.testmod(module).failed == 0


def test_expressions_are_discrete_or_continuous_as_published():
    kinds = {name: load_expression(name).is_discrete for name in EXPRESSIONS}

    assert {name for name, is_discrete in kinds.items() if is_discrete} == {
        "choice", "randint", "quniform", "qloguniform", "qnormal", "qlognormal",
    }  # fmt: skip
    assert len(kinds) == 10


@pytest.mark.parametrize(
    ("raw", "law"),
    [
        ("uniform(2, 5)", stats.uniform(2, 3)),
        ("loguniform(-6, -1)", stats.loguniform(math.exp(-6), math.exp(-1))),
        ("normal(3, 2)", stats.norm(3, 2)),
        ("lognormal(1, 0.5)", stats.lognorm(s=0.5, scale=math.e)),
    ],
)
def test_continuous_draws_follow_the_published_law(raw, law):
    assert stats.kstest(draw(raw), law.cdf).pvalue > ALPHA


@pytest.mark.parametrize(
    ("raw", "shares"),
    [
        ("quniform(0, 10, 1)", {0: 0.05, **dict.fromkeys(range(1, 10), 0.1), 10: 0.05}),
        ("quniform(1, 10, 4)", {0: 1 / 9, 4: 4 / 9, 8: 4 / 9}),
        ("randint(4)", dict.fromkeys(range(4), 0.25)),
        ("choice('a', 'b', 'b', 'c')", {"a": 0.25, "b": 0.5, "c": 0.25}),
    ],
)
def test_discrete_draws_have_the_published_shares(raw, shares):
    values = draw(raw)
    counts = [values.count(value) for value in shares]

    assert sum(counts) == DRAWS
    assert stats.chisquare(counts, [p * DRAWS for p in shares.values()]).pvalue > ALPHA


@pytest.mark.parametrize(
    ("raw", "law"),
    [
        ("qnormal(10, 3, 2)", stats.norm(10, 3)),
        ("qlognormal(3, 0.4, 2)", stats.lognorm(s=0.4, scale=math.exp(3))),
        ("qloguniform(1, 4, 2)", stats.loguniform(math.e, math.exp(4))),
    ],
)
def test_quantised_draws_are_the_rounded_law(raw, law):
    values = np.array(draw(raw))
    cells = sorted(value for value in set(values) if np.mean(values == value) > 0.01)
    counts = [np.sum(values == value) for value in cells]
    shares = [law.cdf(value + 1) - law.cdf(value - 1) for value in cells]
    rest = [DRAWS - sum(counts), 1 - sum(shares)]

    assert stats.chisquare([*counts, rest[0]], np.array([*shares, rest[1]]) * DRAWS).pvalue > ALPHA


@pytest.mark.parametrize("raw", ["quniform(0, 10, 1)", "quniform(0, 64, 16.0)", "qnormal(0, 9, 3)"])
def test_quantised_values_are_ints_when_the_step_is_integral(raw):
    assert {type(value) for value in draw(raw, 50)} == {int}


@pytest.mark.parametrize("text", ["0.1", "0.05", "0.3", "1e-05", "0.125"])
def test_multiples_of_a_decimal_step_print_as_people_write_them(text):
    values = expression(f"quniform(0, {float(text) * 40!r}, {text})").values()

    assert max(len(f"{value:.15g}") - len(repr(value)) for value in values) == 0


@pytest.mark.parametrize(
    ("raw", "inside", "outside"),
    [
        ("uniform(0, 1)", [0, 0.5, 1, 1.0], [-0.1, 1.1]),
        ("loguniform(-1, 1)", [math.exp(-1), 1, math.e], [0, -1, 0.3, 3]),
        ("normal(0, 1)", [-40, 0, 1e6], []),
        ("normal(2, 0)", [2, 2.0], [2.1]),
        ("lognormal(0, 1)", [1e-9, 5], [0, -1]),
        ("lognormal(0, 0)", [1], [1.1]),
        ("quniform(1, 10, 4)", [0, 4.0, 8], [1, 12, 4.5, -4]),
        ("quniform(0, 1000000000, 0.05)", [0.05, 1e9, 1e9 - 0.05], [1e9 - 0.03, 1e9 + 0.05]),
        ("qloguniform(1, 2, 0.001)", [4.618, 4.0, 6.0 + 0.001], [4.618000001, 4.6185]),
        ("quniform(0, 1, 0.1)", [0.1 + 0.2, sum([0.1] * 9)], [0.3 + 1e-9]),
        ("qlognormal(0, 1, 2)", [0, 2, 400], [-2, 3]),
        ("qnormal(0, 1, 0.1)", [-0.3, 0.30000000000000004, 7], [0.35]),
        ("randint(3)", [0, 1, 2, 2.0], [3, -1, 0.5]),
        ("choice([16, 32.0, 'a', [1], {'k': 2}])", [16, 16.0, 32, "a", [1], {"k": 2}], ["16", [2]]),
        ("choice(1)", [1], [True, "1"]),
    ],
)
def test_membership(raw, inside, outside):
    found = expression(raw)

    assert [value for value in inside if not found.contains(value)] == []
    assert [value for value in [*outside, None, float("nan")] if found.contains(value)] == []


def test_options_that_python_calls_equal_stay_apart():
    choice = expression("choice(1, 1.0, True, '1')")

    assert choice.cardinality() == 4
    assert [choice.index_of(value) for value in (1, 1.0, True, "1")] == [0, 1, 2, 3]
    assert len({choice.key(value) for value in choice.values()}) == 4
    assert expression("choice(1)") != expression("choice(True)")


def test_number_that_storage_changed_is_still_the_option():
    choice = expression("choice(1e16, 5)")

    assert choice.index_of(10**16) == 0
    assert choice.key(5.0) == choice.key(5)


def test_expressions_are_equal_and_hashed_by_their_options():
    assert {expression("choice(1, 2)"), expression("choice([1, 2])")} == {
        expression("choice(1, 2)")
    }
    assert expression("choice(1)") != expression("uniform(0, 1)")


def test_expression_that_is_read_already_stays_itself():
    found = expression("uniform(0, 1)")

    assert parse_expression(found, "x") is found


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (["choice", [["x"] * 10_001]], "choice has 10001 values; it takes at most 10000."),
        (["choice", [["a\ud800"]]], "which is no character."),
        ("choice(" + "[" * 25 + "]" * 25 + ")", "is nested too deeply."),
        (["choice", [["a\0"]]], "has a null character."),
        (["choice", [[{"k": {"type": "uniform"}}]]], "a space inside a value is not supported."),
        (["choice", [[{1: 2}]]], "has a key that is not text."),
        (["choice", [[float("nan")]]], "is not a finite number."),
        (["choice", [[b"x"]]], "is not a value that JSON can hold."),
    ],
)
def test_what_cannot_be_an_option_is_refused(raw, message):
    with pytest.raises(ProblemsError) as caught:
        expression(raw)

    assert [p.message.endswith(message) for p in caught.value.problems] == [True]


@pytest.mark.parametrize(
    "raw", ["choice(values=range(1, 4))", {"type": "choice", "values": range(1, 4)}]
)
def test_named_range_is_written_out(raw):
    assert expression(raw).to_wire() == ["choice", [[1, 2, 3]]]


def test_options_are_handed_out_as_copies():
    choice = expression("choice([[1, 2]])")

    choice.from_unit(0.5).append(3)
    choice.values()[0].append(3)
    choice.arguments()["values"][0].append(3)

    assert choice.values() == [[1, 2]]


def test_place_of_what_is_no_option_is_unknown():
    with pytest.raises(ValueError, match="3 is not one of the options"):
        expression("choice(1, 2)").to_unit(3)


def test_endless_expression_has_no_value_number():
    with pytest.raises(ValueError, match="no end"):
        expression("qnormal(0, 1, 1)").value_at(3)


def test_long_ranges_are_counted_and_not_listed():
    found = expression("randint(9007199254740992)")

    assert (found.cardinality(), found.values()) == (2**53, [])
    assert found.index_of(found.value_at(2**53 - 1)) == 2**53 - 1
    assert expression("quniform(0, 1000000, 1)").values() == []


@pytest.mark.parametrize("u", [0.0, 1e-300, 1 - 2**-53, 1.0])
@pytest.mark.parametrize("name", ["normal(0, 1)", "lognormal(0, 200)", "qlognormal(0, 10, 1)"])
def test_ends_of_the_unit_interval_stay_finite(name, u):
    assert math.isfinite(expression(name).from_unit(u))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_a_problem(text):
    with pytest.raises(ProblemsError) as caught:
        expression(text)

    assert [p.path for p in caught.value.problems] == ["x"]


@pytest.mark.parametrize("raw", ["(" * 5000, "choice(" + "[" * 3000, "uniform(0, " + "-" * 5000])
def test_deeply_nested_text_is_a_problem(raw):
    with pytest.raises(ProblemsError):
        expression(raw)


@pytest.mark.parametrize(
    "value", [None, True, 1, -2.5, "a'b\"c\n\\", [1, [2]], {"k": [None, {"m": 1.0}]}, "Ünï \u2028"]
)
def test_literals_are_read_back_by_the_text_form(value):
    text = f"choice([{literal(value)}])"

    assert identity(expression(text).values()[0]) == identity(value)


def test_plain_values_lose_their_subclasses():
    values = plain([np.float64(0.5), (1, 2), {"k": (3,)}])

    assert values == [0.5, [1, 2], {"k": [3]}]
    assert type(values[0]) is float


def test_values_in_messages_are_short_and_printable():
    endless = []
    endless.append(endless)

    assert len(brief("x" * 500)) == 80
    assert brief(10**5000) == brief(endless) == "a value too large to show"
    assert printable("a\0b\ud800") == "a\\x00b\\ud800"
