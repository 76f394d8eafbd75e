"""Receipts of runs that a policy stopped, and what other policies would have done to them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from typing import Any, Final

import numpy as np

from experiments.models import Decision, MetricChunk, Run, Sweep
from experiments.policies import make_policy
from experiments.policies.base import Decision as Ruling
from experiments.policies.base import Policy
from experiments.policies.what_if import CurvesThen, PastRun, judged_alone
from experiments.queries.series import whole_curves
from experiments.queries.warm_start import earlier_runs
from experiments.receipt import Judged, Saving, saving_of
from experiments.states import EndReason, RunState

_OTHERS: Final[tuple[dict[str, Any], ...]] = (
    {"type": "bandit", "slack_factor": 0.1},
    {"type": "bandit", "slack_factor": 0.2},
    {"type": "median_stopping"},
    {"type": "truncation_selection", "truncation_percentage": 20},
    {"type": "truncation_selection", "truncation_percentage": 50},
)
_MOST_KEPT: Final = 64
_kept: dict[str, list[WhatIf]] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Why and at what price a run was stopped early; `policy` in a few words."""

    judged: Judged
    policy: str
    leader_run: Run | None
    saving: Saving


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What one policy would have done to a run; `ruling` None: it would not have stopped it."""

    label: str
    is_own: bool
    ruling: Ruling | None


def receipt_of(run: Run) -> Receipt | None:
    """Return the receipt of a run; None when no policy stopped it. Three queries."""
    if run.end_reason != EndReason.POLICY:
        return None
    sweep = run.sweep
    row = Decision.objects.filter(run=run).order_by("pk").last()
    own = sweep.spec.get("early_termination") or {}
    if row is None:  # only the sentence is left
        judged = Judged(own.get("type", ""), run.reports, None, None, None, None, run.reason)
    else:
        judged = Judged(
            row.policy, row.interval, row.own, row.limit, row.leader, row.leader_value, row.reason
        )
    leader = None
    if judged.leader is not None:
        leader = Run.objects.filter(sweep=sweep, number=judged.leader).first()
    completed = Run.objects.filter(
        sweep=sweep, state=RunState.COMPLETED, started_at__isnull=False, ended_at__isnull=False
    )
    times = completed.values_list("started_at", "ended_at", "reports")
    took = (run.ended_at - run.started_at).total_seconds() if run.ended_at and run.started_at else 0
    whole = [((end - start).total_seconds(), n) for start, end, n in times if start and end]
    saving = saving_of(took, run.reports, whole)
    return Receipt(judged, make_policy(own or None).summary(), leader, saving)


def stops_of(sweep: Sweep) -> dict[int, list[Any]]:
    """Return interval, value and limit of the stop of each run by its number; one query."""
    rows = Decision.objects.filter(run__sweep=sweep).order_by("pk")
    return {
        number: [interval, own, limit]
        for number, interval, own, limit in rows.values_list(
            "run__number", "interval", "own", "limit"
        )
    }


def what_if(run: Run) -> list[WhatIf]:
    """Return what the own policy and usual others would have done up to the run's last report.

    All are applied at the intervals of the own one. Kept in the process: an ended run is history.
    """
    with _lock:
        if run.public_id in _kept:
            return _kept[run.public_id]
    found = _what_if(run)
    if run.is_terminal:
        with _lock:
            _kept[run.public_id] = found
            while len(_kept) > _MOST_KEPT:
                del _kept[next(iter(_kept))]
    return found


def _what_if(run: Run) -> list[WhatIf]:
    own = make_policy(run.sweep.spec.get("early_termination"))
    past, names = _past(run.sweep)
    mine = next((p for p in past if p.number == run.number), None)
    if mine is None:
        return []
    curves = CurvesThen(run.sweep.goal, run.number, past)
    reports = int(mine.values.size)
    return [
        WhatIf(
            policy.summary(),
            policy is own,
            judged_alone(policy, curves, run.number, reports, names),
        )
        for policy in _policies(own)
    ]


def _policies(own: Policy) -> list[Policy]:
    timing = {
        "evaluation_interval": own.evaluation_interval,
        "delay_evaluation": own.delay_evaluation,
    }
    others = [make_policy({**settings, **timing}) for settings in _OTHERS]
    return [own, *(policy for policy in others if policy.summary() != own.summary())]


def _past(sweep: Sweep) -> tuple[list[PastRun], dict[int, str]]:
    ends = dict(Run.objects.filter(sweep=sweep).values_list("number", "ended_at"))
    past = []
    for number, curve in whole_curves(sweep, sweep.metric_name):
        end = ends.get(number)
        past.append(PastRun(number, curve.values, curve.times, end.timestamp() if end else None))
    runs = {run.pk: run for run in earlier_runs(sweep)}
    if not runs:
        return past, {}
    chunks = (
        MetricChunk.objects.filter(
            sweep__continuations__sweep=sweep, series__name=sweep.metric_name
        )
        .order_by("series", "first")
        .values_list("series__run_id", "values")
    )
    for run_id, group in groupby(chunks, key=lambda row: row[0]):
        if run_id in runs:
            values = np.concatenate([np.frombuffer(v, dtype="<f8") for _, v in group])
            past.append(PastRun(runs[run_id].number, values, None, -np.inf))
    return past, {run.number: run.text for run in runs.values()}
