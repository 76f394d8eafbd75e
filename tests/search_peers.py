"""The samplers that `tests.bench_search` compares, behind one face; absent libraries are told.

The others are installed by the extra `bench`; they never take part in the studio itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from experiments.samplers import load_sampler
from experiments.samplers.base import History, Observation
from experiments.space.discrete import Choice
from experiments.space.quantised import QUniform
from experiments.space.space import Params, SearchSpace


class Peer(Protocol):
    """What can be asked for runs and told their metrics."""

    def suggest(self, count: int) -> list[Params]:
        """Return configurations; they are pending until reported."""

    def report(self, params: Params, value: float) -> None:
        """Take the metric of a run."""


class StudioSampler:
    """One of ours; as in the controller, every call sees the history alone."""

    def __init__(self, name: str, space: SearchSpace, goal: str, seed: int) -> None:
        self.make = partial(load_sampler(name), space, goal=goal, seed=seed, options={})
        self.space = space
        self.observations: list[Observation] = []
        self.open: dict[tuple[str, ...], list[int]] = {}

    def suggest(self, count: int) -> list[Params]:
        history = History(len(self.observations), tuple(self.observations))
        found = [s.params for s in self.make().suggest(history, count)]
        for params in found:
            self.open.setdefault(self.space.key(params), []).append(len(self.observations))
            self.observations.append(Observation(len(self.observations), params, None, "pending"))
        return found

    def report(self, params: Params, value: float) -> None:
        number = self.open[self.space.key(params)].pop(0)
        self.observations[number] = Observation(number, params, value, "completed")


class Optuna:
    """A sampler of Optuna."""

    def __init__(self, sampler: str, space: SearchSpace, goal: str, seed: int) -> None:
        self.optuna = importlib.import_module("optuna")
        self.optuna.logging.set_verbosity(self.optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        kind = getattr(self.optuna.samplers, sampler)
        self.study = self.optuna.create_study(direction=goal, sampler=kind(seed=seed))
        self.space = space
        self.distributions = {n: self._distribution(e) for n, e in space.expressions.items()}
        self.open: dict[tuple[str, ...], list[Any]] = {}

    def _distribution(self, expression: Any) -> Any:
        known = self.optuna.distributions
        if isinstance(expression, Choice):
            return known.CategoricalDistribution(expression.values())
        low, high = expression.bounds()
        if not isinstance(expression, QUniform):
            return known.FloatDistribution(low, high)
        values = expression.values()
        if all(isinstance(value, int) for value in values):
            return known.IntDistribution(values[0], values[-1], step=values[1] - values[0])
        return known.FloatDistribution(values[0], values[-1], step=expression.q)

    def suggest(self, count: int) -> list[Params]:
        trials = [self.study.ask(self.distributions) for _ in range(count)]
        for trial in trials:
            self.open.setdefault(self.space.key(trial.params), []).append(trial)
        return [dict(trial.params) for trial in trials]

    def report(self, params: Params, value: float) -> None:
        self.study.tell(self.open[self.space.key(params)].pop(0), value)


class ScikitOptimize:
    """gp_hedge of scikit-optimize, pending runs by its constant liar."""

    def __init__(self, space: SearchSpace, goal: str, seed: int) -> None:
        skopt = importlib.import_module("skopt")
        warnings.simplefilter("ignore")
        self.sign = 1.0 if goal == "minimize" else -1.0
        self.names = list(space.expressions)
        self.axes = [_values(e) for e in space.expressions.values()]
        dimensions = [
            skopt.space.Real(*(e.bounds() or (0, 1))) if axis is None
            else skopt.space.Integer(0, max(len(axis) - 1, 1)) if _is_ordered(axis)
            else skopt.space.Categorical(list(range(len(axis))))
            for e, axis in zip(space.expressions.values(), self.axes, strict=True)
        ]  # fmt: skip
        self.optimizer = skopt.Optimizer(dimensions, random_state=seed)
        self.space = space
        self.open: dict[tuple[str, ...], list[list[Any]]] = {}

    def suggest(self, count: int) -> list[Params]:
        found = []
        for point in self.optimizer.ask(n_points=count):
            params = {
                name: float(x) if axis is None else axis[min(int(x), len(axis) - 1)]
                for name, axis, x in zip(self.names, self.axes, point, strict=True)
            }
            self.open.setdefault(self.space.key(params), []).append(point)
            found.append(params)
        return found

    def report(self, params: Params, value: float) -> None:
        self.optimizer.tell(self.open[self.space.key(params)].pop(0), self.sign * value)


class Hyperopt:
    """TPE of hyperopt."""

    def __init__(self, space: SearchSpace, goal: str, seed: int) -> None:
        self.hyperopt = importlib.import_module("hyperopt")
        hp = self.hyperopt.hp
        self.sign = 1.0 if goal == "minimize" else -1.0
        self.axes = {name: _values(e) for name, e in space.expressions.items()}
        dimensions = {
            name: hp.uniform(name, *(e.bounds() or (0, 1))) if self.axes[name] is None
            else hp.choice(name, list(range(len(self.axes[name] or []))))
            for name, e in space.expressions.items()
        }  # fmt: skip
        self.domain = self.hyperopt.Domain(lambda params: 0.0, dimensions)
        self.trials = self.hyperopt.Trials()
        self.space, self.seed = space, seed
        self.open: dict[tuple[str, ...], list[Any]] = {}

    def suggest(self, count: int) -> list[Params]:
        found = []
        for _ in range(count):
            self.seed += 1
            ids = self.trials.new_trial_ids(1)
            (document,) = self.hyperopt.tpe.suggest(ids, self.domain, self.trials, self.seed)
            self.trials.insert_trial_docs([document])
            self.trials.refresh()
            params = {}
            for name, axis in self.axes.items():
                x = document["misc"]["vals"][name][0]
                params[name] = float(x) if axis is None else axis[int(x)]
            self.open.setdefault(self.space.key(params), []).append(document["tid"])
            found.append(params)
        return found

    def report(self, params: Params, value: float) -> None:
        number = self.open[self.space.key(params)].pop(0)
        for document in self.trials._dynamic_trials:
            if document["tid"] == number:
                document["state"] = self.hyperopt.JOB_STATE_DONE
                document["result"] = {"loss": self.sign * value, "status": "ok"}
        self.trials.refresh()


def find_peers() -> tuple[dict[str, Callable[..., Peer]], list[str]]:
    """Return how to make each sampler that is installed, ours first, and the names of the rest."""
    ours = ("bayesian", "random", "sobol")
    found: dict[str, Callable[..., Peer]] = {n: partial(StudioSampler, n) for n in ours}
    absent = []
    others: list[tuple[str, tuple[str, ...], Callable[..., Peer]]] = [
        ("optuna-tpe", ("optuna",), partial(Optuna, "TPESampler")),
        ("optuna-gp", ("optuna", "torch"), partial(Optuna, "GPSampler")),
        ("scikit-optimize", ("skopt",), ScikitOptimize),
        ("hyperopt", ("hyperopt",), Hyperopt),
    ]
    for name, modules, make in others:
        if all(importlib.util.find_spec(module) for module in modules):
            found[name] = make
        else:
            absent.append(name)
    return found, absent


def _values(expression: Any) -> list[Any] | None:
    return expression.values() or None


def _is_ordered(axis: list[Any]) -> bool:
    return len(axis) > 2 and all(isinstance(value, int | float) for value in axis)
