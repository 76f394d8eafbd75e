"""Random sampling: the law of the draws, and finite spaces of every size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.samplers.base import History, Observation, SpaceExhausted
from experiments.samplers.random_search import RandomSearch
from experiments.samplers.tried import Tried
from experiments.space.space import SearchSpace

ALPHA = 1e-4  # chance that a right sampler would fail, were its seed not fixed


def sampler(raw, seed=3):
    return RandomSearch(SearchSpace.parse(raw), goal="maximize", seed=seed)


def values(raw, count, name="x", seed=3):
    return [s.params[name] for s in sampler(raw, seed).suggest(History(0), count)]


def observed(configurations):
    return tuple(Observation(n, p, None, "pending") for n, p in enumerate(configurations))


def test_run_is_the_same_whatever_came_before_it():
    raw = {"x": "uniform(0, 1)", "y": "choice(1, 2, 3)"}
    in_order = sampler(raw).suggest(History(0), 60)

    alone = sampler(raw).suggest(History(57, observed([{"x": 0.1, "y": 1}])), 1)

    assert alone[0] == in_order[57]


def test_seeds_give_different_runs():
    assert values({"x": "uniform(0, 1)"}, 5, seed=1) != values({"x": "uniform(0, 1)"}, 5, seed=2)


def test_endless_space_is_drawn_by_its_law():
    found = values({"x": "uniform(2, 4)", "y": "choice(1, 2)"}, 1000)

    assert stats.kstest(found, stats.uniform(2, 2).cdf).pvalue > ALPHA


def test_repeated_options_weigh_more_in_an_endless_space():
    found = values({"x": "choice(1, 2, 2, 2)", "y": "uniform(0, 1)"}, 1000)

    assert stats.binomtest(found.count(2), 1000, 0.75).pvalue > ALPHA


def test_first_draws_of_a_finite_space_keep_its_weights():
    # Every decade is equally likely: half of the draws lie below e^5 = 148 of 22026.
    found = values({"x": "qloguniform(0, 10, 1)", "y": "randint(1000)"}, 1000)

    assert stats.binomtest(sum(value < np.exp(5) for value in found), 1000, 0.5).pvalue > ALPHA


def test_end_cells_of_a_quantised_space_are_found_too():
    # 0 and 1000 are half as likely as the others, and 10^6 is e^-13 as likely as 1.
    assert sorted(values({"x": "quniform(0, 1000, 1)"}, 2000)) == list(range(1001))


def test_space_beyond_64_bits_is_sampled():
    raw = {f"x{n}": "randint(1000000000)" for n in range(9)}
    found = sampler(raw).suggest(History(0), 50)

    assert len({tuple(s.params.values()) for s in found}) == 50


def test_discrete_space_without_end_stops_when_nothing_likely_is_left():
    found = values({"x": "qnormal(0, 1, 1)"}, 100)

    assert len(found) == len(set(found)) < 15
    with pytest.raises(SpaceExhausted, match="1000 draws gave no configuration"):
        sampler({"x": "qnormal(0, 1, 1)"}).suggest(
            History(len(found), observed([{"x": x} for x in range(-20, 21)])), 1
        )


def test_constant_space_has_one_run():
    raw = {"x": "normal(5, 0)", "y": "loguniform(0, 0)"}

    found = sampler(raw).suggest(History(0), 3)

    assert [s.params for s in found] == [{"x": 5.0, "y": 1.0}]
    with pytest.raises(SpaceExhausted, match="The only configuration"):
        sampler(raw).suggest(History(1, observed([{"x": 5.0, "y": 1.0}])), 1)


def test_last_configurations_are_picked_fairly():
    space = SearchSpace.parse({"x": "randint(10)"})
    tried = Tried(space, observed([{"x": x} for x in (0, 3, 4, 8)]))
    rng = np.random.default_rng(5)

    picked = [tried.pick(rng)["x"] for _ in range(600)]

    counts = [picked.count(x) for x in (1, 2, 5, 6, 7, 9)]
    assert sum(counts) == 600
    assert stats.chisquare(counts).pvalue > ALPHA


def test_tried_counts_each_configuration_once():
    space = SearchSpace.parse({"x": "randint(10)"})

    tried = Tried(space, observed([{"x": 1}, {"x": 1.0}, {"x": 99}, {}]))

    assert tried.left() == 9
    assert {"x": 1} in tried
    assert list(tried.next_places()) == [0, 2, 3, 4, 5, 6, 7, 8, 9]
