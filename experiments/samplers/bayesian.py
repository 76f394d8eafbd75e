"""Bayesian sampling: each run is where a Gaussian process expects the most improvement.

A few Sobol points come first. The model, its parts and their sources stand in `gp`; pending runs
are believed to give what the model expects. Everything is computed from the history, so a
controller that starts again proposes the same runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from experiments.problems import Problem
from experiments.samplers.base import History, Observation, Sampler, Suggestion
from experiments.samplers.gp.acquisition import log_expected_improvement, slope
from experiments.samplers.gp.encoding import Encoding
from experiments.samplers.gp.model import Posterior
from experiments.samplers.gp.optimise import SPARING, Effort, maximise
from experiments.samplers.gp.reasons import reason_for
from experiments.samplers.gp.rows import rows_of
from experiments.samplers.gp.surrogate import Settings, Surrogate, fit_surrogate
from experiments.samplers.sobol import Sobol
from experiments.samplers.tried import Tried
from experiments.space import EXPRESSIONS
from experiments.space.base import Expression
from experiments.space.discrete import Choice
from experiments.space.literals import brief
from experiments.space.quantised import QUniform
from experiments.space.space import Params, SearchSpace

Floats = NDArray[np.float64]
_MIN_VALUES: Final = 3
_MAX_POINTS: Final = 100_000
_NONE: Final = object()
_INSTEAD: Final = "Change it, or use bayesian_extended."


@dataclass(frozen=True, slots=True)
class _Expected:
    """log EI over the posterior, as `optimise` wants it."""

    posterior: Posterior
    target: float

    def values(self, Z: Floats) -> Floats:
        return log_expected_improvement(*self.posterior.predict(Z), self.target)

    def slope(self, z: Floats) -> tuple[float, Floats]:
        return slope(*self.posterior.slopes(z), self.target)


class Bayesian(Sampler):
    """Learn from the runs so far."""

    name = "bayesian"
    label = "Bayesian"
    help = "Learns from finished runs what is promising. Best with many runs, few at a time."
    accepts = frozenset({"choice", "uniform", "quniform"})
    allows_policy = False
    looks_ahead = True
    libraries = (*Sobol.libraries, "scipy.linalg", "scipy.optimize", "scipy.special")
    needs_same_space = True
    # Azure ML's method takes only some types of values; `check` says which.
    takes_any_value: ClassVar[bool] = False
    settings: ClassVar[Settings] = Settings()
    effort: ClassVar[Effort] = Effort()

    @classmethod
    def check(
        cls, space: SearchSpace | None, options: Mapping[str, Any], path: str
    ) -> list[Problem]:
        """Return every problem; values must be of the types that Azure ML's method takes."""
        problems = super().check(space, options, path)
        if space is None or cls.takes_any_value:
            return problems
        for name, expression in space.expressions.items():
            fault = _value_fault(expression)
            if fault:
                problems.append(Problem(f"search_space.{name}", f"{cls.label} sampling {fault}"))
        return problems

    def suggest(self, history: History, count: int) -> list[Suggestion]:
        """Return `count` new configurations; see `Sampler.suggest`."""
        return _Search(self, history).run(count) if count > 0 else []

    def n_initial(self, dimension: int) -> int:
        """Return how many runs are spread over the space before the model proposes any."""
        return max(5, min(2 * dimension, 12))


class BayesianExtended(Bayesian):
    """The same for all expressions and values, also with early termination."""

    name = "bayesian_extended"
    label = "Bayesian extended"
    help = "Bayesian for every expression and any values; runs may be stopped early."
    accepts = frozenset(EXPRESSIONS)
    allows_policy = True
    needs_same_space = False
    takes_any_value = True


