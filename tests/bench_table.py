"""Figures of benchmarks and the one table that they are printed in. Measures nothing."""

from __future__ import annotations

import statistics
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_DIGITS = {"s": 2, "MB": 2, "%": 1, "us": 1}


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in `unit`; smaller is better unless nothing is to be compared.

    `value` None: only the note tells. `is_bound`: it took longer than `value`. `must` and `aim` are
    in the same unit, `floor` is what this machine needs at least.
    """

    what: str
    value: float | None
    unit: str = "ms"
    must: float | None = None
    aim: float | None = None
    note: str = ""
    floor: float | None = None
    is_bound: bool = False

    @property
    def text(self) -> str:
        """Return the value as people read it."""
        if self.value is None:
            return "-"
        return f"{'> ' * self.is_bound}{written(self.value, self.unit)}"

    @property
    def is_missed(self) -> bool:
        """Tell whether the value misses what it must be."""
        return None not in (self.value, self.must) and self.value > self.must  # type: ignore[operator]


def written(value: float, unit: str) -> str:
    """Return a number with its unit."""
    is_small = unit == "ms" and value < 10
    digits = 2 if is_small else _DIGITS.get(unit, 0)
    return f"{value:.{digits}f} {unit}".strip()


def spread(what: str, durations: Sequence[float], must: float, aim: float | None) -> list[Figure]:
    """Return the median and the longest of some durations in milliseconds as two rows."""
    ordered = sorted(durations)
    count = f"of {len(ordered)}, p90 {ordered[int(0.9 * (len(ordered) - 1))]:.0f} ms"
    return [
        Figure(f"{what}, median", statistics.median(ordered), "ms", must, aim, count),
        Figure(f"{what}, longest", ordered[-1], "ms", must),
    ]


def attempt(name: str, measure: Callable[[], list[Figure]]) -> list[Figure]:
    """Measure a part; one that fails leaves the others alone, and a row that says so."""
    try:
        return measure()
    except Exception as error:  # noqa: BLE001 - an hour of other figures is worth it
        traceback.print_exc()
        said = next(iter(str(error).splitlines()), type(error).__name__)
        return [Figure(f"{name}: failed", None, note=said)]


Peers = Mapping[str, Mapping[str, Figure]]


def print_table(figures: Sequence[Figure], peers: Peers) -> None:
    """Print a Markdown table; peers are by name, and their figures by what was measured."""
    heads = ["what", "studio", "must", "aim", "floor", *peers, "note"]
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for figure in figures:
        targets = [_plain(figure.must, figure.unit), _plain(figure.aim, figure.unit)]
        shown = f"{figure.text} (missed)" if figure.is_missed else figure.text
        others = [beside(figure, found.get(figure.what)) for found in peers.values()]
        cells = [figure.what, shown, *targets, _floor(figure), *others, figure.note]
        print("| " + " | ".join(cells) + " |", flush=True)
    print()
    for name, found in peers.items():
        print(standing(name, figures, found))
    missed = [figure.what for figure in figures if figure.is_missed]
    print(f"Missed: {'; '.join(missed) or 'nothing'}.")


def beside(ours: Figure, peer: Figure | None) -> str:
    """Return the figure of a peer and how many times ours it is."""
    if peer is None or peer.value is None:
        return peer.note if peer else ""
    note = f", {peer.note}" if peer.note else ""
    if not ours.value:
        return f"{peer.text}{note}"
    return f"{peer.text} ({'> ' * peer.is_bound}x {peer.value / ours.value:.1f}){note}"


def standing(name: str, figures: Sequence[Figure], found: Mapping[str, Figure]) -> str:
    """Return in how many rows the studio is ahead of a peer, and where it is not."""
    pairs = [(figure, found[figure.what]) for figure in figures if figure.what in found]
    compared = [(ours, peer) for ours, peer in pairs if ours.value and peer.value is not None]
    behind = [ours.what for ours, peer in compared if (peer.value or 0) <= (ours.value or 0)]
    if not compared:
        return f"{name}: nothing to compare."
    ahead = len(compared) - len(behind)
    text = f"Ahead of {name} in {ahead} of {len(compared)} rows"
    return f"{text}; not in: {'; '.join(behind)}." if behind else f"{text}."


def _plain(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}".strip()


def _floor(figure: Figure) -> str:
    if not figure.floor:
        return ""
    times = f" (x {figure.value / figure.floor:.1f})" if figure.value else ""
    return f"{written(figure.floor, figure.unit)}{times}"
