"""Let the early-termination policy judge a run right after its reports were stored.

The curves of the whole sweep are kept in the reporting process: loaded once from the chunks, then
kept up by the change feed, so that a decision costs the new points only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Q

from experiments import models
from experiments.curves import CurveSet
from experiments.models import Event, MetricChunk, Run, Sweep
from experiments.policies import make_policy
from experiments.policies.base import Decision, Policy, Snapshot
from experiments.queries import add_earlier_curves
from experiments.services.events import bump, write_event
from experiments.services.transitions import StaleState, move_run
from experiments.spec import SweepSpec
from experiments.states import RUN_TERMINAL, EndReason, RunState


class SweepCurves:
    """The primary-metric curves of one sweep as this process knows them; `refresh` catches up."""

    def __init__(self, sweep_id: int) -> None:
        self.sweep_id = sweep_id
        sweep = Sweep.objects.get(pk=sweep_id)
        self.metric = sweep.metric_name
        self.curves = CurveSet(sweep.goal)
        # Those of earlier sweeps, with numbers below 0: they have ended, so they are read once.
        self.names = add_earlier_curves(sweep, self.curves)
        self.judged: dict[int, int] = {}
        self._seen = 0

    def refresh(self) -> CurveSet:
        """Read what changed since the last call, and return the curves.

        The cursor is read first: a change that commits while the rows are read has a later stamp
        and is read again next time, where points that are known are skipped.
        """
        cursor = Sweep.objects.values_list("cursor", flat=True).get(pk=self.sweep_id)
        if cursor == self._seen:
            return self.curves
        chunks = MetricChunk.objects.filter(
            sweep=self.sweep_id, stamp__gt=self._seen, series__name=self.metric
        ).order_by("series", "first")
        for number, first, values in chunks.values_list("series__run__number", "first", "values"):
            known = self.curves.count(number) - first
            self.curves.append(number, np.frombuffer(values, dtype="<f8")[max(known, 0) :])
        ended = Run.objects.filter(
            sweep=self.sweep_id, stamp__gt=self._seen, state__in=sorted(RUN_TERMINAL)
        )
        for number in ended.values_list("number", flat=True):
            self.curves.set_finished(number)
        self._seen = cursor
        return self.curves


def apply_policy(
    run_id: int, fence: int, *, curves: SweepCurves, spec: SweepSpec
) -> Decision | None:
    """Judge every interval of a run that became due since the last call, in order.

    A stop is stored with its numbers, written to the log, and asks the run to stop, all in one
    transaction; otherwise the last decision is kept on the run. Returns the last decision made.
    """
    policy = make_policy(spec.early_termination_config)
    if policy.name == "none":
        return None
    number, reports, kept = Run.objects.values_list("number", "reports", "last_decision").get(
        pk=run_id
    )
    judged = curves.judged.get(number, (kept or {}).get("interval", 0))
    due = [n for n in range(judged + 1, reports + 1) if policy.is_due(n)]
    if not due:
        return None
    decision = _first_stop(policy, curves, number, due)
    curves.judged[number] = decision.interval
    if not decision.stop:
        Run.objects.filter(pk=run_id, fence=fence).update(last_decision=decision_json(decision))
        return decision
    return decision if _stop(run_id, fence, number, decision) else None


def decision_json(decision: Decision) -> dict[str, Any]:
    """Return a decision as it is stored on its run and sent to browsers.

    `leader` is None where a run of an earlier sweep leads; the reason names it.
    """
    leader = decision.leader
    return {
        "interval": decision.interval,
        "stop": decision.stop,
        "own": _finite(decision.own),
        "limit": _finite(decision.limit),
        "leader": leader if leader is None or leader >= 0 else None,
        "leader_value": _finite(decision.leader_value),
        "reason": decision.reason,
    }


def _first_stop(policy: Policy, known: SweepCurves, number: int, due: list[int]) -> Decision:
    curves = known.refresh()
    for interval in due:
        decision = policy.decide(Snapshot(curves, number, interval, known.names))
        if decision.stop:
            break
    return decision


def _stop(run_id: int, fence: int, number: int, decision: Decision) -> bool:
    stored = decision_json(decision)
    try:
        with transaction.atomic():
            run = move_run(
                run_id,
                RunState.CANCEL_REQUESTED,
                end_reason=EndReason.POLICY,
                reason=decision.reason,
                where=Q(fence=fence),
                last_decision=stored,
            )
            models.Decision.objects.create(
                run_id=run_id,
                policy=decision.policy,
                interval=decision.interval,
                own=stored["own"],
                limit=stored["limit"],
                leader=stored["leader"],
                leader_value=stored["leader_value"],
                reason=decision.reason,
            )
            write_event(
                run.sweep_id,
                bump(run.sweep_id),
                Event.Kind.DECISION,
                f"Run {number}: stopped by the {decision.reason}",
                run_id=run_id,
                payload={"number": number, **stored},
            )
    except StaleState:
        return False  # it ended by itself, or somebody else asked it to stop
    return True


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
