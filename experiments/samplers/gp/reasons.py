"""Why a run was proposed: one sentence for people, and the facts that it is made of as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.samplers.gp.encoding import Encoding
from experiments.samplers.gp.model import Posterior
from experiments.samplers.gp.rows import number_of
from experiments.samplers.gp.surrogate import Surrogate

Floats = NDArray[np.float64]
# A place is explored when the model knows less than this share of the function's spread there.
_UNKNOWN: Final = 0.5


def reason_for(
    surrogate: Surrogate, posterior: Posterior, encoding: Encoding, x: Floats, acquisition: float
) -> tuple[str, dict[str, Any]]:
    """Return the sentence and the facts about a proposal at `x`: `(d,)`.

    Facts, metrics in their own unit: `kind` ("explore" or "refine"), `mean`, `spread` (half the
    range of one standard deviation to both sides), `acquisition` (log of the expected improvement,
    in transformed units), `incumbent` with `number` (None: of an earlier sweep), `value` (as
    measured, None for a failed run) and `mean` (as expected by the model), `relevance` by
    parameter (shares of their inverse length scales), `learned_from` and `pending` (counts).
    """
    mean, spread = (float(v[0]) for v in posterior.predict(x[None, :]))
    ends = surrogate.transform.invert(np.array([mean - spread, mean, mean + spread]))
    half = float(abs(ends[2] - ends[0])) / 2.0
    kind = "explore" if spread > _UNKNOWN * posterior.kernel.signal**0.5 else "refine"
    facts = {
        "kind": kind,
        "mean": _finite(ends[1]),
        "spread": _finite(half),
        "acquisition": _finite(acquisition),
        "incumbent": _incumbent(surrogate),
        "relevance": relevance(surrogate, encoding),
        "learned_from": len(surrogate.y),
        "pending": len(posterior.X) - len(surrogate.y),
    }
    return _sentence(facts), facts


def relevance(surrogate: Surrogate, encoding: Encoding) -> dict[str, float]:
    """Return for each parameter its share of the inverse length scales; 0 for constants."""
    inverse = np.sqrt(surrogate.posterior.kernel.relevance)
    total = float(inverse.sum()) or 1.0
    shares = {a.name: float(v) / total for a, v in zip(encoding.axes, inverse, strict=True)}
    return {name: shares.get(name, 0.0) for name in encoding.space.expressions}


def _incumbent(surrogate: Surrogate) -> dict[str, Any]:
    row = surrogate.incumbent
    value = float(surrogate.rows.values[row])
    expected = surrogate.transform.invert(surrogate.means[row : row + 1])[0]
    return {
        "number": number_of(surrogate.rows, row),
        "value": _finite(value),
        "mean": _finite(expected),
    }


def _sentence(facts: Mapping[str, Any]) -> str:
    best = facts["incumbent"]
    name = "a run of an earlier sweep" if best["number"] is None else f"run {best['number']}"
    compared = name if best["value"] is None else f"{name} ({_short(best['value'])})"
    expected = f"{_short(facts['mean'])} ± {_short(facts['spread'])}"
    if facts["kind"] == "refine":
        return f"Refines: {expected} is expected here, close to earlier runs; best is {compared}."
    return f"Explores: {expected} is expected here, far from earlier runs; best is {compared}."


def _short(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
