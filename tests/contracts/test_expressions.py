"""What every expression must hold; a new one adds a strategy to tests.space_strategies."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.space import EXPRESSIONS, load_expression
from experiments.space.literals import identity, is_number
from experiments.space.parsing import parse_expression
from tests.space_strategies import EXPRESSION_MAPPINGS

every_expression = pytest.mark.parametrize("name", EXPRESSIONS)
units = st.floats(0, 1)
calmly = settings(deadline=None, max_examples=60)


def draw_expression(data, name):
    return parse_expression(data.draw(EXPRESSION_MAPPINGS[name]), "x")


def test_contract_covers_every_expression():
    assert set(EXPRESSION_MAPPINGS) == set(EXPRESSIONS)


@every_expression
def test_expression_describes_itself(name):
    kind = load_expression(name)

    assert kind.name == name
    assert kind.label
    assert kind.help.endswith(".")
    assert len({field.name for field in kind.fields}) == len(kind.fields) > 0
    assert {field.kind for field in kind.fields} <= {"number", "integer", "values"}
    assert all(field.label and field.help.endswith(".") for field in kind.fields)
    assert kind.scale in {"linear", "log", "category"}


@every_expression
@calmly
@given(data=st.data())
def test_expression_survives_all_its_forms(name, data):
    expression = draw_expression(data, name)

    for form in (expression.to_text(), expression.to_mapping(), expression.to_wire()):
        assert parse_expression(form, "x") == expression
        assert parse_expression(json.loads(json.dumps(form)), "x") == expression
        assert parse_expression(form, "x").to_text() == expression.to_text()


@every_expression
@calmly
@given(data=st.data(), u=units)
def test_values_are_inside_and_plain(name, data, u):
    expression = draw_expression(data, name)

    value = expression.from_unit(u)

    assert expression.contains(value)
    assert identity(json.loads(json.dumps(value))) == identity(value)


@every_expression
@calmly
@given(data=st.data(), u=st.floats(1e-6, 1 - 1e-6))
def test_unit_interval_and_values_are_inverse(name, data, u):
    expression = draw_expression(data, name)
    value = expression.from_unit(u)

    place = expression.to_unit(value)
    again = expression.from_unit(place)

    assert 0 <= place <= 1
    if expression.is_discrete:
        assert expression.key(again) == expression.key(value)
    else:
        assert again == pytest.approx(value, rel=1e-6, abs=1e-6)


@every_expression
@calmly
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_same_seed_gives_the_same_value(name, data, seed):
    expression = draw_expression(data, name)

    first, second = (expression.sample(np.random.default_rng(seed)) for _ in range(2))

    assert identity(first) == identity(second)


@every_expression
@calmly
@given(data=st.data(), u=units)
def test_values_are_counted_when_they_are_finite(name, data, u):
    expression = draw_expression(data, name)
    count = expression.cardinality()
    value = expression.from_unit(u)
    place = expression.index_of(value)

    if count is None:
        assert (expression.values(), place) == ([], None)
        return
    assert place is not None
    assert 0 <= place < count
    assert identity(expression.value_at(place)) == identity(value)
    if count <= 1000:
        keys = [expression.key(v) for v in expression.values()]
        assert len(set(keys)) == len(keys) == count
        assert keys[place] == expression.key(value)


@every_expression
@calmly
@given(data=st.data())
def test_bounds_span_nearly_all_values(name, data):
    expression = draw_expression(data, name)
    bounds = expression.bounds()

    if expression.scale == "category":
        assert bounds is None
        return
    low, high = bounds
    slack = 1e-9 * max(abs(low), abs(high))
    assert low <= high
    # Three sigma on either side: 0.13 % lie beyond each.
    for u in (0.0014, 0.5, 0.9986):
        assert low - slack <= expression.from_unit(u) <= high + slack


@every_expression
@calmly
@given(data=st.data())
def test_texts_for_people_are_sentences(name, data):
    expression = draw_expression(data, name)

    assert expression.describe().strip()
    assert all(text.endswith(".") for text in expression.warnings())


@pytest.mark.parametrize("name", [name for name in EXPRESSIONS if name != "choice"])
@calmly
@given(data=st.data(), value=st.one_of(st.none(), st.booleans(), st.text(), st.just(float("nan"))))
def test_what_is_no_number_is_in_no_numeric_expression(name, data, value):
    expression = draw_expression(data, name)

    assert not is_number(value)
    assert not expression.contains(value)
    assert expression.index_of(value) is None
    assert expression.key(value) != expression.key(expression.from_unit(0.5))


@every_expression
@pytest.mark.parametrize("wrong", [None, True, "1", float("nan"), float("inf"), [1], {}, 10**400])
def test_wrong_arguments_are_problems_below_the_path(name, wrong):
    kind = load_expression(name)

    problems = kind.check({field.name: wrong for field in kind.fields}, "search_space.x")

    if name == "choice" and wrong == [1]:
        assert problems == []
        return
    assert {p.path.partition("[")[0] for p in problems} == {
        f"search_space.x.{field.name}" for field in kind.fields
    }
    assert all(p.message.startswith((name, "The choice")) for p in problems)
