"""How long the sweep of a form will take, from earlier runs of its experiment."""

from __future__ import annotations

from statistics import median
from typing import Final

from django.contrib.auth.models import User

from experiments import queries
from experiments.formats import format_duration
from experiments.forms.codecs import parse_number
from experiments.forms.sweep_fields import SweepFields
from experiments.states import RunState

_RECENT: Final = 50


def estimate_text(fields: SweepFields, user: User) -> str:
    """Return up to three sentences about time and slots; empty where nothing is known."""
    total = parse_number(fields.get("max_total_runs"))
    at_once = parse_number(fields.get("max_concurrent_runs")) or total
    if not isinstance(total, int) or not isinstance(at_once, int) or min(total, at_once) < 1:
        return ""
    slots = _slots(fields.get("compute"), user)
    wanted = min(total, at_once)
    sentences = []
    if 0 < slots < wanted:
        name = fields.get("compute")
        noun = "slot" if slots == 1 else "slots"
        sentences.append(f"{name} has {slots} {noun}: {wanted - slots} of {wanted} runs will wait.")
    seconds = _seconds_per_run(fields.get("experiment").strip(), user)
    if seconds is not None:
        side_by_side = min(wanted, slots or wanted)
        sentences.insert(0, _time_text(total, side_by_side, seconds))
        sentences += _limit_text(fields, total, side_by_side, seconds)
    return " ".join(sentences)


def _time_text(total: int, at_once: int, seconds: float) -> str:
    whole = -(-total // at_once) * seconds
    # No more exact than it can be: whole minutes.
    shown = format_duration(max(60, round(whole / 60) * 60))
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


def _slots(name: str, user: User) -> int:
    targets = {target["name"]: target for target in queries.compute_json(user)}
    return int(targets[name]["slots"]) if name in targets else 0


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
