"""Checks before the launch: who may see one, what is known of it, its JSON form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final

import numpy as np
from django.utils import timezone

from experiments.check_facts import CheckFacts, LoggedMetric, Plan, ReportTimes, TriedRun
from experiments.check_pace import estimate_seconds
from experiments.check_verdict import Verdict, judge
from experiments.models import MetricChunk, MetricSeries, Run, Sweep
from experiments.packed_columns import unpacked
from experiments.queries.json_forms import in_declared_order, number_json, time_json
from experiments.queries.visible import AnyUser, followed_for
from experiments.queries.watch import workers_of
from experiments.run_files import STD_LOG
from experiments.spec import SweepSpec
from experiments.states import RunState
from experiments.storable import is_storable
from experiments.storage.chosen import tree_of

_LOG_BYTES: Final = 16 * 1024
_LOG_LINES: Final = 200
_RECENT: Final = 50
# Control sequences of terminals: colours, cursor movements.
_CODES: Final = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])")


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check as people see it; `spec` is the specification that it is about."""

    sweep: Sweep
    spec: SweepSpec
    run: Run | None
    facts: CheckFacts
    verdict: Verdict

    @property
    def params(self) -> dict[str, Any]:
        """The configuration that is tried."""
        return in_declared_order(self.run.params, self.sweep.spec) if self.run else {}


def find_check(user: AnyUser, public_id: str) -> Sweep:
    """Return the sweep of a check in one of a person's workspaces.

    Raises:
        Sweep.DoesNotExist: there is none, or it is not this person's to see.
    """
    # The form posts whatever stands in it, and PostgreSQL refuses what it could not hold.
    if not is_storable(public_id):
        raise Sweep.DoesNotExist
    checks = followed_for(user).filter(kind=Sweep.Kind.CHECK).select_related("check_run")
    return checks.get(public_id=public_id)


def check_view(sweep: Sweep) -> CheckView:
    """Return what a check shows so far."""
    run = Run.objects.filter(sweep=sweep).order_by("number").first()
    spec = SweepSpec.from_stored(sweep.check_run.spec)
    facts = _facts(sweep, spec, run)
    return CheckView(sweep, spec, run, facts, judge(facts))


def check_json(view: CheckView) -> dict[str, Any]:
    """Return the JSON form of a check: for REST and the command line."""
    sweep, run, facts, verdict = view.sweep, view.run, view.facts, view.verdict
    pace = verdict.pace
    return {
        "id": sweep.public_id,
        "outcome": verdict.outcome,
        "is_over": facts.is_over,
        "headline": verdict.headline,
        "lines": [asdict(line) for line in verdict.lines],
        "metric": facts.metric,
        "metrics": [
            {"name": m.name, "reports": m.reports, "last": number_json(m.last)}
            for m in facts.metrics
        ],
        "offered_metrics": verdict.offered,
        "hyperparameters": view.params,
        "note": run.note if run else "",
        "arguments": run.arguments if run else [],
        "command": run.command if run else [],
        "seconds": facts.cap,
        "elapsed": facts.run.elapsed if facts.run else None,
        "exit_code": run.exit_code if run else None,
        "seconds_per_report": facts.times.per_report if facts.times else None,
        "seconds_per_run": pace.per_run if pace else None,
        "basis": _basis(verdict),
        "estimated_seconds": estimate_seconds(facts, pace) if pace else None,
        "log": "\n".join(facts.log_lines),
        "snapshot": sweep.snapshot.digest,
        "cursor": sweep.cursor,
        "created": time_json(sweep.created_at),
        "ended": time_json(sweep.ended_at),
    }


def _basis(verdict: Verdict) -> str | None:
    if verdict.pace is None:
        return None
    if verdict.pace.is_least:
        return "at least"
    return "measured" if verdict.pace.is_exact else "extrapolated"