class _Search:
    """One call of `suggest`: the history, the model of it, and what was proposed so far."""

    def __init__(self, sampler: Bayesian, history: History) -> None:
        self.sampler = sampler
        self.history = history
        self.encoding = Encoding(sampler.space)
        self.rows = rows_of(history, self.encoding)
        self.tried = Tried(sampler.space, history.observations)
        self.seen = set(self.rows.tried)
        self.pending: list[Floats] = list(self.rows.pending)
        self.found: list[Suggestion] = []
        self.surrogate: Surrogate | None = None
        self.is_crowded = False
        self.posterior: Posterior | None = None

    def run(self, count: int) -> list[Suggestion]:
        first = self.history.next_number
        for number in range(first, first + count):
            suggestion = self._next(number)
            if suggestion is None:
                break
            self._count(suggestion.params)
            self.found.append(suggestion)
        if not self.found:
            raise self.tried.end()
        return self.found

    def _next(self, number: int) -> Suggestion | None:
        if self.tried.left() == 0:
            return None
        n_prior = int((self.rows.numbers < 0).sum())
        n_initial = self.sampler.n_initial(self.encoding.dimension) - n_prior
        if number < n_initial or self.rows.n_valued < _MIN_VALUES or not self.encoding.dimension:
            return self._spread(number)
        return self._learned(number) or self._drawn(number)

    def _spread(self, number: int) -> Suggestion | None:
        sobol = Sobol(self.sampler.space, goal=self.sampler.goal, seed=self.sampler.seed)
        found = [Observation(number, s.params, None, "pending") for s in self.found]
        history = History(number, (*self.history.observations, *found))
        params = sobol.suggest(history, 1)[0].params
        note = f"Run {number} of the spread that comes before the model."
        return Suggestion(params, note, {"kind": "initial"})

    def _drawn(self, number: int) -> Suggestion | None:
        params = self.tried.draw(self.sampler.rng(number))
        if params is None:
            return None
        note = "Drawn at random: nothing untried was found near what the model looks for."
        return Suggestion(params, note, {"kind": "random"})

    def _learned(self, number: int) -> Suggestion | None:
        surrogate = self._surrogate()
        rng = self.sampler.rng(number)
        effort = self.sampler.effort
        n_known = len(surrogate.y) + len(self.pending)
        if n_known <= self.sampler.settings.max_drawn:
            posterior = surrogate.drawn(
                np.array(self.pending).reshape(-1, self.encoding.dimension), rng
            )
            target = float(posterior.mean(self.rows.X).min())
        else:
            posterior, target = self._believing(surrogate), surrogate.target
            effort = SPARING
        surface = _Expected(posterior, target)
        centres = self.rows.X[surrogate.order[: effort.centres]]
        found = maximise(surface, self.encoding, centres, self._is_fresh, rng, effort)
        if found is None:
            return None
        x, value = found
        params = self.encoding.decode(x)
        if params in self.tried:
            return None
        note, facts = reason_for(surrogate, posterior, self.encoding, x, value)
        return Suggestion(params, note, facts)

    def _surrogate(self) -> Surrogate:
        settings = self.sampler.settings
        is_crowded = len(self.pending) > settings.max_pending
        if self.surrogate is None or is_crowded != self.is_crowded:
            settings = settings.without_sums() if is_crowded else settings
            self.surrogate = fit_surrogate(self.rows, self.encoding, self.sampler.goal, settings)
            self.posterior, self.is_crowded = None, is_crowded
        return self.surrogate

    def _believing(self, surrogate: Surrogate) -> Posterior:
        """Return the posterior under the likeliest theta, pending runs counted in one by one."""
        posterior = self.posterior or surrogate.posterior
        for x in self.pending[len(posterior.X) - len(surrogate.y) :]:
            posterior = posterior.with_pending(x)
        self.posterior = posterior
        return posterior

    def _count(self, params: Params) -> None:
        """Count a proposal among the pending runs."""
        self.tried.add(params)
        x = self.encoding.encode(params)
        if x is not None:
            self.seen.update(self.encoding.keys(x[None, :]))
            self.pending.append(x)

    def _is_fresh(self, Z: Floats) -> NDArray[np.bool_]:
        return np.array([key not in self.seen for key in self.encoding.keys(Z)], dtype=bool)


def _value_fault(expression: Expression) -> str:
    """Return what the documented method does not take in an expression; "" when it takes it."""
    if isinstance(expression, Choice):
        other = next((v for v in expression.options if type(v) not in (int, float, str)), _NONE)
        if other is not _NONE:
            return f"takes numbers and text in a choice, not {brief(other)}. {_INSTEAD}"
        if len({isinstance(value, str) for value in expression.options}) > 1:
            return f"takes numbers or text in a choice, not both. {_INSTEAD}"
    if isinstance(expression, QUniform):
        arguments = expression.arguments()
        name = next((n for n, value in arguments.items() if type(value) is not int), None)
        if name is not None:
            shown = brief(arguments[name])
            return f"takes whole numbers in quniform; {name} is {shown}. {_INSTEAD}"
        count = (expression.max_value - expression.min_value) / expression.q
        if count > _MAX_POINTS:
            return f"takes at most {_MAX_POINTS} values in quniform, not {count:.0f}. {_INSTEAD}"
    return ""
