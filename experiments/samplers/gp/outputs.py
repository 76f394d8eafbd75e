"""From metrics to values that a Gaussian process can learn, and back.

The sign makes small values good. Very bad values are cut: how bad a diverged run was teaches
nothing about the good ones, and would press them together. Values are then centred, scaled and
bent towards a normal distribution by the transform of Yeo and Johnson, "A new family of power
transformations to improve normality or symmetry", Biometrika 87 (2000).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_POWERS: Final = np.linspace(-1.0, 3.0, 81)
_MIN_FOR_POWER: Final = 4
# Losses count up to so many times the distance from the best to the median above the median.
_REACH: Final = 3.0
_TINY: Final = 1e-12
_LARGE: Final = 1e100


@dataclass(frozen=True, slots=True)
class OutputTransform:
    """Monotone map of metrics to y; `invert` undoes `apply` up to the ceiling."""

    sign: float
    scale: float  # of the metric, so that nothing overflows
    centre: float
    spread: float
    ceiling: float  # losses above count as this
    power: float
    mean: float
    deviation: float

    def apply(self, values: Floats) -> Floats:
        """Return y of metrics `values`: `(n,)`."""
        losses = np.minimum(self.sign * (values / self.scale), self.ceiling)
        bent = yeo_johnson((losses - self.centre) / self.spread, self.power)
        return np.asarray((bent - self.mean) / self.deviation)

    def invert(self, y: Floats) -> Floats:
        """Return the metrics at `y`: `(m,)`; beyond the reach of the power, its end."""
        plain = invert_yeo_johnson(y * self.deviation + self.mean, self.power)
        return np.asarray(self.sign * (plain * self.spread + self.centre) * self.scale)


def fit_transform(values: Floats, goal: str) -> OutputTransform:
    """Return the transform for the finite metrics `values`: `(n,)`, n > 0."""
    sign = 1.0 if goal == "minimize" else -1.0
    largest = float(np.abs(values).max())
    scale = largest if largest > _LARGE else 1.0
    losses = sign * (values / scale)
    centre = float(np.median(losses))
    # On a plateau of the best value, the distance to the upper quartile.
    distance = float(centre - losses.min() or np.quantile(losses, 0.75) - centre)
    ceiling = centre + _REACH * distance if distance > 0.0 else np.inf
    losses = np.minimum(losses, ceiling)
    spread = float(losses.std())
    if spread <= _TINY * float(np.abs(losses).max()):
        return OutputTransform(sign, scale, centre, 1.0, np.inf, 1.0, 0.0, 1.0)
    z = (losses - centre) / spread
    power = _likeliest_power(z) if len(z) >= _MIN_FOR_POWER else 1.0
    bent = yeo_johnson(z, power)
    deviation = float(bent.std())
    if not np.isfinite(deviation) or deviation < _TINY:
        power, bent, deviation = 1.0, z, 1.0
    return OutputTransform(
        sign, scale, centre, spread, ceiling, power, float(bent.mean()), deviation
    )


def yeo_johnson(z: Floats, power: float) -> Floats:
    """Return psi(power, z) of Yeo and Johnson, equation 2.1."""
    up, down = np.log1p(np.maximum(z, 0.0)), np.log1p(np.maximum(-z, 0.0))
    left = 2.0 - power
    positive = up if abs(power) < _TINY else np.expm1(power * up) / power
    negative = -down if abs(left) < _TINY else -np.expm1(left * down) / left
    return np.asarray(np.where(z >= 0, positive, negative))


def invert_yeo_johnson(v: Floats, power: float) -> Floats:
    """Return z with psi(power, z) = v."""
    up, down, left = np.maximum(v, 0.0), np.maximum(-v, 0.0), 2.0 - power
    # Where the power bends towards a limit, values beyond it have no z: take one near the limit.
    grow = (
        np.expm1(up)
        if abs(power) < _TINY
        else (np.expm1(np.log(np.maximum(1.0 + power * up, 1e-3)) / power))
    )
    fall = (
        np.expm1(down)
        if abs(left) < _TINY
        else (np.expm1(np.log(np.maximum(1.0 + left * down, 1e-3)) / left))
    )
    return np.asarray(np.where(v >= 0, grow, -fall))


def _likeliest_power(z: Floats) -> float:
    """Return the power of a grid with the largest likelihood (Yeo and Johnson, equation 3.1)."""
    ups = np.sign(z) * np.log1p(np.abs(z))
    bent = np.stack([yeo_johnson(z, power) for power in _POWERS])
    variances = np.maximum(bent.var(axis=1), _TINY)
    likelihood = -0.5 * len(z) * np.log(variances) + (_POWERS - 1.0) * ups.sum()
    return float(_POWERS[int(likelihood.argmax())])
