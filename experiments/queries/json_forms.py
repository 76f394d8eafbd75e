"""The JSON form of runs and sweeps: one for REST, socket, command line and pages.

Numbers that JSON cannot write are the strings "NaN", "Infinity" and "-Infinity".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count

from experiments.models import Run, Sweep
from experiments.states import EndReason, RunState, badge


def number_json(value: float | None) -> float | str | None:
    """Return a number as JSON can carry it."""
    if value is None or math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def numbers_json(values: Iterable[float]) -> list[float | str | None]:
    """Return numbers as JSON can carry them."""
    return [number_json(value) for value in values]


def in_declared_order(params: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters in the order of the search space; PostgreSQL sorts keys of JSON."""
    declared = [name for name in spec["search_space"] if name in params]
    return {name: params[name] for name in dict.fromkeys([*declared, *params])}


def run_json(run: Run) -> dict[str, Any]:
    """Return the JSON form of a run; load `sweep`, `retry_of`, `resumption` with it."""
    chip = badge(run.state, run.end_reason)
    return {
        "id": run.public_id,
        "sweep": run.sweep.public_id,
        "number": run.number,
        "status": run.state,
        "label": chip.label,
        "css": chip.css,
        "icon": chip.icon,
        "reason": run.reason,
        "end_reason": run.end_reason,
        "note": run.note,
        "hyperparameters": in_declared_order(run.params, run.sweep.spec),
        "arguments": run.arguments,
        "best": _best_json(run),
        "last": number_json(run.last_value),
        "reports": run.reports,
        "decision": run.last_decision,
        "retry_of": run.retry_of.public_id if run.retry_of else None,
        "resumed_from": run.resumption.source_public_id if run.resumption else None,
        "worker": run.worker_name,
        "exit_code": run.exit_code,
        "duration": duration_of(run.started_at, run.ended_at),
        "created": time_json(run.created_at),
        "started": time_json(run.started_at),
        "ended": time_json(run.ended_at),
        "outputs_removed": time_json(run.outputs_removed_at),
    }


def run_detail_json(run: Run) -> dict[str, Any]:
    """Return the JSON form of a run with its tags, its script and where it runs."""
    spec, owner = run.sweep.spec, run.sweep.owner
    return {
        **run_json(run),
        "facts": run.facts,
        "tags": run.tags,
        "properties": run.properties,
        "script": spec.get("script") or spec.get("command"),
        "compute": spec["compute"],
        "owner": owner.get_username() if owner else None,
    }


def sweep_json(sweep: Sweep) -> dict[str, Any]:
    """Return the JSON form of a sweep."""
    return sweeps_json([sweep])[0]


def sweeps_json(sweeps: Sequence[Sweep]) -> list[dict[str, Any]]:
    """Return the JSON form of many sweeps, with one query for the counts of all of them."""
    counts = state_counts_of([sweep.pk for sweep in sweeps])
    return [_sweep_json(sweep, counts.get(sweep.pk, {})) for sweep in sweeps]


def run_counts(sweep: Sweep) -> dict[str, int]:
    """Return how many runs a sweep has in each state, and `stopped_early` among the canceled."""
    return state_counts_of([sweep.pk]).get(sweep.pk, {"stopped_early": 0})


def state_counts_of(sweep_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return `run_counts` of many sweeps in one query; sweeps without runs are left out."""
    rows = (
        Run.objects.filter(sweep__in=sweep_ids)
        .order_by()
        .values_list("sweep_id", "state", "end_reason")
        .annotate(n=Count("pk"))
    )
    counts: dict[int, dict[str, int]] = {}
    for sweep_id, state, end_reason, n in rows:
        of_sweep = counts.setdefault(sweep_id, {"stopped_early": 0})
        of_sweep[state] = of_sweep.get(state, 0) + n
        if state == RunState.CANCELED and end_reason == EndReason.POLICY:
            of_sweep["stopped_early"] += n
    return counts


def duration_of(started: datetime | None, ended: datetime | None) -> float | None:
    """Return the seconds between two times; None while one of them is missing."""
    return (ended - started).total_seconds() if started and ended else None


def time_json(time: datetime | None) -> str | None:
    """Return a time as ISO 8601 with its offset."""
    return time.isoformat() if time else None


def best_run_json(sweep: Sweep) -> dict[str, Any] | None:
    """Return the winner so far as in `studio submit --json`; None before the first report."""
    best = sweep.best_run
    if best is None:
        return None
    return {
        "id": best.public_id,
        "number": best.number,
        "value": number_json(sweep.best_value),
        "hyperparameters": in_declared_order(best.params, sweep.spec),
        "arguments": best.arguments,
    }


def found_run_json(run: Run | None) -> dict[str, Any] | None:
    """Return the JSON form of the best run that was looked for; `sweep` is loaded with it."""
    if run is None:
        return None
    return {
        "id": run.public_id,
        "sweep": run.sweep.public_id,
        "number": run.number,
        "status": run.state,
        "value": number_json(run.best_value),
        "hyperparameters": in_declared_order(run.params, run.sweep.spec),
        "arguments": run.arguments,
    }


def _best_json(run: Run) -> dict[str, Any] | None:
    if run.best_value is None:
        return None
    return {
        "value": run.best_value,
        "interval": run.best_interval,
        "step": number_json(run.best_step),
    }


def _sweep_json(sweep: Sweep, counts: dict[str, int]) -> dict[str, Any]:
    chip = badge(sweep.state, sweep.end_reason)
    return {
        "id": sweep.public_id,
        "name": sweep.name,
        "experiment": sweep.experiment.name,
        "owner": sweep.owner.get_username() if sweep.owner else None,
        "status": sweep.state,
        "label": chip.label,
        "css": chip.css,
        "icon": chip.icon,
        "reason": sweep.reason,
        "end_reason": sweep.end_reason,
        "url": sweep.get_absolute_url(),
        "metric": sweep.metric_name,
        "goal": sweep.goal,
        "limits": {
            "max_total_runs": sweep.max_total_runs,
            "max_concurrent_runs": sweep.max_concurrent_runs,
            "max_duration_minutes": sweep.spec["max_duration_minutes"],
            "run_timeout_minutes": sweep.spec.get("run_timeout_minutes"),
        },
        "counts": {state: n for state, n in counts.items() if state != "stopped_early"},
        "stopped_early": counts.get("stopped_early", 0),
        "best_run": best_run_json(sweep),
        "resume_from": sweep.spec.get("resume_from") or [],
        "resume_child_runs": sweep.spec.get("resume_child_runs") or [],
        "cursor": sweep.cursor,
        "created": time_json(sweep.created_at),
        "started": time_json(sweep.started_at),
        "ended": time_json(sweep.ended_at),
        "deadline": time_json(sweep.deadline_at),
    }
