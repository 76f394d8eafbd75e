"""Covariance of the function at two places: Matern 5/2 over all parameters, and sums over each.

Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), equation 4.17, one
length scale per parameter (section 5.1). Options without an order enter the squared distance as
0 or w_j (Hamming), which equals the distance of one-hot vectors and keeps the kernel positive.
A share of the variance belongs to a sum of functions of one parameter each: what was learned about
one holds wherever the others are (Duvenaud, Nickisch and Rasmussen, "Additive Gaussian Processes",
2011, first order). Each has a rational quadratic kernel (4.19, with its alpha 2), which takes no
exponential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
ROOT5: Final = 5.0**0.5


@dataclass(frozen=True, slots=True)
class Kernel:
    """s^2 ((1 - a) (1 + s + s^2/3) exp(-s) + a/d sum_j (1 + r_j^2/4)^-2), s = sqrt(5 r^2).

    `relevance`: `(d,)`; `share` is a; r_j^2 is the part of parameter j in r^2.
    """

    relevance: Floats
    signal: float
    is_option: Mask
    share: float = 0.0

    def cross(self, A: Floats, B: Floats) -> Floats:
        """Return k(A, B): `(a, b)` for `A`: `(a, d)`, `B`: `(b, d)`."""
        k = matern52(self.squared_distances(A, B))
        k *= self.signal * (1.0 - self.share)
        if self.share > 0.0:
            k += self.signal * self.share / len(self.relevance) * self._sums(A, B)
        return k

    def squared_distances(self, A: Floats, B: Floats) -> Floats:
        """Return r^2: `(a, b)`."""
        numeric = ~self.is_option
        scale = np.sqrt(self.relevance[numeric])
        P, Q = A[:, numeric] * scale, B[:, numeric] * scale
        r2 = (P * P).sum(1)[:, None] + (Q * Q).sum(1)[None, :] - 2.0 * (P @ Q.T)
        np.maximum(r2, 0.0, out=r2)
        for j in np.flatnonzero(self.is_option):
            r2 += self.relevance[j] * (A[:, j, None] != B[None, :, j])
        return np.asarray(r2)

    def slopes(self, z: Floats, X: Floats) -> tuple[Floats, Floats]:
        """Return k(z, X): `(n,)`, and its derivatives by z: `(n, d)`, 0 for options."""
        difference = z[None, :] - X
        squared = difference * difference
        if self.is_option.any():
            squared[:, self.is_option] = squared[:, self.is_option] > 0.0
            difference[:, self.is_option] = 0.0
        s = ROOT5 * np.sqrt(squared @ self.relevance)
        decay = self.signal * (1.0 - self.share) * np.exp(-s)
        steep = (-5.0 / 3.0) * (1.0 + s) * decay
        k, slope = (1.0 + s + s * s / 3.0) * decay, steep[:, None]
        if self.share > 0.0:
            part = self.signal * self.share / len(self.relevance)
            inverse = 1.0 / (1.0 + squared * (0.25 * self.relevance))
            k = k + part * (inverse * inverse).sum(axis=1)
            slope = slope - part * inverse**3
        return k, slope * difference * self.relevance

    def _sums(self, A: Floats, B: Floats) -> Floats:
        """Return the sum over the parameters of (1 + r_j^2/4)^-2: `(a, b)`."""
        total = np.zeros((len(A), len(B)))
        for j, w in enumerate(0.25 * self.relevance):
            if self.is_option[j]:
                total += np.where(A[:, j, None] == B[None, :, j], 1.0, (1.0 + w) ** -2)
                continue
            # In place: this is most of the time that the kernel takes.
            part = A[:, j, None] - B[None, :, j]
            part *= part
            part *= w
            part += 1.0
            part *= part
            np.reciprocal(part, out=part)
            total += part
        return total


def matern52(r2: Floats) -> Floats:
    """Return (1 + s + s^2/3) exp(-s) with s = sqrt(5 r2), of any shape."""
    s = ROOT5 * np.sqrt(r2)
    decay = np.exp(-s)
    s += s * s / 3.0
    s += 1.0
    s *= decay
    return s


def pair_distances(X: Floats, is_option: Mask) -> Floats:
    """Return the unscaled squared distances of every pair i > j, one row per parameter.

    Shape `(d, n (n-1) / 2)`, in the order of `numpy.tril_indices(n, -1)`.
    """
    rows, columns = np.tril_indices(len(X), -1)
    difference = X.T[:, rows] - X.T[:, columns]
    squared = difference * difference
    squared[is_option] = squared[is_option] > 0
    return np.asarray(squared)
