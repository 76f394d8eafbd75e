"""Models in a process of their own: the same answers, whatever happens to the process."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from experiments import model_process
from experiments.fitted_metric import FittedMetric
from experiments.model_process import AskedModel, Learned, ModelProcessError, Models
from experiments.samplers.base import History, Observation
from experiments.samplers.gp.inspect import learn
from experiments.space.space import SearchSpace

SPACE = SearchSpace.parse(
    {"lr": "loguniform(-6, 0)", "size": "normal(3, 1)", "layers": "choice(1, 2, 3)"}
)


@pytest.fixture
def models() -> Iterator[Models]:
    made = Models()
    yield made
    made.end()


def _learned(count: int) -> Learned:
    rng = random.Random(1)
    runs = []
    for number in range(count):
        params = {"lr": rng.uniform(0.01, 1), "size": rng.gauss(3, 1), "layers": rng.choice([1, 2])}
        runs.append(Observation(number, params, 1 - (params["lr"] - 0.3) ** 2, "completed"))
    return Learned(dict(SPACE.expressions), "maximize", runs, runs[0].params)


def test_answers_are_those_of_the_model_itself(models):
    learned = _learned(25)
    view = learn(SPACE, goal="maximize", history=History(0, learned.runs))
    assert view is not None
    here = FittedMetric(view, learned.best)
    there = AskedModel(models, learned, models.ask(learned, "numbers"))

    assert list(there.numbers) == here.numbers
    assert there.left_out().expected.mean == pytest.approx(here.left_out().expected.mean, rel=1e-4)
    mine, theirs = here.over("lr", "size"), there.over("lr", "size")
    assert mine is not None
    assert theirs is not None
    assert mine.expected.low == pytest.approx(theirs.expected.low, rel=1e-4)
    assert there.along("nothing") is None


def test_process_that_ended_is_started_again(models):
    learned = _learned(8)
    numbers = models.ask(learned, "numbers")
    process = models._process
    assert process is not None
    process.kill()
    process.wait()

    assert models.ask(learned, "numbers") == numbers
    assert models.ask(_learned(2), "numbers") is None


def test_process_ends_when_nobody_asks(models, monkeypatch):
    monkeypatch.setattr(model_process, "_START", model_process._START.replace("()", "(0.2)"))
    learned = _learned(8)
    assert models.ask(learned, "numbers")
    assert models._process is not None
    assert models._process.wait(60) == 0
    assert models.ask(learned, "numbers")


def test_fault_is_told_and_the_process_goes_on(models):
    learned = _learned(8)
    with pytest.raises(ModelProcessError, match="no such question"):
        models.ask(learned, "no such question")
    assert models.ask(learned, "numbers")
