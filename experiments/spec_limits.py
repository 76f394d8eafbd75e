"""What a studio assumes where a specification is silent, and the most that it allows. Pure.

The contract's own bounds are those of `SweepSpec`; an administrator may only narrow them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from experiments.problems import Problem

_CONCURRENCY: Final = "max_concurrent_runs"


@dataclass(frozen=True, slots=True)
class SpecLimits:
    """`assumed` and `most` by field of the specification; what is not in them is the contract's."""

    assumed: Mapping[str, int]
    most: Mapping[str, int]

    def filled(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a specification with what it is silent about.

        Runs at once that are null mean as many as the studio allows; other fields that are null
        were left out.
        """
        given = dict(fields)
        for name, value in self.assumed.items():
            if name not in given or (given[name] is None and name != _CONCURRENCY):
                given[name] = value
        at_once = self.at_once(given.get(_CONCURRENCY), given.get("max_total_runs"))
        return given if at_once is None else given | {_CONCURRENCY: at_once}

    def at_once(self, value: Any, total: Any) -> Any:
        """Return what runs at once are of so many in all: null is as many as the studio allows."""
        most = self.most.get(_CONCURRENCY)
        is_kept = most is None or (isinstance(total, int) and total <= most)
        return value if value is not None or is_kept else most

    def problems(self, values: Mapping[str, Any]) -> list[Problem]:
        """Return a problem for each value above what the studio allows."""
        return [
            Problem(
                name,
                f"{name} is {values[name]:g}, but this studio allows at most {most}; "
                f"use {most} or less, or ask an administrator.",
            )
            for name, most in self.most.items()
            if isinstance(values.get(name), int | float) and values[name] > most
        ]


CONTRACT: Final = SpecLimits({}, {})
