"""The picture of all values beside the winner: bars with the median and the script's default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from experiments.queries import BestModel
from experiments.value_strip import BARS, strip_of

# The picture's own units; attributes instead of styles.
_STEP: Final = 10
_GAP: Final = 2
_HEIGHT: Final = 40
WIDTH: Final = BARS * _STEP


@dataclass(frozen=True, slots=True)
class Bar:
    """The runs whose values lie in one part of the range."""

    x: int
    y: float
    height: float
    is_best: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A value that the others are compared with; `x` is where it stands."""

    css: str
    label: str
    value: float
    x: float


@dataclass(frozen=True, slots=True)
class StripPicture:
    """What the template draws; `beyond` runs are worse than the lower end `worst`."""

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    worst: float
    beyond: int
    width: int = WIDTH
    bar_width: int = _STEP - _GAP
    height: int = _HEIGHT


def strip_picture(model: BestModel) -> StripPicture | None:
    """Return the picture; None where too few runs have different values."""
    strip = strip_of(model.all_values, model.goal)
    if strip is None:
        return None
    tallest = max(strip.counts)
    bars = tuple(
        Bar(
            x=at * _STEP + _GAP // 2,
            y=_HEIGHT - _height(count, tallest),
            height=_height(count, tallest),
            is_best=at == BARS - 1,
        )
        for at, count in enumerate(strip.counts)
        if count
    )
    compared = [("at-median", "median", model.median)]
    if model.by_defaults and model.by_defaults.distance == 0:
        compared.append(("at-default", "script defaults", model.by_defaults))
    marks = tuple(
        Mark(css, label, one.result.value, round(strip.place(one.result.value) * WIDTH, 1))
        for css, label, one in compared
        if one is not None
    )
    return StripPicture(bars, marks, strip.worst, strip.beyond)


def _height(count: int, tallest: int) -> float:
    # A single run must be seen beside hundreds.
    return round(max(3.0, _HEIGHT * count / tallest), 1)
