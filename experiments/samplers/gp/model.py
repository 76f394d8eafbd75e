"""The posterior of the Gaussian process: mean and spread anywhere, pending runs counted in.

Formulas: Rasmussen and Williams (2006), algorithm 2.1, in block form. The factor of a stable first
part is computed once; later runs extend it by one block, pending ones row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from experiments.samplers.gp.fitting import JITTER
from experiments.samplers.gp.kernels import Kernel

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Posterior:
    """Function values given runs; b runs in the first block of the factor, q in the second.

    L = [[L1, 0], [C, L2]] with `L1`: `(b, b)`, `C`: `(q, b)`, `L2`: `(q, q)`; `beta` = L^-1 y, and
    0 for pending runs: they are believed to give what the model expects (Ginsbourger, Le Riche and
    Carraro, "Kriging is well-suited to parallelize optimization", 2010), which changes no mean.
    """

    kernel: Kernel
    X: Floats
    L1: Floats
    C: Floats
    L2: Floats
    beta: Floats
    alpha: Floats  # K^-1 y of the runs that have ended
    pending_noise: float

    def predict(self, Z: Floats) -> tuple[Floats, Floats]:
        """Return mean and spread of the function at `Z`, `(m, d)`: `(m,)` each."""
        V1, V2 = self._solve(self.kernel.cross(self.X, Z))
        b = len(self.L1)
        mean = V1.T @ self.beta[:b] + V2.T @ self.beta[b:]
        explained = np.einsum("ij,ij->j", V1, V1) + np.einsum("ij,ij->j", V2, V2)
        variance = np.maximum(self.kernel.signal - explained, 1e-12)
        return mean, np.sqrt(variance)

    def mean(self, Z: Floats) -> Floats:
        """Return the mean alone at `Z`, `(m, d)`: `(m,)`."""
        n = len(self.alpha)
        return np.asarray(self.kernel.cross(Z, self.X[:n]) @ self.alpha)

    def slopes(self, z: Floats) -> tuple[float, float, Floats, Floats]:
        """Return mean and spread at one place `z`, `(d,)`, and their derivatives: `(d,)` each."""
        k, dk = self.kernel.slopes(z, self.X)
        V1, V2 = self._solve(k[:, None])
        b, n = len(self.L1), len(self.alpha)
        mean = float(V1[:, 0] @ self.beta[:b] + V2[:, 0] @ self.beta[b:])
        variance = self.kernel.signal - float((V1 * V1).sum() + (V2 * V2).sum())
        spread = max(variance, 1e-12) ** 0.5
        last = scipy.linalg.lapack.dtrtrs(self.L2, V2, lower=1, trans=1)[0] if len(V2) else V2
        first = scipy.linalg.lapack.dtrtrs(self.L1, V1 - self.C.T @ last, lower=1, trans=1)[0]
        solved = np.concatenate([first[:, 0], last[:, 0]])
        return mean, spread, dk[:n].T @ self.alpha, -(dk.T @ solved) / spread

    def with_pending(self, x: Floats) -> Posterior:
        """Return the posterior once a run at `x`, `(d,)`, is on its way."""
        V1, V2 = self._solve(self.kernel.cross(self.X, x[None, :]))
        left = self.kernel.signal + self.pending_noise + JITTER
        left -= float((V1 * V1).sum() + (V2 * V2).sum())
        q = len(self.L2)
        L2 = np.zeros((q + 1, q + 1), order="F")
        L2[:q, :q] = self.L2
        L2[q, :q] = V2[:, 0]
        L2[q, q] = max(left, 1e-10) ** 0.5
        return replace(
            self,
            X=np.vstack([self.X, x]),
            C=np.vstack([self.C, V1.T]),
            L2=L2,
            beta=np.append(self.beta, 0.0),
        )

    def _solve(self, k: Floats) -> tuple[Floats, Floats]:
        """Return L^-1 k in its two blocks, k: `(b + q, m)`."""
        b = len(self.L1)
        V1 = scipy.linalg.lapack.dtrtrs(self.L1, k[:b], lower=1)[0]
        if len(k) == b:
            return V1, k[b:]
        rest = k[b:] - self.C @ V1
        return V1, scipy.linalg.lapack.dtrtrs(self.L2, rest, lower=1)[0]


def factor(kernel: Kernel, X: Floats, noise: Floats) -> Floats:
    """Return the lower Cholesky factor of k(X, X) + diag(noise): `(n, n)`."""
    K = np.asfortranarray(kernel.cross(X, X))
    return _cholesky(K, noise)


def condition(
    kernel: Kernel,
    X: Floats,
    y: Floats,
    noise: Floats,
    L1: Floats,
) -> Posterior:
    """Return the posterior given runs, `L1` being the factor of the first of them."""
    b = len(L1)
    beta1 = scipy.linalg.lapack.dtrtrs(L1, y[:b], lower=1)[0]
    V = (
        scipy.linalg.lapack.dtrtrs(L1, kernel.cross(X[:b], X[b:]), lower=1)[0]
        if b < len(X)
        else L1[:, :0]
    )
    C = V.T
    L2 = np.zeros((0, 0))
    beta2 = y[b:]
    if b < len(X):
        L2 = _cholesky(np.asfortranarray(kernel.cross(X[b:], X[b:]) - C @ V), noise[b:])
        beta2 = scipy.linalg.lapack.dtrtrs(L2, y[b:] - C @ beta1, lower=1)[0]
    alpha2 = scipy.linalg.lapack.dtrtrs(L2, beta2, lower=1, trans=1)[0] if len(L2) else beta2
    alpha1 = scipy.linalg.lapack.dtrtrs(L1, beta1 - C.T @ alpha2, lower=1, trans=1)[0]
    return Posterior(
        kernel=kernel,
        X=X,
        L1=L1,
        C=C,
        L2=L2,
        beta=np.concatenate([beta1, beta2]),
        alpha=np.concatenate([alpha1, alpha2]),
        pending_noise=float(np.median(noise)),
    )


def condition_whole(
    kernel: Kernel,
    X: Floats,
    y: Floats,
    L: Floats,
    noise: float,
) -> Posterior:
    """Return the posterior given `y`, `(n,)`, of the first rows of `X`; the others are pending.

    `L` is the factor of all rows.
    """
    n = len(y)
    beta = np.zeros(len(X))
    ended = np.asfortranarray(L[:n, :n])
    beta[:n] = scipy.linalg.lapack.dtrtrs(ended, y, lower=1)[0]
    alpha = scipy.linalg.lapack.dtrtrs(ended, beta[:n], lower=1, trans=1)[0]
    return Posterior(kernel, X, L, np.zeros((0, len(X))), np.zeros((0, 0)), beta, alpha, noise)


def _cholesky(K: Floats, noise: Floats) -> Floats:
    """Return the lower factor; a diagonal that rounding made too small is raised."""
    diagonal = K.diagonal() + noise + JITTER
    extra = 0.0
    while True:
        K.flat[:: len(K) + 1] = diagonal + extra
        L, fault = scipy.linalg.lapack.dpotrf(K, lower=1, clean=1)
        if not fault:
            return np.asarray(L)
        extra = max(extra * 10.0, JITTER)
