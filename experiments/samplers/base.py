"""What every sampler shares: the history it sees and the suggestions it returns.

Pure: the same space, seed, options and history give the same suggestions. Run numbers are given
out in order, so random numbers start from (seed of the sweep, number of the run).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any, ClassVar, Final, Literal

import numpy as np

from experiments.problems import Problem
from experiments.space.literals import brief
from experiments.space.space import SearchSpace

MAX_SEED: Final = (1 << 62) - 1


class SpaceExhausted(Exception):  # noqa: N818 - an end, not an error
    """Every configuration of the space has been tried; the text says how many there were."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One run as samplers see it; `value` is its best finite metric, None without one."""

    number: int
    params: Mapping[str, Any]
    value: float | None
    state: Literal["pending", "completed", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class History:
    """All runs of the sweep so far; `prior` are those of the sweeps it was warm-started from.

    `next_number` counts configurations that samplers gave out: a run that repeats another one, or
    that was queued by hand, stands in `observations` and moves no other.
    """

    next_number: int
    observations: Sequence[Observation] = ()
    prior: Sequence[Observation] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Values for one run, and one sentence that says where they come from.

    `facts` are the numbers behind the sentence, as JSON can hold them: "kind" and what the sampler
    knows besides; None when there is nothing to add.
    """

    params: dict[str, Any]
    note: str
    facts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """One option of a sampler: forms and the reference page are made from it."""

    name: str
    kind: Literal["integer"]
    label: str
    help: str


SEED = OptionSpec(
    name="seed",
    kind="integer",
    label="Seed",
    help="The same seed and space give the same configurations. Empty: a new one for each sweep.",
)


class Sampler(ABC):
    """Proposes configurations. Subclasses give the texts, `accepts` and `suggest`.

    `allows_policy`: whether runs may be stopped early, or their last values mislead the sampler.
    `needs_same_space`: whether sweeps that it goes on from must have the identical search space.
    `looks_ahead`: whether a suggestion takes so long that it is worked out before it is needed.
    `libraries`: what its first suggestion imports, and nothing before it: they take half a second
    and much memory, which a process that never samples does not have to spend.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    accepts: ClassVar[frozenset[str]]
    fields: ClassVar[tuple[OptionSpec, ...]] = (SEED,)
    allows_policy: ClassVar[bool] = True
    needs_same_space: ClassVar[bool] = False
    looks_ahead: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def load_libraries(cls) -> None:
        """Import what the first suggestion needs."""
        for name in cls.libraries:
            import_module(name)

    def __init__(
        self,
        space: SearchSpace,
        *,
        goal: str,
        seed: int,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.space = space
        self.goal = goal
        self.seed = seed
        self.options = dict(options or {})

    @classmethod
    def check(
        cls, space: SearchSpace | None, options: Mapping[str, Any], path: str
    ) -> list[Problem]:
        """Return every problem of the options and of expressions that cannot be sampled."""
        problems = _check_options(cls, options, path)
        for name, expression in (space.expressions if space else {}).items():
            if expression.name not in cls.accepts:
                allowed = ", ".join(sorted(cls.accepts))
                text = (
                    f"{cls.label} sampling cannot use {expression.name}; it takes {allowed}. "
                    "Change the expression or the sampling method."
                )
                problems.append(Problem(f"search_space.{name}", text))
        return problems

    @abstractmethod
    def suggest(self, history: History, count: int) -> list[Suggestion]:
        """Return configurations for the runs from `history.next_number` on.

        Returns fewer than `count` only when the space has no more.

        Raises:
            SpaceExhausted: there is none left.
        """

    def rng(self, number: int) -> np.random.Generator:
        """Return the random numbers of one run."""
        return np.random.default_rng([self.seed, number])


def _check_options(kind: type[Sampler], options: Mapping[str, Any], path: str) -> list[Problem]:
    known = {field.name: field for field in kind.fields}
    problems = []
    for key, value in options.items():
        field = known.get(key)
        if field is None:
            close = get_close_matches(str(key).lower(), known, n=1)
            allowed = f"It takes {', '.join(known)}." if known else "It takes none."
            advice = f"Did you mean {close[0]}?" if close else allowed
            text = f"{kind.name} sampling has no option {brief(key)}. {advice}"
            problems.append(Problem(f"{path}.{key}", text))
        elif value is not None and not _is_seed(value):
            text = f"{key} is {brief(value)}; use a whole number from 0 to {MAX_SEED}."
            problems.append(Problem(f"{path}.{key}", text))
    return problems


def _is_seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED
