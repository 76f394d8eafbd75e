"""Figures of benchmarks: how they are summed up, judged and told. Measures nothing."""

from __future__ import annotations

import statistics
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

_DIGITS = {"s": 2, "MB": 2, "%": 1, "us": 1, "bytes": 1, "k points/s": 1, "x": 2}
# With fewer values the least and the greatest are told in place of the quartiles.
_QUARTILES_FROM = 8


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in `unit`; smaller is better unless `is_more_better`.

    `value` None: only the note tells. `is_bound`: it took longer than `value`. `must` and `aim` are
    in the same unit, `floor` is what this machine needs at least; `floor_then` is the floor beside
    which the targets were set, so that their ratio to it is what is judged. `low` and `high` are
    the quartiles, or the least and the greatest of a few. `who`: another studio; empty: this one.
    """

    what: str
    value: float | None
    unit: str = "ms"
    must: float | None = None
    aim: float | None = None
    note: str = ""
    floor: float | None = None
    is_bound: bool = False
    low: float | None = None
    high: float | None = None
    floor_then: float | None = None
    is_more_better: bool = False
    who: str = ""

    @property
    def text(self) -> str:
        """Return the value as people read it."""
        if self.value is None:
            return "-"
        return f"{'> ' * self.is_bound}{written(self.value, self.unit)}{self._range}"

    @property
    def _range(self) -> str:
        if self.low is None or self.high is None or self.value is None:
            return ""
        factor, unit = _scale(self.value, self.unit)
        low, high = (plain_number(value * factor, unit) for value in (self.low, self.high))
        return f" [{low} - {high}]"

    @property
    def is_missed(self) -> bool:
        """Tell whether the value misses what it must be."""
        return self.must is not None and self.value is not None and not self.reaches(self.must)

    @property
    def verdict(self) -> str:
        """Return how the value stands to its targets; empty without any."""
        if self.value is None or self.must is None:
            return ""
        if self.is_missed:
            return "missed"
        return "met, aim too" if self.aim is not None and self.reaches(self.aim) else "met"

    def reaches(self, target: float) -> bool:
        """Tell whether the value is as good as a target, by the ratio to the floor if it has one.

        Raises:
            ValueError: nothing was measured.
        """
        if self.value is None:
            raise ValueError(f"{self.what} has no value; only figures with one can be judged.")
        if self.is_more_better:
            return self.value >= target
        if self.floor and self.floor_then:
            return self.value / self.floor <= target / self.floor_then
        return self.value <= target

    def target(self, target: float | None) -> str:
        """Return a target as people read it, with its ratio to the floor where that is judged."""
        if target is None:
            return ""
        sign = ">= " * self.is_more_better
        ratio = f" = {target / self.floor_then:.2g} x" if self.floor and self.floor_then else ""
        return f"{sign}{target:g} {self.unit}{ratio}"


def written(value: float, unit: str) -> str:
    """Return a number with its unit."""
    factor, unit = _scale(value, unit)
    return f"{plain_number(value * factor, unit)} {unit}".strip()


def _scale(value: float, unit: str) -> tuple[float, str]:
    """Return by what to multiply, and the unit then: many microseconds are milliseconds."""
    return (0.001, "ms") if unit == "us" and abs(value) >= 10_000 else (1, unit)


def plain_number(value: float, unit: str) -> str:
    """Return a number with as many digits as its unit deserves."""
    is_small = unit == "ms" and abs(value) < 10
    return f"{value:.{2 if is_small else _DIGITS.get(unit, 0)}f}"


def summed_up(
    what: str, values: Sequence[float], unit: str, must: float | None = None, **more: object
) -> Figure:
    """Return the median of some values with their spread.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError(f"{what}: nothing was measured.")
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    if len(ordered) >= _QUARTILES_FROM:
        low, _, high = statistics.quantiles(ordered, n=4)
    middle = statistics.median(ordered)
    spread_of = {"low": low, "high": high} if len(ordered) > 1 else {}
    return replace(Figure(what, middle, unit, must), **spread_of, **more)  # type: ignore[arg-type]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(what: str, durations: Sequence[float], must: float, aim: float | None) -> list[Figure]:
    """Return the median and the longest of some durations in milliseconds as two rows."""
    ordered = sorted(durations)
    count = f"of {len(ordered)}, p90 {ordered[int(0.9 * (len(ordered) - 1))]:.0f} ms"
    return [
        summed_up(f"{what}, median", ordered, "ms", must, aim=aim, note=count),
        Figure(f"{what}, longest", ordered[-1], "ms", must),
    ]


def attempt(name: str, measure: Callable[[], list[Figure]]) -> list[Figure]:
    """Measure a part; one that fails leaves the others alone, and a row that says so."""
    try:
        return measure()
    except Exception as error:  # noqa: BLE001 - an hour of other figures is worth it
        traceback.print_exc()
        return [failed(name, error)]


def failed(name: str, error: BaseException, who: str = "") -> Figure:
    """Return the row of what could not be measured."""
    said = next((line for line in str(error).splitlines() if line.strip()), "")
    return Figure(name, None, note=f"failed: {said[:200] or type(error).__name__}", who=who)


def beside(ours: Figure, peer: Figure) -> str:
    """Return the figure of a peer and how many times as bad as ours it is."""
    note = f", {peer.note}" if peer.note else ""
    if peer.value is None:
        return f"{peer.who}: {peer.note}"
    times = ""
    if ours.value and peer.value:
        ratio = ours.value / peer.value if ours.is_more_better else peer.value / ours.value
        times = f" ({'> ' * peer.is_bound}{ratio:.3g} x)"
    return f"{peer.who}: {peer.text}{times}{note}"


def is_behind(ours: Figure, peer: Figure) -> bool:
    """Tell whether a peer is better than the studio."""
    if ours.value is None or peer.value is None or peer.is_bound:
        return False
    return peer.value > ours.value if ours.is_more_better else peer.value < ours.value


def standing(figures: Sequence[Figure]) -> list[str]:
    """Return, for each peer, in how many rows the studio is ahead of it, and where it is not."""
    own = {figure.what: figure for figure in figures if not figure.who}
    lines = []
    for name in dict.fromkeys(figure.who for figure in figures if figure.who):
        theirs = [f for f in figures if f.who == name and f.value is not None and f.what in own]
        compared = [peer for peer in theirs if own[peer.what].value is not None]
        behind = [peer.what for peer in compared if is_behind(own[peer.what], peer)]
        if compared:
            ahead = f"Ahead of {name} in {len(compared) - len(behind)} of {len(compared)} rows"
            lines.append(f"{ahead}; not in: {'; '.join(behind)}." if behind else f"{ahead}.")
    return lines
