"""REST: remove outputs of runs that have ended.

Operations of the routers of api.sweeps and api.runs.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Query, Status

from experiments import queries
from experiments.api.auth import READ, WRITE, check_may, person_of, run_of, sweep_of
from experiments.api.runs import router as runs
from experiments.api.trash import removed, sweeps
from experiments.api.trash_schemas import OutputsPlanOut, OutputsRule, RemovalOut
from experiments.models import Sweep
from experiments.permissions import Action
from experiments.queries.outputs import RunOutputs, plan_outputs
from experiments.services.outputs import keep_outputs_of_best, remove_outputs, set_rule

__all__ = ["runs", "sweeps"]

_CONFLICT: Final = {"x-errors": [409]}
Best = Annotated[int, Query(ge=0, le=1000, description="Best runs that keep their outputs.")]


@sweeps.get("/{sweep_id}/outputs", auth=READ, response=OutputsPlanOut)
def plan_outputs_of_best(request: HttpRequest, sweep_id: str, keep_best: Best) -> dict[str, Any]:
    """See what keeping only the outputs of the best runs would do and free."""
    return _plan_json(sweep_of(request, sweep_id), keep_best)


@sweeps.put("/{sweep_id}/outputs", auth=WRITE, response=OutputsPlanOut, openapi_extra=_CONFLICT)
def set_outputs_rule(request: HttpRequest, sweep_id: str, rule: OutputsRule) -> dict[str, Any]:
    """Let a live sweep keep the outputs of its best runs alone when it ends."""
    sweep = _writable(request, sweep_id)
    set_rule(sweep, rule.keep_best, user=person_of(request))
    best = 0 if rule.keep_best is None else rule.keep_best
    return _plan_json(sweep_of(request, sweep_id), best)


@sweeps.delete(
    "/{sweep_id}/outputs",
    auth=WRITE,
    response={200: RemovalOut | None, 202: RemovalOut},
    openapi_extra=_CONFLICT,
)
def remove_outputs_but_best(request: HttpRequest, sweep_id: str, keep_best: Best) -> Status[Any]:
    """Remove the outputs of all runs of an ended sweep but its best ones.

    Metrics, logs, configuration and registered models stay. null: there was nothing to remove.
    202: it goes on by itself; `GET /removals/{id}` tells how far it is.
    """
    sweep = _writable(request, sweep_id)
    removal = keep_outputs_of_best(sweep, keep_best, user=person_of(request))
    return Status(200, None) if removal is None else removed(removal)


@runs.delete(
    "/{run_id}/outputs",
    auth=WRITE,
    response={200: RemovalOut, 202: RemovalOut},
    openapi_extra=_CONFLICT,
)
def remove_run_outputs(request: HttpRequest, run_id: str) -> Status[Any]:
    """Remove what a run that has ended left in ./outputs and uploaded; its logs stay."""
    run = run_of(request, run_id)
    check_may(request, run.sweep.experiment.workspace, Action.DELETE_FOR_GOOD)
    return removed(remove_outputs(run, user=person_of(request)))


def _writable(request: HttpRequest, sweep_id: str) -> Sweep:
    sweep = sweep_of(request, sweep_id)
    check_may(request, sweep.experiment.workspace, Action.DELETE_FOR_GOOD)
    return sweep


def _plan_json(sweep: Sweep, best: int) -> dict[str, Any]:
    plan = plan_outputs(sweep, best)
    return {
        "best": plan.best,
        "rule": sweep.keep_outputs_of_best,
        "kept": [_run_json(one) for one in plan.kept],
        "held": [_run_json(one) for one in plan.held],
        "removed": [_run_json(one) for one in plan.removed],
        "freed_bytes": plan.freed_bytes,
    }


def _run_json(one: RunOutputs) -> dict[str, Any]:
    return {
        "id": one.run.public_id,
        "number": one.run.number,
        "value": queries.number_json(one.run.best_value),
        "size": one.size_bytes,
        "reader": one.reader,
    }
