"""Other runs of the sweep over the run of a page: `?with=12,30`; their curves, what differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
from django.http import HttpRequest

from experiments import queries
from experiments.curves import downsample
from experiments.models import Run, Sweep
from experiments.queries.json_forms import duration_of, in_declared_order
from experiments.spec_command import format_value

# With the run of the page itself as many as there are colours for pinned runs.
MOST_OTHERS: Final = 7
_POINTS: Final = 600


@dataclass(frozen=True, slots=True)
class Side:
    """One run beside others; `place` of the others counts from 0, -1 is the run of the page."""

    run: Run
    place: int
    is_best: bool
    seconds: float | None
    remove_url: str = ""


@dataclass(frozen=True, slots=True)
class SideRow:
    """One hyperparameter: (value, exact, the same as that of the run of the page) for each run."""

    name: str
    cells: list[tuple[Any, str, bool]]

    @property
    def is_same(self) -> bool:
        """Whether all runs have the same value."""
        return all(is_same for _, _, is_same in self.cells)


@dataclass(frozen=True, slots=True)
class Overlay:
    """The runs of the address and what stands side by side; `problem` says what was left out."""

    sides: list[Side]
    rows: list[SideRow]
    lines: list[dict[str, Any]]
    problem: str = ""

    @property
    def others(self) -> list[Side]:
        """Return all of them but the run of the page."""
        return [side for side in self.sides if side.place >= 0]

    @property
    def is_live(self) -> bool:
        """Whether one of the others may still change."""
        return any(not side.run.is_terminal for side in self.others)


def overlay_of(request: HttpRequest, found: Run) -> Overlay | None:
    """Return the runs that `with` asks for; None when it asks for none."""
    asked = [part.strip() for part in request.GET.get("with", "").split(",") if part.strip()]
    if not asked:
        return None
    numbers = list(dict.fromkeys(int(p) for p in asked if p.isdecimal() and len(p) < 10))
    numbers = [number for number in numbers if number != found.number]
    wanted = numbers[:MOST_OTHERS]
    rows = Run.objects.filter(sweep=found.sweep, number__in=wanted)
    by_number = {run.number: run for run in rows.defer("facts", "command", "last_decision")}
    others = [by_number[number] for number in wanted if number in by_number]
    missing = [part for part in asked if not part.isdecimal()]
    missing += [str(number) for number in wanted if number not in by_number]
    sides = [_side(found, found.sweep, -1)]
    for place, run in enumerate(others):
        left = [other.number for other in others if other.number != run.number]
        url = "?" + urlencode({"with": ",".join(map(str, left))}, safe=",") if left else "?"
        sides.append(_side(run, found.sweep, place, url))
    return Overlay(
        sides=sides,
        rows=_rows(sides, found.sweep),
        lines=[_line(side, found.sweep) for side in sides[1:]],
        problem=_problem(missing, len(numbers)),
    )


def _side(run: Run, sweep: Sweep, place: int, remove_url: str = "") -> Side:
    seconds = duration_of(run.started_at, run.ended_at)
    return Side(run, place, run.pk == sweep.best_run_id, seconds, remove_url)


def _rows(sides: Sequence[Side], sweep: Sweep) -> list[SideRow]:
    own = sides[0].run.params
    ordered = [in_declared_order(side.run.params, sweep.spec) for side in sides]
    names = dict.fromkeys(name for params in ordered for name in params)
    return [
        SideRow(
            name,
            [
                (
                    side.run.params.get(name),
                    format_value(side.run.params[name]) if name in side.run.params else "",
                    (name in side.run.params) == (name in own)
                    and side.run.params.get(name) == own.get(name),
                )
                for side in sides
            ],
        )
        for name in names
    ]


def _line(side: Side, sweep: Sweep) -> dict[str, Any]:
    series = queries.series_of(side.run, sweep.metric_name)
    line: dict[str, Any] = {"number": side.run.number, "place": side.place, "x": [], "y": []}
    if series is None:
        return line
    x, y = downsample(series.intervals, series.values, _POINTS)
    line["x"] = x.astype(np.int64).tolist()
    line["y"] = [value if math.isfinite(value) else None for value in y.tolist()]
    return line


def _problem(missing: Sequence[str], asked: int) -> str:
    parts = []
    if missing:
        named = ", ".join(part[:20] for part in missing[:5])
        parts.append(f"This sweep has no run {named}.")
    if asked > MOST_OTHERS:
        text = f"{asked} runs are too many to tell apart: the first {MOST_OTHERS} are shown."
        parts.append(text)
    return " ".join(parts)
