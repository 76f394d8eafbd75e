"""What the early termination of the form would have done to earlier curves, as the page shows it.

The decisions come from the code that decides live; see experiments/policies/replay.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from django.contrib.auth.models import User

from experiments.charts.base import Curve
from experiments.curves import downsample
from experiments.formats import format_count, format_share
from experiments.forms.replay_words import outcome_words, source_notes
from experiments.forms.sample_curves import sample_curves
from experiments.forms.sweep_fields import SweepFields, raw_from_fields
from experiments.models import Sweep
from experiments.policies import make_policy
from experiments.policies.base import Policy
from experiments.policies.replay import ReplayResult, replay
from experiments.problems import ProblemsError
from experiments.queries.replay_source import curves_to_replay, sweeps_to_replay

SAMPLE: Final = "sample"
# All checks of all curves together: what is judged while a person types.
MOST_CHECKS: Final = 3000
_MOST_POINTS: Final = 48
_LIMIT_POINTS: Final = 60
# Parts of the longest curve that are tried as a delay for a suggestion.
_TRIES: Final = (0.15, 0.3, 0.45, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class ReplayInput:
    """Curves to replay, what they are called, and what is to be said about them."""

    id: str
    label: str
    goal: str
    curves: list[Curve]
    options: list[dict[str, str]]
    begins: dict[int, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def replay_json(fields: SweepFields, user: User) -> dict[str, Any]:
    """Return curves, where the policy of the form would stop them, and what that means."""
    source = _source(fields, user)
    policy, problem = _policy(fields)
    result = _replay(policy, source)
    runs = [_line(curve, result) for curve in source.curves]
    low, high = _range(source)
    notes = list(source.notes)
    if result.checks < result.checks_due:
        notes.append(
            f"Judged at {result.checks} of {format_count(result.checks_due)} intervals: "
            "at the early ones all, then more rarely. A sweep may stop a run a little earlier."
        )
    return {
        "source": source.id,
        "label": source.label,
        "options": source.options,
        "goal": source.goal,
        "is_sample": source.id == SAMPLE,
        "is_default": fields.get("replay_from").strip() != source.id,
        "runs": runs,
        "limits": [[n, _round(v)] for n, v in _limits(policy, source.goal, result)],
        "longest": max((curve.values.size for curve in source.curves), default=0),
        "low": low,
        "high": high,
        "spared": 0 if policy.name == "none" else policy.first_due() - 1,
        "best": result.best_number,
        "problem": problem,
        "words": outcome_words(policy, result, len(source.curves), _seconds(source, result)),
        "suggestion": _suggestion(fields, policy, source, result),
        "notes": notes,
    }


def _source(fields: SweepFields, user: User) -> ReplayInput:
    """Return the chosen curves, else those of the newest sweep that fits, else samples."""
    goal = "minimize" if fields.get("goal") == "minimize" else "maximize"
    chosen = fields.get("replay_from").strip()
    experiment = fields.get("experiment").strip()
    found = sweeps_to_replay(
        user,
        metric=fields.get("metric").strip(),
        goal=goal,
        experiment=experiment,
        chosen="" if chosen == SAMPLE else chosen,
    )
    options = [{"value": sweep.public_id, "label": _title(sweep, experiment)} for sweep in found]
    options.append({"value": SAMPLE, "label": "Made-up sample curves"})
    by_id = {sweep.public_id: sweep for sweep in found}
    own = [sweep for sweep in found if sweep.experiment.name == experiment]
    sweep = by_id.get(chosen) or next(iter([*own, *found]), None)
    if chosen == SAMPLE or sweep is None:
        notes = ["Made-up curves, no results: they only show how the policy works."]
        return ReplayInput(SAMPLE, "Sample curves", goal, sample_curves(goal), options, notes=notes)
    known = curves_to_replay(sweep)
    return ReplayInput(
        sweep.public_id,
        sweep.name,
        goal,
        known.curves,
        options,
        begins=known.seconds,
        notes=source_notes(known),
    )


def _title(sweep: Sweep, experiment: str) -> str:
    runs = f"{format_count(sweep.sampled)} run{'' if sweep.sampled == 1 else 's'}"
    where = "" if sweep.experiment.name == experiment else f" · {sweep.experiment.name}"
    return f"{sweep.name}{where} · {runs} · {sweep.created_at:%Y-%m-%d}"


def _policy(fields: SweepFields) -> tuple[Policy, str]:
    """Return the policy of the form; none, with a sentence, while its settings are wrong."""
    try:
        return make_policy(raw_from_fields(fields)["early_termination"]), ""
    except (ProblemsError, KeyError):
        return make_policy(None), "The picture follows once the settings are right."


def _replay(policy: Policy, source: ReplayInput, most: int = MOST_CHECKS) -> ReplayResult:
    most_checks = max(1, most // max(1, len(source.curves)))
    histories = [(curve.number, curve.values, curve.times) for curve in source.curves]
    return replay(policy, source.goal, histories, most_checks=most_checks)


def _limits(policy: Policy, goal: str, result: ReplayResult) -> list[tuple[int, float]]:
    return policy.limit_line(goal, result.curves, _LIMIT_POINTS)


def _seconds(source: ReplayInput, result: ReplayResult) -> tuple[float, float] | None:
    """Return the time of all runs, and what of it the stops save; None for made-up curves."""
    if not source.begins:
        return None
    whole = saved = 0.0
    for curve in source.curves:
        end = float(curve.times[-1])
        whole += max(0.0, end - source.begins[curve.number])
        if stop := result.stops.get(curve.number):
            saved += max(0.0, end - float(curve.times[stop.interval - 1]))
    return whole, saved


def _line(curve: Curve, result: ReplayResult) -> dict[str, Any]:
    stop = result.stops.get(curve.number)
    end = stop.interval if stop else curve.values.size
    return {
        "number": curve.number,
        "reports": int(curve.values.size),
        "stop": stop.interval if stop else None,
        "reason": stop.reason if stop else "",
        "kept": _points(curve.intervals[:end], curve.values[:end]),
        "cut": _points(curve.intervals[end - 1 :], curve.values[end - 1 :]) if stop else [],
        "best": _best(curve.values, result.curves.goal),
        "best_kept": _best(curve.values[:end], result.curves.goal),
    }


def _points(intervals: Any, values: Any) -> list[list[float | None]]:
    xs, ys = downsample(intervals, values, _MOST_POINTS)
    return [[int(x), _round(y)] for x, y in zip(xs, ys, strict=True)]


def _round(value: float) -> float | None:
    # Enough for a picture of some hundred pixels; what is no number leaves a gap.
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _best(values: Any, goal: str) -> float | None:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    return float(finite.max() if goal == "maximize" else finite.min())


def _range(source: ReplayInput) -> tuple[float, float]:
    """Return the range of the axis: from the best a little over, down to where most curves are."""
    every: Sequence[Any] = [c.values[np.isfinite(c.values)] for c in source.curves]
    values = np.concatenate(every) if every else np.zeros(0)
    if not values.size:
        return 0.0, 1.0
    worst = 8 if source.goal == "maximize" else 92
    ends = (
        float(np.percentile(values, worst)),
        float(values.max() if source.goal == "maximize" else values.min()),
    )
    low, high = min(ends), max(ends)
    room = 0.06 * (high - low) or abs(high) * 0.05 or 1.0
    return low - room, high + room


def _suggestion(
    fields: SweepFields, policy: Policy, source: ReplayInput, result: ReplayResult
) -> dict[str, str] | None:
    """Return a delay with which the best run survives and something is still saved."""
    lost = result.stops.get(result.best_number) if result.best_number is not None else None
    if result.best_survives or lost is None:
        return None
    longest = max(curve.values.size for curve in source.curves)
    for delay in _delays(lost.interval + 1, longest):
        later = make_policy({"type": policy.name, **_given(policy), "delay_evaluation": delay})
        found = _replay(later, source, MOST_CHECKS // 2)
        if found.best_survives:
            return _delay_words(fields, delay, found)
    return None


def _delays(first: int, longest: int) -> list[int]:
    """Return the delays to try: just past the stop of the best run, then ever later ones."""
    later = [round(share * longest) for share in _TRIES]
    return [delay for delay in [first, *later] if first <= delay < longest]


def _given(policy: Policy) -> dict[str, Any]:
    return {key: value for key, value in policy.config.items() if value is not None}


def _delay_words(fields: SweepFields, delay: int, found: ReplayResult) -> dict[str, str] | None:
    if not found.stops:
        return None
    saved = format_share(found.reports_total - found.reports_kept, found.reports_total)
    return {
        "field": f"policy-{fields.get('policy')}-delay_evaluation",
        "value": str(delay),
        "label": f"Start at report {delay}",
        "text": f"Judged from report {delay} on, the best run survives and {saved} are saved.",
    }
