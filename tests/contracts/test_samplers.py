"""What every sampler must hold; a new one adds the spaces it is tried on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from experiments.samplers import SAMPLERS, load_sampler
from experiments.samplers.base import MAX_SEED, History, Observation, SpaceExhausted
from experiments.space import EXPRESSIONS
from experiments.space.literals import identity
from experiments.space.space import SearchSpace

CHOICES = {"a": "choice(1, 2, 3)", "b": "choice('x', 'y')", "c": "choice(True, 1, 1.0, None)"}
ENDLESS = {
    "lr": "loguniform(-6, -1)",
    "momentum": "uniform(0.9, 0.99)",
    "units": "choice(16, 32, 64)",
    "depth": "quniform(1, 8, 1)",
    "scale": "qlognormal(3, 1, 0.5)",
    "seed": "randint(1000)",
}
COUNTED = {"a": "choice(1, 2, 2)", "b": "quniform(0, 4, 1)", "c": "randint(3)", "d": "normal(1, 0)"}
HUGE = {f"x{n}": "choice(range(1000))" for n in range(8)}
TEXTS = {"a": "choice(1, 2, 3)", "b": "choice('x', 'y')", "c": "choice('p', 'q', 'r', 's')"}
STEPS = {"a": "choice(1, 2, 2)", "b": "quniform(0, 4, 1)", "c": "choice(0.1, 1, 10)"}
PLAIN = {"lr": "uniform(-6, -1)", "units": "choice(16, 32, 64)", "depth": "quniform(1, 8, 1)"}
# For each sampler, what it is tried on: finite spaces first.
SPACES: dict[str, dict[str, Any]] = {
    "random": {"choices": CHOICES, "counted": COUNTED, "huge": HUGE, "endless": ENDLESS},
    "sobol": {"choices": CHOICES, "counted": COUNTED, "huge": HUGE, "endless": ENDLESS},
    "grid": {"choices": CHOICES, "huge": HUGE},
    "bayesian": {"texts": TEXTS, "steps": STEPS, "huge": HUGE, "plain": PLAIN},
    "bayesian_extended": {"choices": CHOICES, "counted": COUNTED, "huge": HUGE, "endless": ENDLESS},
}
CASES = [(name, SearchSpace.parse(raw)) for name, raws in SPACES.items() for raw in raws.values()]
IDS = [f"{name}-{label}" for name, raws in SPACES.items() for label in raws]
DULL = [(n, s) for n, s in CASES if not n.startswith("bayesian")]
SMALL = [(n, s) for n, s in CASES if (s.cardinality() or 10**9) < 100]

every_case = pytest.mark.parametrize(("name", "space"), CASES, ids=IDS)
dull_case = pytest.mark.parametrize(("name", "space"), DULL, ids=lambda x: getattr(x, "name", ""))
small_case = pytest.mark.parametrize(("name", "space"), SMALL, ids=lambda x: getattr(x, "name", ""))
every_sampler = pytest.mark.parametrize("name", SAMPLERS)


def make(name, space, seed=7, goal="maximize"):
    return load_sampler(name)(space, goal=goal, seed=seed, options={})


def observe(params, number=0, value=None, state="pending"):
    return Observation(number, params, value, state)


def run_all(name, space, batch=1, limit=1000):
    """Ask for configurations in batches until the space is used up or `limit` is reached."""
    observations, sampler = [], make(name, space)
    while len(observations) < limit:
        try:
            found = sampler.suggest(History(len(observations), tuple(observations)), batch)
        except SpaceExhausted:
            break
        observations += [observe(s.params, len(observations) + i) for i, s in enumerate(found)]
    return [o.params for o in observations]


def texts(configurations):
    return [identity(params) for params in configurations]


def test_contract_covers_every_sampler():
    assert set(SPACES) == set(SAMPLERS)


@every_sampler
def test_sampler_describes_itself(name):
    kind = load_sampler(name)

    assert kind.name == name
    assert kind.label
    assert kind.help.endswith(".")
    assert kind.accepts <= set(EXPRESSIONS)
    assert all(field.label and field.help.endswith(".") for field in kind.fields)


@every_case
def test_suggestions_are_inside_complete_plain_and_explained(name, space):
    suggestions = make(name, space).suggest(History(0), 20)

    assert len(suggestions) == 20
    for suggestion in suggestions:
        assert list(suggestion.params) == list(space.parameters)
        assert space.contains(suggestion.params)
        assert identity(json.loads(json.dumps(suggestion.params))) == identity(suggestion.params)
        assert suggestion.note.endswith(".")


@every_case
def test_same_seed_and_history_give_the_same_runs(name, space):
    first, second = (make(name, space).suggest(History(0), 20) for _ in range(2))

    assert texts(s.params for s in first) == texts(s.params for s in second)
    assert [s.note for s in first] == [s.note for s in second]


@every_case
def test_batches_give_the_runs_that_single_calls_give(name, space):
    singles = run_all(name, space, 1, limit=24)

    assert texts(run_all(name, space, 5, limit=24)[:24]) == texts(singles)


@every_case
def test_runs_do_not_repeat(name, space):
    found = run_all(name, space, 50, limit=200)

    assert len({space.key(params) for params in found}) == len(found)
    assert len(found) == min(space.cardinality() or 200, 200)


@small_case
def test_finite_space_is_used_up_completely(name, space):
    found = run_all(name, space, 1)

    assert {space.index_of(params) for params in found} == set(range(space.cardinality()))


@small_case
@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_fewer_are_suggested_only_at_the_end(name, space, batch):
    total = space.cardinality()
    tried = run_all(name, space, 1)[: total - 3]
    history = History(len(tried), tuple(observe(params) for params in tried))

    assert len(make(name, space).suggest(history, batch)) == min(batch, 3)


@small_case
def test_used_up_space_is_said_in_a_sentence(name, space):
    tried = tuple(observe(params) for params in run_all(name, space, 10))

    with pytest.raises(SpaceExhausted, match=rf"^All {space.cardinality()} configurations .*\.$"):
        make(name, space).suggest(History(len(tried), tried), 1)


@small_case
@pytest.mark.parametrize("state", ["pending", "completed", "failed", "canceled"])
def test_runs_of_every_state_are_not_repeated(name, space, state):
    first = make(name, space).suggest(History(0), 5)
    history = History(
        5, tuple(observe(s.params, n, float("nan"), state) for n, s in enumerate(first))
    )

    second = make(name, space).suggest(history, 10)

    assert not {space.key(s.params) for s in first} & {space.key(s.params) for s in second}


@small_case
def test_configuration_queued_by_hand_is_not_suggested_again(name, space):
    wanted = make(name, space).suggest(History(0), 1)[0].params
    history = History(0, (observe(wanted),))

    found = make(name, space).suggest(history, 1000)

    assert len(found) == space.cardinality() - 1
    assert space.key(wanted) not in {space.key(s.params) for s in found}


@small_case
def test_configurations_from_outside_take_no_place(name, space):
    outside = tuple(observe({**space.at_index(0), "a": n}) for n in range(1000, 1100))

    assert len(make(name, space).suggest(History(0, outside), 1000)) == space.cardinality()


@every_case
def test_repeated_and_by_hand_runs_move_no_other(name, space):
    found = make(name, space).suggest(History(0), 10)
    history = [observe(s.params, n) for n, s in enumerate(found[:5])]
    # Run 2 was lost and repeated: its configuration stands twice, the next number stays.
    history.append(observe(found[2].params, 5))

    rest = make(name, space).suggest(History(5, tuple(history)), 5)

    assert texts(s.params for s in rest) == texts(s.params for s in found[5:])


@dull_case
def test_values_and_goal_matter_to_no_sampler_that_does_not_learn(name, space):
    first = make(name, space).suggest(History(0), 5)
    values = [0.1, None, float("inf"), float("nan"), -3.0]
    with_values = tuple(
        observe(s.params, n, value, "completed")
        for n, (s, value) in enumerate(zip(first, values, strict=True))
    )
    without = tuple(observe(s.params, n) for n, s in enumerate(first))

    learned = make(name, space, goal="minimize").suggest(History(5, with_values), 5)

    plain = make(name, space).suggest(History(5, without), 5)
    assert texts(s.params for s in learned) == texts(s.params for s in plain)


@every_case
def test_nothing_is_suggested_when_nothing_is_wanted(name, space):
    assert make(name, space).suggest(History(0), 0) == []


@dull_case
def test_a_thousand_runs_come_one_by_one(name, space):
    assert len(run_all(name, space, 1)) == min(space.cardinality() or 1000, 1000)


@every_sampler
def test_every_expression_that_does_not_fit_is_named(name):
    raw = {
        "choice": "choice(1)", "randint": "randint(3)", "uniform": "uniform(0, 1)",
        "loguniform": "loguniform(0, 1)", "normal": "normal(0, 1)", "lognormal": "lognormal(0, 1)",
        "quniform": "quniform(0, 1, 1)", "qloguniform": "qloguniform(0, 1, 1)",
        "qnormal": "qnormal(0, 1, 1)", "qlognormal": "qlognormal(0, 1, 1)",
    }  # fmt: skip
    kind = load_sampler(name)

    problems = kind.check(SearchSpace.parse(raw), {}, "sampling")

    assert [p.path for p in problems] == [f"search_space.{n}" for n in raw if n not in kind.accepts]
    assert all(p.message.startswith(kind.label) for p in problems)


@every_sampler
def test_unknown_options_are_problems(name):
    problems = load_sampler(name).check(None, {"sed": 1, 3: 4}, "sampling")

    assert [p.path for p in problems] == ["sampling.sed", "sampling.3"]


@pytest.mark.parametrize("name", [n for n in SAMPLERS if load_sampler(n).fields])
@pytest.mark.parametrize("seed", [-1, 1.0, True, "7", MAX_SEED + 1, [1]])
def test_wrong_seed_is_a_problem(name, seed):
    problems = load_sampler(name).check(None, {"seed": seed}, "sampling")

    assert [p.path for p in problems] == ["sampling.seed"]
    assert "use a whole number from 0 to" in problems[0].message


@pytest.mark.parametrize("name", [n for n in SAMPLERS if load_sampler(n).fields])
@pytest.mark.parametrize("seed", [None, 0, MAX_SEED])
def test_seed_may_be_any_natural_number(name, seed):
    assert load_sampler(name).check(None, {"seed": seed}, "sampling") == []
    assert make(name, SearchSpace.parse(CHOICES), seed=seed or 0).suggest(History(0), 1)
