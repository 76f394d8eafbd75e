"""The comparison of samplers: problems follow from their seeds, regret and wins are right."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tests.bench_search import Reference, Suite, paired_wins, regret, replay, summarise
from tests.search_functions import make_function
from tests.search_peers import StudioSampler, find_peers
from tests.search_problems import KINDS, make_problem, make_problems


@pytest.mark.parametrize("make", [make_problem, make_function])
@pytest.mark.parametrize("seed", range(len(KINDS)))
def test_problem_follows_from_its_seed(make, seed):
    first, second = make(seed), make(seed)
    rng = np.random.default_rng(0)
    configurations = [first.space.sample(rng) for _ in range(20)]
    losses = [first.loss(params) for params in configurations]

    assert losses == [second.loss(params) for params in configurations]
    assert first.space.to_text() == second.space.to_text()
    assert np.isfinite(losses).all()
    assert len(set(losses)) > 1


def test_kinds_go_round():
    assert [p.kind for p in make_problems(0, len(KINDS))] == list(KINDS)


@pytest.mark.parametrize("pending", [1, 3])
def test_replay_runs_the_real_sampler(pending):
    problem = make_problem(3)

    record = replay(problem, partial(StudioSampler, "random"), 12, pending, seed=1)

    assert len(record["track"]) == 12
    assert problem.noise > 0.0
    again = replay(problem, partial(StudioSampler, "random"), 12, pending, seed=1)
    assert again["track"] == record["track"]


def test_regret_is_0_at_the_best_and_1_at_random():
    suite = Suite([], {"p": Reference(best=1.0, median={2: 3.0})})

    def at(loss):
        return regret({"problem": "p", "track": [9.0, loss]}, suite, 2)

    assert [at(1.0), at(3.0), at(2.0), at(99.0), at(0.5)] == [0.0, 1.0, 0.5, 2.0, 0.0]
    assert regret({"problem": "p", "track": [1]}, Suite([], {"p": Reference(1, {1: 1})}), 1) is None


def test_wins_are_paired_and_ties_count_half():
    def rows(*losses):
        return [{"problem": "p", "seed": s, "track": [loss]} for s, loss in enumerate(losses)]

    assert paired_wins(rows(1, 2, 3), rows(2, 2, 2), 1) == 0.5
    assert paired_wins(rows(1, 1), rows(2, 2), 1) == 1.0


def test_summary_is_by_problem():
    suite = Suite([], {n: Reference(0.0, {1: 1.0}) for n in "pq"})
    records = [
        {"problem": name, "seed": seed, "track": [loss]}
        for name, losses in (("p", (0.0, 0.4)), ("q", (1.6, 1.2)))
        for seed, loss in enumerate(losses)
    ]

    found = summarise(records, suite, 1)

    assert found["by_problem"] == pytest.approx({"p": 0.2, "q": 1.4})
    assert (found["mean"], found["worse"]) == (pytest.approx(0.8), 1)


def test_every_peer_is_there_or_told():
    found, absent = find_peers()

    assert next(iter(found)) == "bayesian"
    assert {"optuna-gp", "optuna-tpe", "scikit-optimize", "hyperopt"} <= {*found, *absent}
