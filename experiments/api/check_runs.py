"""REST: try one configuration of a specification before anything is launched."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from experiments import queries
from experiments.api.auth import (
    READ,
    WRITE,
    ForWorkspace,
    caller_of,
    check_may,
    person_of,
    workspace_for_new,
)
from experiments.api.bodies import read_mapping, take_digest
from experiments.api.check_schemas import CheckRunOut, StartedCheck
from experiments.api.once import once
from experiments.api.spec_body import SPEC_BODY
from experiments.api.sweeps import names_a_folder
from experiments.models import Sweep
from experiments.permissions import Action
from experiments.services.check_run import (
    DEFAULT_SECONDS,
    MAX_SECONDS,
    cancel_check,
    start_check,
)

router = Router(tags=["Checks"])

Seconds = Annotated[
    float, Query(ge=1, le=MAX_SECONDS, description="Time limit of the run in seconds.")
]


@router.post("", auth=WRITE, response={201: StartedCheck}, openapi_extra=SPEC_BODY)
@once(is_long=names_a_folder)
def start_check_run(
    request: HttpRequest, seconds: Seconds = DEFAULT_SECONDS, workspace: ForWorkspace = ""
) -> Status[Any]:
    """Run the first configuration of a specification on a real worker, with a time limit.

    The body is what `POST /sweeps` takes. No sweep is started: follow the check at its own address.
    Another check of yours that still goes on is canceled. A check is kept for a day.
    """
    place = workspace_for_new(request, workspace)
    raw = read_mapping(request)
    sweep, warnings = start_check(
        raw,
        owner=person_of(request),
        workspace=place,
        seconds=seconds,
        snapshot_digest=take_digest(raw),
        allow_server_paths=caller_of(request).is_administrator,
    )
    return Status(201, {**_check_json(sweep), "warnings": warnings})


@router.get("/{check_id}", auth=READ, response=CheckRunOut)
def get_check_run(request: HttpRequest, check_id: str) -> dict[str, Any]:
    """Read what a check shows so far; `is_over` says when it is complete."""
    return _check_json(queries.find_check(person_of(request), check_id))


@router.post("/{check_id}/cancel", auth=WRITE, response=CheckRunOut)
def cancel_check_run(request: HttpRequest, check_id: str) -> dict[str, Any]:
    """Cancel a check and stop its script. Canceling one that is over changes nothing."""
    sweep = queries.find_check(person_of(request), check_id)
    check_may(request, sweep.experiment.workspace, Action.SUBMIT)
    cancel_check(sweep, user=person_of(request))
    return _check_json(queries.find_check(person_of(request), check_id))


def _check_json(sweep: Sweep) -> dict[str, Any]:
    return queries.check_json(queries.check_view(sweep))