def _facts(sweep: Sweep, spec: SweepSpec, run: Run | None) -> CheckFacts:
    slots, busy = workers_of(sweep.compute)
    times = _times(run, spec.metric_name) if run else None
    return CheckFacts(
        metric=spec.metric_name,
        cap=sweep.check_run.seconds,
        plan=_plan(sweep, spec, run),
        compute=sweep.compute.name,
        slots=slots,
        busy=busy,
        is_over=sweep.is_terminal,
        end_reason=sweep.end_reason,
        reason=sweep.reason,
        run=_tried(sweep, run) if run else None,
        metrics=_metrics(run, spec.metric_name, times) if run else (),
        times=times,
        log_lines=_log_lines(run) if run else (),
    )


def _plan(sweep: Sweep, spec: SweepSpec, run: Run | None) -> Plan:
    minutes = spec.run_timeout_minutes
    return Plan(
        total_runs=spec.max_total_runs,
        runs_at_once=spec.effective_concurrency,
        duration=spec.max_duration_minutes * 60,
        run_timeout=None if minutes is None else minutes * 60,
        policy=spec.early_termination_config,
        words=tuple(run.arguments) if run else (),
        earlier_reports=_earlier_reports(sweep, spec),
    )


def _earlier_reports(sweep: Sweep, spec: SweepSpec) -> int | None:
    """Return how often the latest completed runs of the experiment reported the same metric."""
    runs = Run.objects.filter(
        sweep__kind=Sweep.Kind.SWEEP,
        sweep__experiment__workspace=sweep.experiment.workspace_id,
        sweep__experiment__name=spec.experiment,
        sweep__metric_name=spec.metric_name,
        state=RunState.COMPLETED,
        reports__gt=0,
    )
    found = list(runs.order_by("-pk").values_list("reports", flat=True)[:_RECENT])
    return round(median(found)) if found else None


def _tried(sweep: Sweep, run: Run) -> TriedRun:
    started = run.started_at
    return TriedRun(
        state=run.state,
        end_reason=run.end_reason,
        reason=run.reason,
        exit_code=run.exit_code,
        worker=run.worker_name,
        waited=_seconds(sweep.created_at, started) if started else None,
        elapsed=_seconds(started, run.ended_at or timezone.now()) if started else None,
    )


def _metrics(run: Run, primary: str, times: ReportTimes | None) -> Sequence[LoggedMetric]:
    found = []
    for row in MetricSeries.objects.filter(run=run).order_by("name"):
        # While the script goes on there may be more of them than a moment ago: one number.
        count = times.reports if times and row.name == primary else row.count
        # A minimum exists once there was a finite value; the last value may be NaN again.
        last = row.minimum if row.last_value is None else row.last_value
        found.append(LoggedMetric(row.name, count, last))
    return found


def _times(run: Run, metric: str) -> ReportTimes | None:
    if run.started_at is None:
        return None
    chunks = MetricChunk.objects.filter(series__run=run, series__name=metric).order_by("first")
    first, last = chunks.first(), chunks.last()
    if first is None or last is None:
        return None
    start = run.started_at.timestamp()
    # The clock of the script starts a moment before the row says so.
    first_times, last_times = (unpacked(chunk.times, chunk.count) for chunk in (first, last))
    at = max(0.0, float(first_times[0]) - start)
    return ReportTimes(
        reports=last.first + last.count,
        first=at,
        last=max(at, float(last_times[-1]) - start),
        first_step=_step(first, 0),
        last_step=_step(last, -1),
    )


def _step(chunk: MetricChunk, position: int) -> float | None:
    if chunk.steps is None:
        return None
    value = float(unpacked(chunk.steps, chunk.count)[position])
    return value if np.isfinite(value) else None


def _log_lines(run: Run) -> Sequence[str]:
    """Return the last lines of the log as a terminal would show them."""
    tree = tree_of(run.directory)
    size = tree.read_text(STD_LOG, 0, 0).size
    start = max(0, size - _LOG_BYTES)
    text = _CODES.sub("", tree.read_text(STD_LOG, start, _LOG_BYTES).text)
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    # Begin with a whole line, and take no end of a line for an empty one.
    lines = lines[1 if start else 0 : None if lines[-1] else -1]
    return lines[-_LOG_LINES:]


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
