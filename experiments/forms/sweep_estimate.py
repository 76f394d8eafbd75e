"""How long the sweep of a form will take, from earlier runs of its experiment."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Final

from django.contrib.auth.models import User

from experiments import queries
from experiments.formats import format_count, format_duration
from experiments.forms.codecs import parse_number
from experiments.forms.space_preview import space_of
from experiments.forms.sweep_fields import SweepFields
from experiments.states import RunState

_RECENT: Final = 50
# Nobody asks how long more runs than these would take.
_COUNTABLE: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """Up to four sentences about time and slots, empty where nothing is known.

    `waits` says of each compute target with too few slots how many runs would wait there.
    """

    text: str = ""
    waits: dict[str, str] = field(default_factory=dict)


def estimate_of(fields: SweepFields, user: User) -> Estimate:
    """Return how long the sweep will take, and where its runs would wait."""
    planned = parse_number(fields.get("max_total_runs"))
    at_once = parse_number(fields.get("max_concurrent_runs")) or planned
    if not isinstance(planned, int) or not isinstance(at_once, int) or min(planned, at_once) < 1:
        return Estimate()
    size = _size(fields)
    total = min(planned, size or planned)
    wanted = min(total, at_once)
    slots = {target["name"]: int(target["slots"]) for target in queries.compute_json(user)}
    waits = {
        name: f"{_slots_text(count)} for {wanted} runs at a time"
        for name, count in slots.items()
        if 0 < count < wanted
    }
    name = fields.get("compute")
    own = slots.get(name, 0)
    sentences = []
    seconds = _seconds_per_run(fields.get("experiment").strip(), user)
    if seconds is not None:
        side_by_side = min(wanted, own or wanted)
        sentences.append(_time_text(total, side_by_side, seconds))
        sentences += _limit_text(fields, total, side_by_side, seconds)
        sentences += _grid_text(fields, size, planned, side_by_side, seconds)
    if name in waits:
        waiting = f"{wanted - own} of {wanted} runs will wait"
        sentences.insert(1, f"{name} has {_slots_text(own)}: {waiting}.")
    return Estimate(" ".join(sentences), waits)


def _slots_text(count: int) -> str:
    return f"{count} slot{'' if count == 1 else 's'}"


def _size(fields: SweepFields) -> int | None:
    """Return how many configurations there are; None for infinitely many, or a wrong space."""
    space = space_of(fields.expressions())
    return space.cardinality() if space else None


def _duration(runs: int, at_once: int, seconds: float) -> str:
    # No more exact than it can be: whole minutes.
    return format_duration(max(60, round(-(-runs // at_once) * seconds / 60) * 60))


def _grid_text(
    fields: SweepFields, size: int | None, planned: int, at_once: int, seconds: float
) -> list[str]:
    """Say how long all combinations of a grid would take that the budget cuts off."""
    if fields.get("sampling") != "grid" or size is None or not planned < size < _COUNTABLE:
        return []
    whole = _duration(size, at_once, seconds)
    return [f"All {format_count(size)} combinations of the grid would take about {whole}."]


def _time_text(total: int, at_once: int, seconds: float) -> str:
    shown = _duration(total, at_once, seconds)
    per_run = format_duration(max(1, seconds))
    return (
        f"About {shown} for {total} runs, {at_once} at a time, "
        f"at {per_run} a run as in earlier sweeps of this experiment."
    )


def _limit_text(fields: SweepFields, total: int, at_once: int, seconds: float) -> list[str]:
    minutes = parse_number(fields.get("max_duration_minutes"))
    if not isinstance(minutes, int | float) or seconds <= 0:
        return []
    runs = int(minutes * 60 / seconds) * at_once
    if runs >= total:
        return []
    return [f"The limit of {minutes:g} min comes first, after about {runs} runs."]


def _seconds_per_run(experiment: str, user: User) -> float | None:
    """Return the median time of the latest completed runs of an experiment."""
    runs = queries.runs_for(user).filter(
        sweep__experiment__name=experiment,
        state=RunState.COMPLETED,
        started_at__isnull=False,
        ended_at__isnull=False,
    )
    times = runs.order_by("-pk").values_list("started_at", "ended_at")[:_RECENT]
    seconds = [(end - start).total_seconds() for start, end in times if start and end]
    return median(seconds) if seconds else None
