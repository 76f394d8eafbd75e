"""Grid sampling: the counts and the order of tests/golden/expressions.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.samplers.base import History, Observation, SpaceExhausted
from experiments.samplers.grid_search import GridSearch
from experiments.space.literals import identity
from experiments.space.space import SearchSpace

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "expressions.json").read_text("utf-8"))


def grid(raw):
    return GridSearch(SearchSpace.parse(raw), goal="minimize", seed=1)


@pytest.mark.parametrize("row", GOLDEN["grids"], ids=lambda row: json.dumps(row["space"]))
def test_grid_has_the_published_runs(row):
    found = grid(row["space"]).suggest(History(0), row["max_total_runs"])

    assert [identity(list(s.params.values())) for s in found] == [
        identity(run) for run in row["runs"]
    ]
    assert SearchSpace.parse(row["space"]).cardinality() == row.get("total", len(row["runs"]))


def test_notes_say_the_place_in_the_grid():
    found = grid({"a": "choice(1, 2)", "b": "choice(1, 2)"}).suggest(History(0), 2)

    assert [s.note for s in found] == ["Combination 1 of 4.", "Combination 2 of 4."]


def test_gap_is_filled_before_the_grid_goes_on():
    raw = {"a": "choice(1, 2, 3, 4)"}
    tried = tuple(Observation(n, {"a": a}, None, "failed") for n, a in enumerate((1, 3)))

    found = grid(raw).suggest(History(2, tried), 5)

    assert [s.params["a"] for s in found] == [2, 4]


def test_end_of_the_grid_is_an_end():
    tried = tuple(Observation(n, {"a": n}, None, "completed") for n in range(2))

    with pytest.raises(SpaceExhausted, match="All 2 configurations have been tried"):
        grid({"a": "choice(0, 1)"}).suggest(History(2, tried), 1)


def test_only_choice_has_a_grid():
    space = SearchSpace.parse({"a": "choice(1)", "lr": "uniform(0, 1)", "n": "quniform(0, 4, 1)"})

    problems = GridSearch.check(space, {"seed": 3}, "sampling")

    assert [(p.path, p.message) for p in problems] == [
        ("sampling.seed", 'grid sampling has no option "seed". It takes none.'),
        (
            "search_space.lr",
            "Grid sampling cannot use uniform; it takes choice. "
            "Change the expression or the sampling method.",
        ),
        (
            "search_space.n",
            "Grid sampling cannot use quniform; it takes choice. "
            "Change the expression or the sampling method.",
        ),
    ]
