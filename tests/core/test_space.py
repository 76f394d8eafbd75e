"""The search space as a whole: order, names, grid, unit cube, keys."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.problems import ProblemsError
from experiments.space.log_base import rebase
from experiments.space.space import MAX_PARAMETERS, SearchSpace, argument_name, variable_name
from tests.space_strategies import space_mappings

MIXED = {
    "lr": "loguniform(-6, -1)",
    "units": "choice(8, 16, 32)",
    "depth": "quniform(1, 4, 1)",
    "--act": "choice('relu', 'tanh')",
}
FINITE = {"a": "choice(1, 2, 2)", "b": "quniform(0, 2, 1)", "c": "randint(4)", "d": "normal(5, 0)"}


def problems_of(raw):
    with pytest.raises(ProblemsError) as caught:
        SearchSpace.parse(raw)
    return {p.path: p.message for p in caught.value.problems}


def test_parameters_keep_their_declared_order():
    space = SearchSpace.parse(MIXED)

    assert list(space.parameters) == list(MIXED)
    assert list(space.sample(np.random.default_rng(1))) == list(MIXED)
    assert space.dimension == 4


@pytest.mark.parametrize("raw", [{}, None, [], "uniform(0, 1)", 3])
def test_space_without_parameters_is_refused(raw):
    found = problems_of(raw)

    assert list(found) == ["search_space"]
    assert "give at least one hyperparameter" in found["search_space"]


def test_every_problem_of_every_parameter_is_reported_at_once():
    found = problems_of(
        {
            "a": "uniform(1, 0)",
            "b c": "uniform(0, 1)",
            "d": "unifrom(0, 1)",
            "e": "quniform(1, 0, 0)",
        }
    )

    assert list(found) == [
        "search_space.a.max_value",
        "search_space.b c",
        "search_space.d",
        "search_space.e.max_value",
        "search_space.e.q",
    ]


@pytest.mark.parametrize(
    "name",
    ["", "-", "--", " ", "a b", "a=1", "a\tb", "a\nb", "a\x7f", "a\u00a0b", "a\0", "-x", "x" * 121],
)
def test_names_that_no_command_line_takes_are_refused(name):
    assert list(problems_of({name: "choice(1)"})) == [f"search_space.{name}"]


@pytest.mark.parametrize("name", [1, None, True, 1.5])
def test_names_that_are_no_text_are_refused(name):
    assert list(problems_of({name: "choice(1)"})) == [f"search_space.{name}"]


@pytest.mark.parametrize("name", ["lr", "--lr", "learning-rate", "größe", "a.b", "C", "x:y", "µ/2"])
def test_other_names_are_free(name):
    assert list(SearchSpace.parse({name: "choice(1)"}).parameters) == [name]


def test_names_that_give_the_same_argument_are_refused():
    found = problems_of({"lr": "choice(1)", "--lr": "choice(2)", "other": "choice(3)"})

    assert list(found) == ["search_space.lr", "search_space.--lr"]
    assert "both given as --lr" in found["search_space.lr"]


def test_number_of_parameters_is_limited():
    raw = {f"x{n}": "choice(1)" for n in range(MAX_PARAMETERS + 1)}

    assert "at most 100" in problems_of(raw)["search_space"]


@pytest.mark.parametrize(
    ("name", "argument", "variable"),
    [
        ("lr", "--lr", "AZUREML_SWEEP_lr"),
        ("--lr", "--lr", "AZUREML_SWEEP_lr"),
        ("--batch-size", "--batch-size", "AZUREML_SWEEP_batch_size"),
        ("batch_size", "--batch_size", "AZUREML_SWEEP_batch_size"),
    ],
)
def test_names_on_the_command_line_and_in_the_environment(name, argument, variable):
    assert (argument_name(name), variable_name(name)) == (argument, variable)


def test_cardinality_counts_different_configurations():
    assert SearchSpace.parse(FINITE).cardinality() == 2 * 3 * 4
    assert SearchSpace.parse(MIXED).cardinality() is None
    huge = SearchSpace.parse({f"x{n}": "randint(1000000)" for n in range(10)})
    assert huge.cardinality() == 10**60


def test_grid_is_the_product_with_the_last_parameter_fastest():
    space = SearchSpace.parse(FINITE)

    grid = [tuple(space.at_index(index).values()) for index in range(2 * 3 * 4)]

    assert grid == list(product([1, 2], [0, 1, 2], range(4), [5.0]))


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_places_and_configurations_of_a_grid_are_inverse(data):
    space = SearchSpace.parse(FINITE)
    index = data.draw(st.integers(0, (space.cardinality() or 1) - 1))

    assert space.index_of(space.at_index(index)) == index


@pytest.mark.parametrize("index", [-1, 24])
def test_place_outside_the_grid_is_an_error(index):
    with pytest.raises(IndexError, match="outside a grid of 24"):
        SearchSpace.parse(FINITE).at_index(index)


def test_infinite_space_has_no_grid():
    space = SearchSpace.parse(MIXED)

    with pytest.raises(ValueError, match="infinite"):
        space.at_index(0)


@pytest.mark.parametrize(
    "params",
    [{}, {"a": 1}, {"a": 3, "b": 0, "c": 0, "d": 5}, {"a": 1, "b": 0.5, "c": 0, "d": 5}],
)
def test_configuration_outside_the_space_has_no_place(params):
    space = SearchSpace.parse(FINITE)

    assert space.index_of(params) is None
    assert not space.contains(params)


def test_configuration_with_a_further_name_is_outside():
    space = SearchSpace.parse({"a": "choice(1)"})

    assert space.contains({"a": 1})
    assert not space.contains({"a": 1, "b": 2})


def test_key_tells_options_apart_and_unites_equal_numbers():
    space = SearchSpace.parse({"a": "choice(1, 1.0, True)", "x": "quniform(0, 10, 1)"})

    keys = {space.key({"a": a, "x": x}) for a in (1, 1.0, True) for x in (3, 3.0)}

    assert len(keys) == 3


def test_key_of_an_incomplete_configuration_exists():
    space = SearchSpace.parse(MIXED)

    assert space.key({}) != space.key({"lr": 0.1})


@given(space_mappings, st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_unit_cube_and_configurations_are_inverse(raw, seed):
    space = SearchSpace.parse(raw)
    params = space.sample(np.random.default_rng(seed))

    u = space.to_unit(params)
    again = space.from_unit(u)

    assert u.shape == (space.dimension,)
    assert space.contains(again)
    discrete = [name for name, e in space.parameters.items() if e.is_discrete]
    for name in discrete:
        expression = space.parameters[name]
        assert expression.key(again[name]) == expression.key(params[name])


@given(space_mappings)
@settings(deadline=None, max_examples=60)
def test_every_form_of_a_space_is_read_back(raw):
    space = SearchSpace.parse(raw)

    for form in (space.to_text(), space.to_mapping(), space.to_wire()):
        assert SearchSpace.parse(json.loads(json.dumps(form))).to_text() == space.to_text()


def test_warnings_name_their_parameter():
    space = SearchSpace.parse({"lr": "loguniform(1, 10)", "b": "choice(1, 2)"})

    assert [text.partition(":")[0] for text in space.warnings()] == ["lr"]


def test_other_bases_of_exponents_become_natural_logarithms():
    raw = {
        "a": "loguniform(-3, 0)",
        "b": "qloguniform(0, 2, 5)",
        "c": "lognormal(1, 0.5)",
        "d": "uniform(0, 1)",
    }

    space = rebase(SearchSpace.parse(raw), 10)

    u = np.array([0.0, 1.0, 0.5, 0.25])
    assert list(space.from_unit(u).values()) == [pytest.approx(1e-3), 100, pytest.approx(10), 0.25]


def test_base_that_leaves_the_range_of_numbers_is_refused():
    with pytest.raises(ProblemsError) as caught:
        rebase(SearchSpace.parse({"a": "loguniform(-1, 400)"}), 10)

    assert [p.path for p in caught.value.problems] == ["search_space.a.max_value"]
