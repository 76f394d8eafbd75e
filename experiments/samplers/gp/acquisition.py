"""How much a run is expected to improve on a target, in logarithms that never vanish.

Expected improvement: Jones, Schonlau and Welch, "Efficient Global Optimization" (1998), equation
15. Its logarithm in stable form: Ament, Daulton, Eriksson, Balandat and Bakshy, "Unexpected
Improvements to Expected Improvement" (2023), equations 9 and 14.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LOG_ROOT_2PI: Final = 0.5 * math.log(2.0 * math.pi)
_FAR: Final = -1e4


def log_expected_improvement(mean: Floats, spread: Floats, target: float) -> Floats:
    """Return log E[max(target - f, 0)] for f ~ N(mean, spread^2), all of shape `(m,)`."""
    return np.asarray(np.log(spread) + log_h((target - mean) / spread))


def log_h(z: Floats) -> Floats:
    """Return log(phi(z) + z Phi(z)), `(m,)`, for any z; below -1e4 by its asymptote."""
    found = np.empty_like(z)
    near = z > -1.0
    a, b = z[near], z[~near]
    found[near] = np.log(np.exp(-0.5 * a * a - _LOG_ROOT_2PI) + a * scipy.special.ndtr(a))
    tail = np.abs(b) * scipy.special.erfcx(-b / math.sqrt(2.0)) * math.sqrt(math.pi / 2.0)
    rest = np.log1p(-np.minimum(tail, 1.0 - 1e-16))
    rest = np.where(b < _FAR, -2.0 * np.log(np.abs(b)), rest)
    found[~near] = -0.5 * b * b - _LOG_ROOT_2PI + rest
    return found


def slope(
    mean: float, spread: float, d_mean: Floats, d_spread: Floats, target: float
) -> tuple[float, Floats]:
    """Return log EI at one place and its derivatives: `(d,)`.

    d EI = phi(z) d_spread - Phi(z) d_mean, with z = (target - mean) / spread.
    """
    z = (target - mean) / spread
    value = math.log(spread) + float(log_h(np.array([z]))[0])
    density = math.exp(min(-0.5 * z * z - _LOG_ROOT_2PI - value, 700.0))
    chance = math.exp(min(float(scipy.special.log_ndtr(z)) - value, 700.0))
    return value, density * d_spread - chance * d_mean
