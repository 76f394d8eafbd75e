"""A person's own values for one run: what is refused, what is only asked about."""

from __future__ import annotations

import pytest

from experiments.problems import ProblemsError
from experiments.space.configuration import read_configuration
from experiments.space.literals import identity
from experiments.space.space import SearchSpace

SPACE = SearchSpace.parse(
    {
        "lr": "loguniform(-6, -1)",
        "units": "choice(16, 32)",
        "act": "choice('relu', 'tanh')",
        "shape": "choice([[1, 2], 'none', None])",
        "depth": "quniform(1, 8, 1)",
    }
)
INSIDE = {"lr": 0.1, "units": 16, "act": "relu", "shape": [1, 2], "depth": 3}


def problems_of(raw):
    with pytest.raises(ProblemsError) as caught:
        read_configuration(SPACE, raw)
    return {p.path: p.message for p in caught.value.problems}


def test_values_come_back_in_declared_order():
    found = read_configuration(SPACE, dict(reversed(INSIDE.items())))

    assert identity(list(found.params.items())) == identity(list(INSIDE.items()))
    assert found.outside == {}


def test_numbers_that_stand_for_a_value_become_it():
    found = read_configuration(SPACE, {**INSIDE, "units": 16.0, "depth": 3.0, "shape": (1, 2)})

    assert identity(found.params) == identity(INSIDE)


def test_values_outside_are_kept_and_named():
    found = read_configuration(SPACE, {**INSIDE, "lr": 2, "units": 48, "act": "gelu", "depth": 2.5})

    assert found.params == {**INSIDE, "lr": 2, "units": 48, "act": "gelu", "depth": 2.5}
    assert found.outside == {
        "lr": "lr is 2, outside loguniform(-6, -1).",
        "units": "units is 48, outside choice(16, 32).",
        "act": 'act is "gelu", outside choice("relu", "tanh").',
        "depth": "depth is 2.5, outside quniform(1, 8, 1).",
    }


def test_long_expression_is_cut_in_the_question():
    space = SearchSpace.parse({"x": "choice(range(100))"})

    [text] = read_configuration(space, {"x": 100}).outside.values()

    assert text.startswith("x is 100, outside choice(0, 1, 2,")
    assert text.endswith("….")
    assert len(text) < 110


def test_every_wrong_name_and_kind_is_reported_at_once():
    found = problems_of(
        {
            "lrr": 1,
            7: 1,
            "lr": "0.1",
            "units": True,
            "act": 5,
            "shape": {1: 2},
            "depth": float("nan"),
        }
    )

    assert found == {
        "params.lrr": 'The search space has no "lrr". Did you mean lr?',
        "params.7": "The search space has no 7. It has lr, units, act, shape, depth.",
        "params.lr": 'lr is "0.1"; use a number.',
        "params.units": "units is True; use a number.",
        "params.act": "act is 5; use text.",
        "params.shape": "shape is {1: 2}, which has a key that is not text.",
        "params.depth": "depth is nan, which is not a finite number.",
    }


def test_every_missing_value_is_reported():
    found = problems_of({})

    assert found == {f"params.{n}": f"{n} is missing; give every value." for n in INSIDE}


@pytest.mark.parametrize("raw", [None, [], "lr=1", 5])
def test_what_is_no_mapping_is_one_problem(raw):
    assert list(problems_of(raw)) == ["params"]
