"""REST: pause, resume and change live sweeps, repeat their runs, queue runs by hand.

Operations of the router of api.sweeps: one address may have methods here and there.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from ninja import Status

from experiments import queries
from experiments.api.auth import WRITE, check_may, person_of, sweep_of
from experiments.api.bodies import read_mapping
from experiments.api.charts import router
from experiments.api.once import once
from experiments.api.schemas import RepeatedRuns, RunOut, SweepOut
from experiments.api.spec_body import json_body
from experiments.api.unchanged import IF_MATCH, note_version, wanted_version
from experiments.models import Sweep
from experiments.permissions import Action
from experiments.problems import Problem, ProblemsError
from experiments.services import sweeps as sweep_services
from experiments.services.by_hand import queue_by_hand
from experiments.services.limits import change_limits
from experiments.services.refused import Refused
from experiments.services.retries import retry_failed
from experiments.states import SweepState, badge

__all__ = ["router"]

_LIMITS: Final = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "max_total_runs": {"type": "integer", "minimum": 1, "maximum": 1000},
        "max_concurrent_runs": {"type": ["integer", "null"], "minimum": 1, "maximum": 100},
        "max_duration_minutes": {
            "type": ["number", "null"],
            "minimum": 1,
            "maximum": 43200,
            "description": "null: the default, 10080.",
        },
    },
}
_CONFIGURATION: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["params"],
    "properties": {
        "params": {"type": "object", "description": "A value for every hyperparameter."},
        "outside": {
            "type": "boolean",
            "default": False,
            "description": "Whether values outside the search space are meant.",
        },
    },
}


@router.patch(
    "/{sweep_id}",
    auth=WRITE,
    response=SweepOut,
    openapi_extra={**json_body(_LIMITS), **IF_MATCH, "x-errors": [409]},
)
def change_sweep(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Change limits of a live sweep; what is left out stays.

    The sweep obeys at once, and every edit is a version with who and when. A limit below what has
    happened already is refused, and with `If-Match` one that somebody changed since you read it.
    """
    sweep = _writable(request, sweep_id)
    changed = change_limits(
        sweep, read_mapping(request), user=person_of(request), version=wanted_version(request)
    )
    note_version(request, changed.spec_version)
    return _fresh(request, sweep_id)


@router.post("/{sweep_id}/pause", auth=WRITE, response=SweepOut, openapi_extra={"x-errors": [409]})
def pause_sweep(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Start no new runs; runs that have started go on. Pausing twice changes nothing."""
    sweep = _writable(request, sweep_id)
    if not sweep_services.pause_sweep(sweep, user=person_of(request)):
        _check_is(request, sweep_id, SweepState.PAUSED, "paused")
    return _fresh(request, sweep_id)


@router.post("/{sweep_id}/resume", auth=WRITE, response=SweepOut, openapi_extra={"x-errors": [409]})
def resume_sweep(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Go on after a pause, whoever or whatever paused it. Resuming twice changes nothing."""
    sweep = _writable(request, sweep_id)
    if not sweep_services.resume_sweep(sweep, user=person_of(request)):
        _check_is(request, sweep_id, SweepState.RUNNING, "resumed")
    return _fresh(request, sweep_id)


@router.post(
    "/{sweep_id}/retry-failed",
    auth=WRITE,
    response=RepeatedRuns,
    openapi_extra={"x-errors": [409]},
)
@once()
def retry_failed_runs(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Repeat every failed run that has no repetition yet; `items` are the new runs.

    They have the same hyperparameters and do not count towards max_total_runs. A sweep that has
    ended goes on until they have ended.
    """
    sweep = _writable(request, sweep_id)
    made = retry_failed(sweep, user=person_of(request))
    return {"items": [queries.run_json(run) for run in made]}


@router.post(
    "/{sweep_id}/runs",
    auth=WRITE,
    response={201: RunOut},
    openapi_extra={**json_body(_CONFIGURATION), "x-errors": [409]},
)
@once()
def queue_run(request: HttpRequest, sweep_id: str) -> Status[Any]:
    """Queue a run of your own values in a live sweep. It counts towards max_total_runs.

    A value outside the search space needs `"outside": true`.
    """
    sweep = _writable(request, sweep_id)
    body = read_mapping(request)
    outside = body.pop("outside", False)
    params = body.pop("params", None)
    problems = [
        Problem(name, f"There is no {name} here; send params and outside.") for name in body
    ]
    if not isinstance(outside, bool):
        problems.append(Problem("outside", "outside is neither true nor false."))
    if problems:
        raise ProblemsError(problems)
    run = queue_by_hand(sweep, params, user=person_of(request), may_be_outside=outside)
    return Status(201, queries.run_json(run))


def _writable(request: HttpRequest, sweep_id: str) -> Sweep:
    sweep = sweep_of(request, sweep_id)
    check_may(request, sweep.experiment.workspace, Action.CHANGE_ANY_SWEEP)
    return sweep


def _check_is(request: HttpRequest, sweep_id: str, state: SweepState, done: str) -> None:
    """Take a sweep that is there already for done; refuse in any other state."""
    now = sweep_of(request, sweep_id)
    if now.state != state:
        label = badge(now.state, now.end_reason).label
        raise Refused(f"The sweep is {label.lower()}, so it cannot be {done}.")


def _fresh(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    sweep = queries.sweep_json(sweep_of(request, sweep_id))
    return {**sweep, "url": request.build_absolute_uri(sweep["url"])}
