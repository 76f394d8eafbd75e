"""Which value of a run counts: its best so far, its last one, or the one it had at a step.

The one place that knows how a reading is written, what it is called and which value it takes. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.curves import direction
from experiments.problems import Problem, ProblemsError

FloatArray = NDArray[np.float64]
_MOST: Final = 1e15


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to read one value from the reports of a run; `step` is given for "step" alone."""

    kind: Literal["best", "last", "step"] = "best"
    step: float | None = None

    @property
    def key(self) -> str:
        """Return it as addresses have it: "best", "last", "step:20"."""
        return self.kind if self.step is None else f"step:{self.step_text}"

    @property
    def label(self) -> str:
        """Return what stands beside every value of this kind: "best", "last", "at step 20"."""
        return self.kind if self.step is None else f"at step {self.step_text}"

    @property
    def phrase(self) -> str:
        """Return it with its noun: "best value", "value at step 20"."""
        return f"{self.kind} value" if self.step is None else f"value at step {self.step_text}"

    @property
    def step_text(self) -> str:
        """Return the step as people write it; empty without one."""
        return "" if self.step is None else f"{self.step:.15g}"

    @property
    def is_best(self) -> bool:
        """Whether this is the reading that sweeps end and models are chosen by."""
        return self.kind == "best"


BEST: Final = Reading("best")
LAST: Final = Reading("last")


@dataclass(frozen=True, slots=True)
class ReadValues:
    """The values of the runs of a sweep under a reading, by run number; None: no such value.

    `best` is the run with the best of them, the earliest of equals.
    """

    reading: Reading
    values: Mapping[int, float | None]
    best: int | None
    # Runs that have a value, only not under this reading.
    lacking: frozenset[int] = field(default=frozenset())

    def get(self, number: int) -> float | None:
        """Return the value of a run."""
        return self.values.get(number)


def read_reading(text: str, step: str = "") -> Reading:
    """Return the reading that an address asks for; nothing asks for the best.

    `step` is the value of a field of its own, as a form sends it: `reading=step&step=20`.

    Raises:
        ProblemsError: there is no such reading.
    """
    word, colon, rest = text.strip().partition(":")
    if word in ("", "best") and not colon:
        return BEST
    if word == "last" and not colon:
        return LAST
    if word != "step":
        what = f"reading is {text[:60]!r}; use best, last or a step like step:20."
        raise ProblemsError([Problem("reading", what)])
    return Reading("step", _step(rest if colon else step))


def _step(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > _MOST:
        what = f"The step of the reading is {text[:60]!r}; use a number, as in step:20."
        raise ProblemsError([Problem("reading", what)])
    return value


def finite(value: float | None) -> float | None:
    """Return a value that can be compared; None for NaN and infinity."""
    return value if value is not None and math.isfinite(value) else None


def value_at(steps: FloatArray | None, values: FloatArray, step: float) -> float | None:
    """Return the value that a run had at a step: that of its last report up to the step.

    A run that never got to the step has none. `steps` None: the script gave none, and the number
    of the report (from 1) takes its place. Of several reports of one step the last one counts.
    """
    at = np.arange(1, values.size + 1, dtype=np.float64) if steps is None else steps
    known = np.isfinite(at)
    if not known.any() or float(at[known].max()) < step:
        return None
    upto = np.flatnonzero(known & (at <= step))
    if not upto.size:
        return None
    # Steps may come out of order: the largest one counts, and of equal ones the last report.
    largest = upto[at[upto] == at[upto].max()]
    return finite(float(values[largest[-1]]))


def best_number(values: Mapping[int, float | None], goal: str) -> int | None:
    """Return the run with the best value, of equal ones the earliest; None without any value."""
    sign = direction(goal)
    known = [(-sign * value, number) for number, value in values.items() if value is not None]
    return min(known)[1] if known else None


def in_order(
    numbers: list[int], values: Mapping[int, float | None], *, descending: bool
) -> list[int]:
    """Return run numbers in the order of their values; those without one last either way."""
    sign = -1 if descending else 1

    def key(number: int) -> tuple[bool, float, int]:
        value = values.get(number)
        return (value is None, 0.0 if value is None else sign * value, number)

    return sorted(numbers, key=key)
