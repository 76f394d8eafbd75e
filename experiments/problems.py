"""What is wrong with something a user wrote: one problem per path, all of them together.

Errors of this package: ValueError > ProblemsError (carries every Problem found).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands ("search_space.lr") and a full sentence about it."""

    path: str
    message: str


class ProblemsError(ValueError):
    """Everything that is wrong with one input; nothing was done with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(f"{p.path}: {p.message}" for p in self.problems))
