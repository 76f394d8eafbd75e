"""Length scales, signal and noise of the Gaussian process: the likeliest ones under a prior.

The negative log posterior and its gradient: Rasmussen and Williams (2006), equations 5.8 and 5.9,
plus normal priors on every log parameter. Length scales are expected to grow with the number of
parameters: Hvarfner, Hellsten and Nardi, "Vanilla Bayesian Optimization Performs Great in High
Dimensions" (2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.optimize import minimize

from experiments.samplers.gp.kernels import ROOT5, pair_distances

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
JITTER: Final = 1e-8
_BAD: Final = 1e12
_STEP: Final = 0.05
# The normal law around the maximum is too wide where the density falls off to one side only.
_TEMPER: Final = 0.7


@dataclass(frozen=True, slots=True)
class Prior:
    """Normal distributions of log w, log s^2 and log t^2."""

    length: float = 0.35  # usual length scale of one parameter among one
    growth: float = 0.5  # length scales grow with d to this power
    relevance_deviation: float = 1.6
    option_relevance: float = 1.0
    signal_deviation: float = 1.0
    noise: float = 0.003
    noise_deviation: float = 2.0
    noise_bounds: tuple[float, float] = (1e-6, 1.0)

    def moments(self, is_option: Mask) -> tuple[Floats, Floats]:
        """Return means and deviations of theta: `(d + 2,)` each."""
        d = len(is_option)
        usual = -2.0 * math.log(self.length * max(d, 1) ** (self.growth / 2.0))
        relevance = np.where(is_option, math.log(self.option_relevance), usual)
        mean = np.concatenate([relevance, [0.0, math.log(self.noise)]])
        deviation = np.full(d + 2, self.relevance_deviation)
        deviation[d:] = self.signal_deviation, self.noise_deviation
        return mean, deviation

    def bounds(self, d: int) -> list[tuple[float, float]]:
        """Return the range of each entry of theta."""
        low, high = self.noise_bounds
        return [(-8.0, 8.0)] * d + [(-4.0, 4.0), (math.log(low), math.log(high))]


class Evidence:
    """The negative log posterior of theta given places and values."""

    def __init__(self, X: Floats, y: Floats, is_option: Mask, prior: Prior) -> None:  # noqa: N803
        self.y = y
        self.prior_mean, self.prior_deviation = prior.moments(is_option)
        self._pairs = np.tril_indices(len(y), -1)
        self._distances = pair_distances(X, is_option)

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """Return the value and its gradient: `(d + 2,)`."""
        n, d = len(self.y), len(theta) - 2
        relevance, signal, noise = np.exp(theta[:d]), math.exp(theta[d]), math.exp(theta[d + 1])
        s = ROOT5 * np.sqrt(relevance @ self._distances)
        decay = np.exp(-s)
        correlation = (1.0 + s + s * s / 3.0) * decay
        K = np.zeros((n, n), order="F")  # noqa: N806
        K[self._pairs] = signal * correlation
        K.flat[:: n + 1] = signal + noise + JITTER
        L, fault = lapack.dpotrf(K, lower=1, overwrite_a=1)  # noqa: N806
        if fault:
            return _BAD, np.zeros(d + 2)
        half_determinant = float(np.log(L.diagonal()).sum())
        alpha = lapack.dpotrs(L, self.y, lower=1)[0]
        inverse = lapack.dpotri(L, lower=1, overwrite_c=1)[0]
        value = 0.5 * float(self.y @ alpha) + half_determinant
        # G = (K^-1 - alpha alpha^T) / 2; every pair stands for two entries.
        rows, columns = self._pairs
        G = inverse[self._pairs] - alpha[rows] * alpha[columns]  # noqa: N806
        trace = 0.5 * float(inverse.diagonal().sum() - alpha @ alpha)
        gradient = np.empty(d + 2)
        slopes = self._distances @ (G * (1.0 + s) * decay)
        gradient[:d] = (-5.0 / 6.0 * signal) * relevance * slopes
        gradient[d] = signal * (float(G @ correlation) + trace)
        gradient[d + 1] = noise * trace
        z = (theta - self.prior_mean) / self.prior_deviation
        return value + 0.5 * float(z @ z), gradient + z / self.prior_deviation


@dataclass(frozen=True, slots=True)
class Fit:
    """The likeliest theta, and how uncertain it is: `directions` `(d+2, d+2)`, their `deviations`.

    Laplace's approximation: a normal distribution around the maximum, with the curvature there
    (Rasmussen and Williams 2006, section 3.4; for parameters, Mackay 1992).
    """

    theta: Floats
    directions: Floats
    deviations: Floats
    low: Floats
    high: Floats

    def draw(self, rng: np.random.Generator) -> Floats:
        """Return a theta that is likely too: `(d + 2,)`."""
        steps = self.directions @ (self.deviations * rng.normal(size=len(self.theta)))
        steps *= _TEMPER
        return np.asarray(np.clip(self.theta + steps, self.low, self.high))


def fit_theta(
    X: Floats,  # noqa: N803
    y: Floats,
    is_option: Mask,
    prior: Prior,
    steps: int = 30,
) -> Fit:
    """Return the theta with the largest posterior density.

    It starts from the prior only, so that the same data give the same theta, whatever was fitted
    before.
    """
    evidence = Evidence(X, y, is_option, prior)
    start = evidence.prior_mean.copy()
    start[-1] = math.log(0.01)
    found = minimize(
        evidence,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=prior.bounds(len(is_option)),
        options={"maxiter": steps},
    )
    bounds = np.array(prior.bounds(len(is_option)))
    low, high = bounds[:, 0], bounds[:, 1]
    return Fit(found.x, *_curvature(evidence, found.x), low, high)


def _curvature(evidence: Evidence, theta: Floats) -> tuple[Floats, Floats]:
    """Return directions, and the deviations along them, by differences of the gradient.

    No deviation is larger than the prior's.
    """
    size = len(theta)
    rows = [evidence(theta + step)[1] for step in _STEP * np.eye(size)]
    H = (np.array(rows) - evidence(theta)[1]) / _STEP  # noqa: N806
    values, directions = np.linalg.eigh(0.5 * (H + H.T))
    widest = float(evidence.prior_deviation.max())
    return directions, 1.0 / np.sqrt(np.maximum(values, 1.0 / widest**2))
