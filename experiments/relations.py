"""How the value of the ended runs of a sweep goes with their parameters, all together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.correlation import Correlation, correlations_of
from experiments.curves import FloatArray
from experiments.importance import Importance, importance_of


@dataclass(frozen=True, slots=True)
class Relations:
    """What `runs` ended runs with a value say, `stopped` of them not at their end.

    `importance` None: too few of them, or nothing varies.
    """

    importance: Importance | None
    correlations: tuple[Correlation, ...]
    runs: int
    stopped: int


def relate(
    names: Sequence[str],
    params: Sequence[Mapping[str, Any]],
    values: FloatArray,
    *,
    goal: str,
    stopped: int,
) -> Relations:
    """Return importance and correlation of the parameters `names`; every value is finite."""
    return Relations(
        importance=importance_of(names, params, values),
        correlations=tuple(correlations_of(names, params, values, goal)),
        runs=int(values.size),
        stopped=stopped,
    )
