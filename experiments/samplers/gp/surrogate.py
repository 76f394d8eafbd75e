"""The fitted model of one history: posterior, incumbent, and its values as metrics.

The parameters of the model are fitted to a stable first part of the history and kept in a small
cache, so that the next call only extends the factor. The cache changes no result: what is fitted
depends on the history alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from experiments.samplers.gp.censoring import impute
from experiments.samplers.gp.encoding import Encoding
from experiments.samplers.gp.fitting import Fit, Prior, fit_theta, share_of
from experiments.samplers.gp.kernels import Kernel
from experiments.samplers.gp.model import Posterior, condition, condition_whole, factor
from experiments.samplers.gp.outputs import OutputTransform, fit_transform
from experiments.samplers.gp.rows import Rows

Floats = NDArray[np.float64]
_GROWTH: Final = 1.05
_SETTLED: Final = 0.75
# Noise is easily taken for a sum: above this variance (of y, which has 1) the kernel has none.
_NOISY: Final = 0.005


@dataclass(frozen=True, slots=True)
class Settings:
    """How the model is fitted."""

    prior: Prior = field(default_factory=Prior)
    always_fitted: int = 64  # up to so many runs, the fit sees all of them
    max_fitted: int = 256  # above, a subset
    max_drawn: int = 400  # up to so many runs, theta is drawn for each suggestion
    max_added: int = 400  # up to so many runs, the kernel has a share of sums: it costs time
    # With more pending, no sums either: what is believed of one run would count everywhere.
    max_pending: int = 4

    def without_sums(self) -> Settings:
        """Return the same for a kernel without sums."""
        return replace(self, prior=replace(self.prior, adds=False))


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A model of the metric; `y`: `(n,)` and `means`: `(n,)` belong to `rows`."""

    rows: Rows
    transform: OutputTransform
    y: Floats
    fit: Fit
    posterior: Posterior
    means: Floats
    order: NDArray[np.int64]  # rows by their expected value, best first

    @property
    def incumbent(self) -> int:
        """The row that is expected to be best."""
        return int(self.order[0])

    @property
    def target(self) -> float:
        """The expected value of the incumbent."""
        return float(self.means[self.order[0]])

    def drawn(self, pending: Floats, rng: np.random.Generator) -> Posterior:
        """Return the posterior under another likely theta, runs at `pending`, `(p, d)`, believed.

        Suggestions that all trust one theta look at the same few places: the uncertainty of theta
        belongs to that of the function (Snoek, Larochelle and Adams, "Practical Bayesian
        Optimization of Machine Learning Algorithms", 2012, section 3.2, with one draw for each
        suggestion instead of a mean over many).
        """
        kernel, noise = _kernel_of(self.fit.draw(rng), self.posterior.kernel.is_option)
        X = np.vstack([self.rows.X, pending])
        L = factor(kernel, X, np.full(len(X), noise))
        return condition_whole(kernel, X, self.y, L, noise)


def fit_surrogate(rows: Rows, encoding: Encoding, goal: str, settings: Settings) -> Surrogate:
    """Return the model of the ended runs; `rows.n_valued` must be positive."""
    if len(rows.values) > settings.max_added:
        settings = settings.without_sums()
    first = _first_part(rows, settings)
    y, transform = _learnable(rows, slice(None), goal)
    base = _Base(
        rows.X[:first].tobytes(),
        _learnable(rows, slice(first), goal)[0].tobytes(),
        encoding.is_option.tobytes(),
        settings,
    )
    fit, L1 = _fit_base(base)
    kernel, noise = _kernel_of(fit.theta, encoding.is_option)
    noises = np.full(len(y), noise)
    posterior = condition(kernel, rows.X, y, noises, L1)
    if rows.is_censored.any():
        y = impute(posterior, y, rows.is_censored)
        posterior = condition(kernel, rows.X, y, noises, L1)
    means = posterior.mean(rows.X)
    order = np.argsort(means, kind="stable")
    return Surrogate(rows, transform, y, fit, posterior, means, order)


def _first_part(rows: Rows, settings: Settings) -> int:
    """Return how many rows the parameters are fitted to."""
    n = len(rows.values)
    if n <= settings.always_fitted:
        return n
    settled = rows.n_settled if rows.n_settled >= _SETTLED * n else n
    size = settings.always_fitted
    while size * _GROWTH + 1 <= settled:
        size = int(size * _GROWTH + 1)
    # A first part without any metric teaches nothing.
    return size if np.isfinite(rows.values[:size]).any() else n


def _learnable(rows: Rows, part: slice, goal: str) -> tuple[Floats, OutputTransform]:
    values = rows.values[part]
    is_bad = np.isnan(values)
    transform = fit_transform(values[~is_bad], goal)
    y = np.empty(len(values))
    y[~is_bad] = transform.apply(values[~is_bad])
    y[is_bad] = y[~is_bad].max()
    return y, transform


@dataclass(frozen=True, slots=True)
class _Base:
    """What the parameters of a model depend on, as a key."""

    X: bytes
    y: bytes
    is_option: bytes
    settings: Settings


@lru_cache(maxsize=4)
def _fit_base(base: _Base) -> tuple[Fit, Floats]:
    """Return the fit of theta and the factor of the first part."""
    is_option = np.frombuffer(base.is_option, dtype=bool)
    y = np.frombuffer(base.y)
    X = np.frombuffer(base.X).reshape(len(y), len(is_option))
    picked = _subset(y, base.settings.max_fitted)
    prior = base.settings.prior
    fit = fit_theta(X[picked], y[picked], is_option, prior)
    if prior.adds and _kernel_of(fit.theta, is_option)[1] > _NOISY:
        fit = fit_theta(X[picked], y[picked], is_option, replace(prior, adds=False))
    kernel, noise = _kernel_of(fit.theta, is_option)
    return fit, factor(kernel, X, np.full(len(y), noise))


def _subset(y: Floats, size: int) -> Sequence[int] | NDArray[np.int64]:
    """Return the rows to fit to: the best third, and others evenly spread over the history."""
    if len(y) <= size:
        return np.arange(len(y))
    best = np.argsort(y, kind="stable")[: size // 3]
    others = np.setdiff1d(np.arange(len(y)), best)
    spread = others[np.linspace(0, len(others) - 1, size - len(best)).astype(int)]
    return np.sort(np.concatenate([best, spread]))


def _kernel_of(theta: Floats, is_option: NDArray[np.bool_]) -> tuple[Kernel, float]:
    d = len(is_option)
    share = share_of(theta, d)
    kernel = Kernel(np.exp(theta[:d]), float(np.exp(theta[d])), is_option, share)
    return kernel, float(np.exp(theta[d + 1]))
