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
        if _CONCURRENCY in given or _CONCURRENCY in self.most:
            given[_CONCURRENCY] = self.at_once(given.get(_CONCURRENCY))
        return given

    def at_once(self, value: Any) -> Any:
        """Return what runs at once mean: null is as many as the studio allows."""
        return self.most.get(_CONCURRENCY) if value is None else value

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
