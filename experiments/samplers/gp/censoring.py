"""What stopped runs would have reached: at most what they had, at best what the best run has.

A run that was canceled early has reported its best metric so far, and the best only gets better:
its value is a bound. The bound is replaced by the mean of what the model expects below it. Source:
Hutter, Hoos and Leyton-Brown, "Bayesian Optimization With Censored Response Data" (2011), section
3, with means instead of samples; the prediction leaves the run itself out (Rasmussen and Williams
2006, equation 5.12). Nobody stops the best run, so values beyond it are left out as well.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

from experiments.samplers.gp.model import Posterior

Floats = NDArray[np.float64]
_ROUNDS: Final = 3
_ROOT_2PI: Final = (2.0 * np.pi) ** 0.5


def impute(posterior: Posterior, y: Floats, is_censored: NDArray[np.bool_]) -> Floats:
    """Return `y`, `(n,)`, with every censored entry at its expected value, never above it.

    `posterior` is that of `y` as it stands; small values are good.
    """
    if not is_censored.any() or is_censored.all():
        return y
    inverse = inverse_factor(posterior)
    K_inverse = inverse.T @ inverse
    variance = 1.0 / K_inverse.diagonal()[is_censored]
    best, bound = float(y[~is_censored].min()), y[is_censored]
    found = y.copy()
    for _ in range(_ROUNDS):
        left_out = found[is_censored] - (K_inverse @ found)[is_censored] * variance
        found[is_censored] = truncated_mean(left_out, np.sqrt(variance), best, bound)
    return found


def truncated_mean(mean: Floats, spread: Floats, low: float, high: Floats) -> Floats:
    """Return E[f | low < f < high] for f ~ N(mean, spread^2), each `(c,)`; `high` if low is above.

    Where both ends lie far in one tail, the end that is nearer to the mean.
    """
    a, b = (low - mean) / spread, (high - mean) / spread
    mass = scipy.special.ndtr(b) - scipy.special.ndtr(a)
    density = (np.exp(-0.5 * a * a) - np.exp(-0.5 * b * b)) / _ROOT_2PI
    nearer = np.where(scipy.special.log_ndtr(b) < scipy.special.log_ndtr(-a), high, low)
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = mean + spread * density / mass
    inner = np.where(mass > 1e-8, inner, nearer)
    return np.asarray(np.where(high > low, np.clip(inner, low, high), high))


def inverse_factor(posterior: Posterior) -> Floats:
    """Return L^-1 of the runs that have ended: `(n, n)`, lower."""
    n, b = len(posterior.alpha), len(posterior.L1)
    q = n - b
    L = np.zeros((n, n), order="F")
    L[:b, :b], L[b:, :b], L[b:, b:] = posterior.L1, posterior.C[:q], posterior.L2[:q, :q]
    return np.asarray(scipy.linalg.lapack.dtrtri(L, lower=1)[0])
