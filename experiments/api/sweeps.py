"""REST: submit, read and cancel sweeps; their events and curves."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final, Literal

from django.db.models import F
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower
from django.http import HttpRequest
from ninja import Query, Router, Status

from experiments import clock, queries
from experiments.api.auth import (
    READ,
    WRITE,
    ForWorkspace,
    caller_of,
    check_may,
    person_of,
    sweep_of,
    workspace_for_new,
)
from experiments.api.bodies import read_mapping, take_digest
from experiments.api.once import once
from experiments.api.paging import (
    Cursor,
    Direction,
    Limit,
    cut,
    newest,
)
from experiments.api.queue_schemas import SweepDetail
from experiments.api.schemas import (
    CheckedSpec,
    CreatedSweep,
    CurvesOut,
    EventsOut,
    SweepOut,
    SweepPage,
)
from experiments.api.spec_body import SPEC_BODY
from experiments.api.unchanged import note_version
from experiments.models import Sweep
from experiments.permissions import Action
from experiments.queries.queue_places import place_json, place_of_sweep
from experiments.queries.sweep_list import with_tag
from experiments.services import sweeps as sweep_services
from experiments.states import SweepState

router = Router(tags=["Sweeps"])

_POLL_SECONDS = 0.25
_MAX_WAIT = 20.0
SortKey = Literal["created", "started", "ended", "name", "status", "best"]
_COLUMNS: Final[dict[str, Any]] = {
    "created": F("pk"),
    "started": F("started_at"),
    "ended": F("ended_at"),
    "name": Lower("name"),
    "status": F("state"),
    "best": F("best_value"),
}


def names_a_folder(request: HttpRequest) -> bool:
    """Tell whether a specification is copied from a folder first, which may take seconds."""
    return b"source_directory" in request.body


@router.post(
    "",
    auth=WRITE,
    response={201: CreatedSweep},
    openapi_extra=SPEC_BODY,
)
@once(is_long=names_a_folder)
def submit_sweep(request: HttpRequest, workspace: ForWorkspace = "") -> Status[Any]:
    """Submit a sweep: the body is its specification, as JSON or YAML.

    `snapshot` names the uploaded source directory (`POST /snapshots`). Administrators may write
    `source_directory` instead, a folder on the studio's own machine. A wrong specification is
    answered with every problem at once, and nothing is created.
    """
    place = workspace_for_new(request, workspace)
    raw = read_mapping(request)
    sweep, warnings = sweep_services.submit_spec(
        raw,
        owner=person_of(request),
        workspace=place,
        snapshot_digest=take_digest(raw),
        allow_server_paths=caller_of(request).is_administrator,
    )
    return Status(201, {**_sweep_json(request, sweep), "warnings": warnings})


@router.post("/check", auth=WRITE, response=CheckedSpec, openapi_extra=SPEC_BODY)
def check_sweep(request: HttpRequest, workspace: ForWorkspace = "") -> dict[str, Any]:
    """List every problem and warning of a specification without creating anything."""
    place = workspace_for_new(request, workspace)
    raw = read_mapping(request)
    _, problems, warnings = sweep_services.check_spec(
        raw,
        user=person_of(request),
        workspace=place,
        snapshot_digest=take_digest(raw),
        allow_server_paths=caller_of(request).is_administrator,
    )
    errors = [{"path": p.path, "message": p.message} for p in problems]
    return {"errors": errors, "warnings": warnings}


@router.get("", auth=READ, response=SweepPage)
def list_sweeps(
    request: HttpRequest,
    state: Annotated[SweepState | None, Query(description="Only those in this state.")] = None,
    experiment: Annotated[str, Query(max_length=255, description="Name of its series.")] = "",
    text: Annotated[str, Query(max_length=255, description="Words in the name.")] = "",
    tag: Annotated[str, Query(max_length=1101, description="A name, or name=text.")] = "",
    owner: Annotated[str, Query(max_length=150, description="User name of who submitted it.")] = "",
    workspace: Annotated[str, Query(max_length=60, description="Short name of one.")] = "",
    starred: Annotated[bool, Query(description="Only those with your star.")] = False,
    sort: Annotated[SortKey, Query(description="What the order goes by.")] = "created",
    direction: Direction = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """List the sweeps of your workspaces, newest first unless `sort` says otherwise."""
    rows = queries.sweeps_for(person_of(request))
    if state is not None:
        rows = rows.filter(state=state)
    if experiment:
        rows = rows.filter(experiment__name=experiment)
    if text:
        rows = rows.filter(name__icontains=text)
    if tag:
        rows = with_tag(rows, tag)
    if starred:
        rows = rows.filter(stars__user=person_of(request))
    if owner:
        rows = rows.filter(owner__username=owner)
    if workspace:
        rows = rows.filter(experiment__workspace__slug=workspace)
    if sort == "created" and direction != "asc":
        page, more = newest(rows, cursor, limit)
    else:
        is_descending = direction == "desc"
        order = f"{sort} {direction or 'asc'}"
        by = OrderBy(_COLUMNS[sort], descending=is_descending, nulls_last=True)
        page, more = cut(rows.order_by(by, "-pk"), cursor, limit, order)
    items = [_with_address(request, sweep) for sweep in queries.sweeps_json(page)]
    return {"items": items, "next_cursor": more}


@router.get("/{sweep_id}", auth=READ, response=SweepDetail)
def get_sweep(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Read one sweep. The ETag begins with the version of its limits, for `If-Match`."""
    sweep = sweep_of(request, sweep_id)
    note_version(request, sweep.spec_version)
    place = place_json(place_of_sweep(sweep, clock.now()))
    return {**_sweep_json(request, sweep), "queue": place}


