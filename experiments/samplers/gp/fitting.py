"""Length scales, signal and noise of the Gaussian process: the likeliest ones under a prior.

The negative log posterior and its gradient: Rasmussen and Williams (2006), equations 5.8 and 5.9,
plus normal priors on every log parameter. Length scales are expected to grow with the number of
parameters: Hvarfner, Hellsten and Nardi, "Vanilla Bayesian Optimization Performs Great in High
Dimensions" (2024). The share of the sums (`kernels`) is fitted as its log odds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

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
    """Normal distributions of log w, log s^2, log t^2 and, where it `adds`, the odds of a."""

    length: float = 0.35  # usual length scale of one parameter among one
    growth: float = 0.5  # length scales grow with d to this power
    relevance_deviation: float = 1.6
    option_relevance: float = 1.0
    signal_deviation: float = 1.0
    noise: float = 0.003
    noise_deviation: float = 2.0
    noise_bounds: tuple[float, float] = (1e-6, 1.0)
    odds_deviation: float = 1.5  # of the logarithm, around even odds
    adds: bool = True  # whether the kernel has a share of sums

    def moments(self, is_option: Mask) -> tuple[Floats, Floats]:
        """Return means and deviations of theta: `(d + 3,)` each, `(d + 2,)` without sums."""
        d = len(is_option)
        usual = -2.0 * math.log(self.length * max(d, 1) ** (self.growth / 2.0))
        relevance = np.where(is_option, math.log(self.option_relevance), usual)
        mean = np.concatenate([relevance, [0.0, math.log(self.noise), 0.0]])
        deviation = np.full(d + 3, self.relevance_deviation)
        deviation[d:] = self.signal_deviation, self.noise_deviation, self.odds_deviation
        size = d + 2 + self.adds
        return mean[:size], deviation[:size]

    def bounds(self, d: int) -> list[tuple[float, float]]:
        """Return the range of each entry of theta."""
        low, high = self.noise_bounds
        last = [(-4.0, 4.0), (math.log(low), math.log(high)), (-5.0, 5.0)]
        return [(-8.0, 8.0)] * d + last[: 2 + self.adds]


class Evidence:
    """The negative log posterior of theta given places and values."""

    def __init__(self, X: Floats, y: Floats, is_option: Mask, prior: Prior) -> None:
        self.y = y
        self.prior_mean, self.prior_deviation = prior.moments(is_option)
        self._pairs = np.tril_indices(len(y), -1)
        self._distances = pair_distances(X, is_option)

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """Return the value and its gradient, of the shape of `theta`."""
        n, d = len(self.y), len(self._distances)
        relevance, signal, noise = np.exp(theta[:d]), math.exp(theta[d]), math.exp(theta[d + 1])
        correlation, slopes_of = self._correlation(relevance, share_of(theta, d))
        K = np.zeros((n, n), order="F")
        K[self._pairs] = signal * correlation
        K.flat[:: n + 1] = signal + noise + JITTER
        L, fault = scipy.linalg.lapack.dpotrf(K, lower=1, overwrite_a=1)
        if fault:
            return _BAD, np.zeros(len(theta))
        half_determinant = float(np.log(L.diagonal()).sum())
        alpha = scipy.linalg.lapack.dpotrs(L, self.y, lower=1)[0]
        inverse = scipy.linalg.lapack.dpotri(L, lower=1, overwrite_c=1)[0]
        value = 0.5 * float(self.y @ alpha) + half_determinant
        # G = (K^-1 - alpha alpha^T) / 2; every pair stands for two entries.
        rows, columns = self._pairs
        G = inverse[self._pairs] - alpha[rows] * alpha[columns]
        trace = 0.5 * float(inverse.diagonal().sum() - alpha @ alpha)
        gradient = np.empty(len(theta))
        slopes = signal * slopes_of(G)
        gradient[:d], gradient[d + 2 :] = slopes[:d], slopes[d : len(theta) - 2]
        gradient[d] = signal * (float(G @ correlation) + trace)
        gradient[d + 1] = noise * trace
        z = (theta - self.prior_mean) / self.prior_deviation
        return value + 0.5 * float(z @ z), gradient + z / self.prior_deviation

    def _correlation(
        self, relevance: Floats, share: float
    ) -> tuple[Floats, Callable[[Floats], Floats]]:
        """Return k / s^2 of every pair, `(p,)`, and what maps dE/dk to derivatives of E.

        These are by log w and the log odds of a: `(d + 1,)`.
        """
        s = ROOT5 * np.sqrt(relevance @ self._distances)
        decay = np.exp(-s)
        joint = (1.0 + s + s * s / 3.0) * decay
        if share == 0.0:
            sums, inverse, squares = joint, np.empty(0), np.empty(0)
        else:
            inverse = 1.0 / (1.0 + (0.25 * relevance)[:, None] * self._distances)
            squares = inverse * inverse
            sums = squares.mean(axis=0)

        def slopes_of(G: Floats) -> Floats:
            slopes = (-5.0 / 6.0 * (1.0 - share)) * relevance
            slopes *= self._distances @ (G * (1.0 + s) * decay)
            if share > 0.0:
                slopes -= (2.0 * share / len(relevance)) * ((squares - squares * inverse) @ G)
            return np.append(slopes, share * (1.0 - share) * float(G @ (sums - joint)))

        return (1.0 - share) * joint + share * sums, slopes_of


def share_of(theta: Floats, d: int) -> float:
    """Return the share of sums in the kernel; 0 for a theta without it."""
    return 1.0 / (1.0 + math.exp(-theta[d + 2])) if len(theta) > d + 2 else 0.0


@dataclass(frozen=True, slots=True)
class Fit:
    """The likeliest theta, and how uncertain it is: `directions`, and `deviations` along them.

    Laplace's approximation: a normal distribution around the maximum, with the curvature there
    (Rasmussen and Williams 2006, section 3.4; for parameters, Mackay 1992).
    """

    theta: Floats
    directions: Floats
    deviations: Floats
    low: Floats
    high: Floats

    def draw(self, rng: np.random.Generator) -> Floats:
        """Return a theta that is likely too."""
        steps = self.directions @ (self.deviations * rng.normal(size=len(self.theta)))
        steps *= _TEMPER
        return np.asarray(np.clip(self.theta + steps, self.low, self.high))


def fit_theta(
    X: Floats,
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
    start[len(is_option) + 1] = math.log(0.01)
    found = scipy.optimize.minimize(
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
    H = (np.array(rows) - evidence(theta)[1]) / _STEP
    values, directions = np.linalg.eigh(0.5 * (H + H.T))
    widest = float(evidence.prior_deviation.max())
    return directions, 1.0 / np.sqrt(np.maximum(values, 1.0 / widest**2))
