"""Bayesian sampling: safe with any history, the same after a restart, and better than chance."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from experiments.samplers import load_sampler
from experiments.samplers.base import History, Observation, SpaceExhausted
from experiments.samplers.bayesian import Bayesian, BayesianExtended
from experiments.space.space import SearchSpace

MIXED = {
    "lr": "uniform(-6, -1)",
    "units": "choice(16, 32, 64, 128)",
    "depth": "quniform(1, 12, 1)",
    "act": "choice('relu', 'gelu', 'tanh')",
}
ONE = {"x": "uniform(0, 1)"}
MANY = {f"p{n}": f"uniform({-n}, {n + 1})" for n in range(30)}
WORDS = dict.fromkeys("uvwxyz", "choice('a', 'b', 'c', 'd')")
EVERY = {
    "lr": "loguniform(-9, 0)",
    "size": "qloguniform(0, 6, 1)",
    "shift": "normal(0, 3)",
    "steps": "qnormal(100, 20, 5)",
    "scale": "lognormal(0, 1)",
    "width": "qlognormal(3, 1, 2)",
    "seed": "randint(100000)",
    "flag": "choice(True, None, 1, 'a')",
    "constant": "choice(7)",
}
SPACES = {"mixed": MIXED, "one": ONE, "many": MANY, "words": WORDS, "every": EVERY}
every_space = pytest.mark.parametrize("label", SPACES)


def make(raw, seed=5, goal="minimize", name="bayesian_extended"):
    return load_sampler(name)(SearchSpace.parse(raw), goal=goal, seed=seed, options={})


def loss(params):
    """A bowl around the middle of every number; the first option of the others is best."""
    total = 0.0
    for value in params.values():
        is_text = isinstance(value, str) or value is None or isinstance(value, bool)
        total += len(repr(value)) % 3 if is_text else math.tanh((value - 0.3) / 5.0) ** 2
    return total


def ran(space, count, seed=0, value=loss, state="completed"):
    rng = np.random.default_rng(seed)
    configurations = [space.sample(rng) for _ in range(count)]
    return [Observation(n, p, value(p), state) for n, p in enumerate(configurations)]


def pend(observations, space, count, seed=1):
    rng = np.random.default_rng(seed)
    first = len(observations)
    return [Observation(first + n, space.sample(rng), None, "pending") for n in range(count)]


def history_of(observations, prior=()):
    return History(len(observations), tuple(observations), tuple(prior))


def texts(suggestions):
    return [json.dumps(s.params) for s in suggestions]


@every_space
@pytest.mark.parametrize(("runs", "pending"), [(3, 0), (20, 3), (70, 8), (60, 100)])
def test_suggestions_stay_inside_and_are_explained(label, runs, pending):
    sampler = make(SPACES[label])
    observations = ran(sampler.space, runs)
    observations += pend(observations, sampler.space, pending)

    (found,) = sampler.suggest(history_of(observations), 1)

    assert list(found.params) == list(sampler.space.parameters)
    assert sampler.space.contains(found.params)
    assert found.note.endswith(".")
    assert json.loads(json.dumps(found.facts)) == found.facts
    assert found.facts["kind"] in {"initial", "explore", "refine", "random"}


@pytest.mark.parametrize("label", ["mixed", "words"])
def test_a_thousand_runs_and_many_pending_are_answered(label):
    sampler = make(SPACES[label])
    observations = ran(sampler.space, 1000)
    observations += pend(observations, sampler.space, 20)

    found = sampler.suggest(history_of(observations), 2)

    assert len(found) == 2
    assert all(sampler.space.contains(s.params) for s in found)


@every_space
def test_a_new_process_gives_the_same_suggestion(label):
    from experiments.samplers.gp import surrogate

    observations = ran(make(SPACES[label]).space, 80)
    observations += pend(observations, make(SPACES[label]).space, 4)
    sampler = make(SPACES[label])
    for end in (76, 80, 84):
        before = sampler.suggest(history_of(observations[:end]), 1)
    surrogate._fit_base.cache_clear()

    after = make(SPACES[label]).suggest(history_of(observations), 1)

    assert after == before


@every_space
def test_batches_with_a_history_are_what_single_calls_give(label):
    space = SearchSpace.parse(SPACES[label])
    observations = ran(space, 15)
    batch = make(SPACES[label]).suggest(history_of(observations), 4)

    singles = []
    for number in range(15, 19):
        (found,) = make(SPACES[label]).suggest(history_of(observations), 1)
        singles.append(found)
        observations.append(Observation(number, found.params, None, "pending"))

    assert texts(batch) == texts(singles)


def test_batches_of_any_size_are_what_single_calls_give():
    observations = ran(SearchSpace.parse(MIXED), 30)
    batch = make(MIXED).suggest(history_of(observations), 7)

    observations += [
        Observation(30 + k, found.params, None, "pending") for k, found in enumerate(batch[:6])
    ]
    (last,) = make(MIXED).suggest(history_of(observations), 1)

    assert texts([last]) == texts(batch[6:])


def test_seed_counts_and_the_order_of_rows_does_not():
    observations = ran(SearchSpace.parse(MIXED), 20)
    first = make(MIXED).suggest(history_of(observations), 1)

    assert make(MIXED).suggest(history_of(observations[::-1]), 1) == first
    start, other = (make(MIXED, seed=seed).suggest(History(0), 3) for seed in (5, 6))
    assert texts(start) != texts(other)


@every_space
def test_no_configuration_is_run_twice(label):
    sampler = make(SPACES[label])
    observations = ran(sampler.space, 12, value=lambda params: 1.0)
    for number in range(12, 30):
        (found,) = sampler.suggest(history_of(observations), 1)
        assert sampler.space.key(found.params) not in {
            sampler.space.key(o.params) for o in observations
        }
        observations.append(Observation(number, found.params, 1.0, "completed"))


def test_small_space_is_used_up_and_then_said():
    raw = {"a": "choice(1, 2, 3, 4)", "b": "choice('x', 'y', 'z')"}
    sampler, observations = make(raw), []
    for number in range(12):
        (found,) = sampler.suggest(history_of(observations), 1)
        observations.append(Observation(number, found.params, loss(found.params), "completed"))

    assert len({sampler.space.key(o.params) for o in observations}) == 12
    with pytest.raises(SpaceExhausted, match="All 12 configurations"):
        sampler.suggest(history_of(observations), 1)


@pytest.mark.parametrize(
    "values",
    [
        [math.nan] * 12,
        [None] * 12,
        [math.inf, -math.inf, math.nan] * 4,
        [3.0] * 12,
        [1.0, *[None] * 11],
        [0.1, 0.2, 0.3, *[math.nan] * 9],
        [1e300, -1e300, 1e308, *[0.0] * 9],
        [1e-300 * n for n in range(12)],
        [10.0**n for n in range(-150, 150, 25)],
        [5.0, *[5.0 + 1e-16] * 11],
    ],
    ids=["nan", "none", "inf", "same", "one", "three", "huge", "tiny", "range", "rounding"],
)
@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_any_metrics_are_survived(values, goal):
    sampler = make(MIXED, goal=goal)
    configurations = [o.params for o in ran(sampler.space, 12)]
    rows = zip(configurations, values, strict=True)
    observations = [Observation(n, p, v, "completed") for n, (p, v) in enumerate(rows)]

    found = sampler.suggest(history_of(observations), 3)

    assert len({sampler.space.key(s.params) for s in found}) == 3
    assert json.dumps([s.facts for s in found], allow_nan=False)


def test_same_configuration_with_different_metrics():
    sampler = make(MIXED)
    observations = ran(sampler.space, 10)
    again = [
        Observation(10 + n, observations[n % 3].params, 0.5 * n, "completed") for n in range(9)
    ]

    (found,) = sampler.suggest(history_of([*observations, *again]), 1)

    assert sampler.space.contains(found.params)


def test_configurations_from_elsewhere_teach_nothing():
    sampler = make(MIXED)
    observations = ran(sampler.space, 12)
    strange = [
        Observation(12, {"lr": -3.0}, 0.0, "completed"),
        Observation(13, {**observations[0].params, "lr": 99.0}, 0.0, "completed"),
        Observation(14, {**observations[0].params, "act": "unknown"}, 0.0, "pending"),
    ]

    with_them = sampler.suggest(History(12, (*observations, *strange)), 1)

    assert texts(with_them) == texts(sampler.suggest(History(12, tuple(observations)), 1))


def test_failed_runs_are_avoided():
    # Everything above 0.4 fails, although the metric falls that way.
    sampler, observations = make(ONE), []
    for number in range(25):
        (found,) = sampler.suggest(history_of(observations), 1)
        x = found.params["x"]
        failed = x > 0.4
        state = "failed" if failed else "completed"
        observations.append(Observation(number, found.params, None if failed else -x, state))

    late = [o.params["x"] for o in observations[10:]]
    assert sum(x < 0.45 for x in late) > len(late) * 0.6
    assert max(x for x in late if x <= 0.4) > 0.35


def test_canceled_runs_without_a_metric_say_nothing_and_are_not_repeated():
    sampler = make({"a": "choice(range(20))"})
    observations = ran(sampler.space, 6)
    canceled = [Observation(6 + n, {"a": n}, None, "canceled") for n in range(20)]

    with pytest.raises(SpaceExhausted):
        sampler.suggest(history_of([*observations, *canceled]), 1)


def test_earlier_sweeps_replace_the_first_spread():
    space = SearchSpace.parse(MIXED)
    prior = ran(space, 30)

    (found,) = make(MIXED).suggest(history_of([], prior), 1)

    assert found.facts["kind"] in {"explore", "refine"}
    assert found.facts["incumbent"]["number"] is None
    assert "earlier sweep" in found.note


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("pending", [1, 5])
def test_a_bowl_is_found_better_than_by_chance(goal, pending):
    raw = {"x": "uniform(-5, 5)", "y": "uniform(0, 10)", "kind": "choice('a', 'b', 'c')"}
    sign = 1.0 if goal == "minimize" else -1.0

    def bowl(p):
        return (p["x"] - 1.7) ** 2 + (p["y"] - 6.1) ** 2 + {"a": 2.0, "b": 0.0, "c": 1.0}[p["kind"]]

    def best(name):
        sampler, observations = make(raw, goal=goal, name=name), []
        while len(observations) < 30:
            for suggestion in sampler.suggest(history_of(observations), pending):
                number = len(observations)
                observations.append(Observation(number, suggestion.params, None, "pending"))
            observations = [
                Observation(o.number, o.params, sign * bowl(o.params), "completed")
                for o in observations
            ]
        return min(sign * (o.value or 0.0) for o in observations)

    assert best("bayesian") < 0.1 * best("random")


def test_documented_method_takes_the_documented_values_only():
    raw = {
        "a": "choice(True, False)", "b": "choice(1, 'x')", "c": "choice(1, None)",
        "d": "quniform(0, 1, 0.1)", "e": "quniform(0, 200000, 1)", "f": "choice(1, 2.5)",
        "g": "choice('p', 'q')", "h": "quniform(0, 100, 5)", "i": "uniform(0, 1)",
    }  # fmt: skip
    space = SearchSpace.parse(raw)

    problems = Bayesian.check(space, {}, "sampling")

    assert [p.path for p in problems] == [f"search_space.{name}" for name in "abcde"]
    assert all("bayesian_extended" in p.message for p in problems)
    assert BayesianExtended.check(space, {}, "sampling") == []


def test_policies_go_with_the_extended_method_only():
    assert not Bayesian.allows_policy
    assert BayesianExtended.allows_policy