@router.get("/{sweep_id}/spec", auth=READ, response=dict[str, Any])
def get_spec(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Read the specification of a sweep in its canonical form, as it can be submitted again."""
    sweep = sweep_of(request, sweep_id)
    return {**sweep.spec, "snapshot": sweep.snapshot.digest}


@router.post("/{sweep_id}/cancel", auth=WRITE, response=SweepOut)
def cancel_sweep(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Cancel a sweep: its waiting runs at once, its live runs as soon as they stop.

    Canceling a sweep that has ended changes nothing.
    """
    sweep = sweep_of(request, sweep_id)
    check_may(request, sweep.experiment.workspace, Action.CHANGE_ANY_SWEEP)
    sweep_services.cancel_sweep(sweep, user=person_of(request))
    return _sweep_json(request, sweep_of(request, sweep_id))


@router.get("/{sweep_id}/metrics", auth=READ, response=CurvesOut)
def get_curves(
    request: HttpRequest,
    sweep_id: str,
    metric: Annotated[str, Query(max_length=255, description="Default: the primary metric.")] = "",
    limit: Annotated[int, Query(ge=2, le=5000, description="Points a run.")] = 300,
) -> dict[str, Any]:
    """Read one metric of every run, thinned out by buckets that keep their extremes."""
    sweep = sweep_of(request, sweep_id)
    name = metric or sweep.metric_name
    return {"metric": name, "items": queries.curves_json(sweep, name, limit=limit)}


@router.get("/{sweep_id}/events", auth=READ, response=EventsOut)
def get_events(
    request: HttpRequest,
    sweep_id: str,
    after: Annotated[int, Query(ge=0, le=2**62, description="Last cursor you have seen.")] = 0,
    wait: Annotated[
        float, Query(ge=0, le=_MAX_WAIT, description="Seconds to wait for a change.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=5000, description="Events at most.")] = 500,
) -> dict[str, Any]:
    """Read what changed after a cursor; the same events as on the websocket.

    With `wait` the answer comes as soon as something changes, at the latest after that time.
    """
    sweep = sweep_of(request, sweep_id)
    _wait_for_change(sweep, after, wait)
    cursor, events = queries.events_after(sweep, after, limit=limit)
    return {"cursor": cursor, "events": events}


def _sweep_json(request: HttpRequest, sweep: Sweep) -> dict[str, Any]:
    return _with_address(request, queries.sweep_json(sweep))


def _with_address(request: HttpRequest, sweep: dict[str, Any]) -> dict[str, Any]:
    """Clients are elsewhere, so they get the whole address of the page."""
    return {**sweep, "url": request.build_absolute_uri(sweep["url"])}


def _wait_for_change(sweep: Sweep, after: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while sweep.cursor <= after and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        sweep.cursor = Sweep.objects.values_list("cursor", flat=True).get(pk=sweep.pk)
