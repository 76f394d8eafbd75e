"""Sobol sampling: the sequence, its spread, and its stand-ins in finite spaces."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import qmc

from experiments.samplers.base import History, Observation
from experiments.samplers.random_search import RandomSearch
from experiments.samplers.sobol import Sobol
from experiments.space.space import SearchSpace

UNIT = {"x": "uniform(0, 1)", "y": "uniform(0, 1)"}


def points(kind, count, raw=UNIT, seed=3):
    sampler = kind(SearchSpace.parse(raw), goal="maximize", seed=seed)
    return np.array([list(s.params.values()) for s in sampler.suggest(History(0), count)])


def test_runs_are_the_points_of_the_scrambled_sequence():
    reference = qmc.Sobol(2, scramble=True, rng=np.random.default_rng(3)).random(8)

    assert points(Sobol, 8) == pytest.approx(reference)


def test_sequence_covers_the_space_more_evenly_than_random_draws():
    even, random = (
        np.mean([qmc.discrepancy(points(kind, 64, seed=seed)) for seed in range(5)])
        for kind in (Sobol, RandomSearch)
    )

    assert even < random / 4


def test_every_quarter_of_the_square_gets_its_share():
    counts, _, _ = np.histogram2d(*points(Sobol, 64).T, bins=4, range=[[0, 1], [0, 1]])

    assert counts.tolist() == [[4.0] * 4] * 4


def test_values_come_by_the_inverse_distribution():
    raw = {"c": "choice('a', 'b', 'c', 'd')", "n": "normal(10, 2)", "l": "loguniform(-6, -1)"}
    sampler = Sobol(SearchSpace.parse(raw), goal="maximize", seed=3)
    runs = [s.params for s in sampler.suggest(History(0), 64)]

    assert [sum(r["c"] == c for r in runs) for c in "abcd"] == [16] * 4
    assert sum(r["n"] < 10 for r in runs) == 32
    assert sum(r["l"] < np.exp(-3.5) for r in runs) == 32


def test_number_of_a_run_decides_its_point():
    sampler = Sobol(SearchSpace.parse(UNIT), goal="maximize", seed=3)
    in_order = sampler.suggest(History(0), 101)

    history = History(100, (Observation(0, {"x": 0.5, "y": 0.5}, None, "pending"),))

    assert sampler.suggest(history, 1)[0] == in_order[100]
    assert in_order[100].note == "Point 100 of the Sobol sequence of seed 3."


def test_point_that_was_tried_is_replaced_by_the_next():
    space = SearchSpace.parse({"x": "choice(1, 2, 3, 4)"})
    sampler = Sobol(space, goal="maximize", seed=3)
    first = sampler.suggest(History(0), 1)[0].params

    instead = sampler.suggest(History(0, (Observation(0, first, None, "failed"),)), 1)[0]

    assert instead.params != first
    assert instead.note == "Point 1 of the Sobol sequence of seed 3."


def test_what_the_sequence_hardly_reaches_is_drawn():
    # 2000 values, of which the sequence has to find the last one.
    space = SearchSpace.parse({"x": "randint(2000)"})
    tried = tuple(Observation(n, {"x": n}, None, "completed") for n in range(1999))

    found = Sobol(space, goal="maximize", seed=3).suggest(History(1999, tried), 5)

    assert [s.params for s in found] == [{"x": 1999}]
    assert found[0].note.startswith(("Point", "Draw 1999"))


def test_seeds_scramble_differently():
    assert not np.allclose(points(Sobol, 4, seed=1), points(Sobol, 4, seed=2))
