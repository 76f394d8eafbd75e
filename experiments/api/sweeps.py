"""REST: submit, read and cancel sweeps; their runs, events and curves."""

from __future__ import annotations

import time
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from experiments import clock, queries
from experiments.api.auth import (
    READ,
    WRITE,
    caller_of,
    check_may_write,
    person_of,
    sweep_of,
    workspace_for_new,
)
from experiments.api.bodies import read_mapping, take_digest
from experiments.api.paging import Cursor, Limit, decode_cursor, encode_cursor
from experiments.api.read_schemas import RunPage
from experiments.api.schemas import (
    CheckedSpec,
    CreatedSweep,
    CurvesOut,
    EventsOut,
    FoundRun,
    SweepOut,
    SweepPage,
)
from experiments.api.spec_body import SPEC_BODY
from experiments.models import Run, Sweep
from experiments.queries.readings import best_under, values_read
from experiments.queries.run_filter import filtered
from experiments.queries.run_table import columns_of
from experiments.queries.sweep_list import with_tag
from experiments.readings import Reading, read_reading
from experiments.run_filter import parse_filter
from experiments.run_filter_terms import MAX_LENGTH
from experiments.services import sweeps as sweep_services
from experiments.states import RunState, SweepState

router = Router(tags=["Sweeps"])

_POLL_SECONDS = 0.25
_MAX_WAIT = 20.0
ReadingName = Annotated[
    str,
    Query(max_length=60, description="Which value of a run counts: best, last, or step:20."),
]


@router.post("", auth=WRITE, response={201: CreatedSweep}, openapi_extra=SPEC_BODY)
def submit_sweep(request: HttpRequest) -> Status[Any]:
    """Submit a sweep: the body is its specification, as JSON or YAML.

    `snapshot` names the uploaded source directory (`POST /snapshots`). Administrators may write
    `source_directory` instead, a folder on the studio's own machine. A wrong specification is
    answered with every problem at once, and nothing is created.
    """
    workspace = workspace_for_new(request)
    raw = read_mapping(request)
    sweep, warnings = sweep_services.submit_spec(
        raw,
        owner=person_of(request),
        workspace=workspace,
        snapshot_digest=take_digest(raw),
        allow_server_paths=caller_of(request).is_administrator,
    )
    return Status(201, {**_sweep_json(request, sweep), "warnings": warnings})


@router.post("/check", auth=WRITE, response=CheckedSpec, openapi_extra=SPEC_BODY)
def check_sweep(request: HttpRequest) -> dict[str, Any]:
    """List every problem and warning of a specification without creating anything."""
    workspace = workspace_for_new(request)
    raw = read_mapping(request)
    _, problems, warnings = sweep_services.check_spec(
        raw,
        user=person_of(request),
        workspace=workspace,
        snapshot_digest=take_digest(raw),
        allow_server_paths=caller_of(request).is_administrator,
    )
    errors = [{"path": p.path, "message": p.message} for p in problems]
    return {"errors": errors, "warnings": warnings}


@router.get("", auth=READ, response=SweepPage)
def list_sweeps(
    request: HttpRequest,
    state: SweepState | None = None,
    experiment: Annotated[str, Query(max_length=255)] = "",
    text: Annotated[str, Query(max_length=255, description="Words in the name.")] = "",
    tag: Annotated[str, Query(max_length=1101, description="A name, or name=text.")] = "",
    starred: Annotated[bool, Query(description="Only those with your star.")] = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """List the sweeps of your workspaces, newest first."""
    rows = queries.sweeps_for(person_of(request)).order_by("-pk")
    before = decode_cursor(cursor)
    if before is not None:
        rows = rows.filter(pk__lt=before)
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
    found = list(rows[: limit + 1])
    page = found[:limit]
    return {
        "items": [_with_address(request, sweep) for sweep in queries.sweeps_json(page)],
        "next_cursor": encode_cursor(page[-1].pk) if len(found) > limit else None,
    }


@router.get("/{sweep_id}", auth=READ, response=SweepOut)
def get_sweep(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Read one sweep."""
    return _sweep_json(request, sweep_of(request, sweep_id))


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
    check_may_write(request, sweep.experiment.workspace)
    sweep_services.cancel_sweep(sweep, user=person_of(request))
    return _sweep_json(request, sweep_of(request, sweep_id))


@router.get("/{sweep_id}/runs", auth=READ, response=RunPage)
def list_runs(
    request: HttpRequest,
    sweep_id: str,
    state: RunState | None = None,
    filter: Annotated[  # noqa: A002  # its name in the address
        str,
        Query(
            max_length=MAX_LENGTH,
            description="Conditions that must all hold, as on the page of the runs: "
            "`learning_rate<0.01 status:failed -tag:draft`.",
        ),
    ] = "",
    reading: ReadingName = "best",
    cursor: Cursor = "",
    limit: Limit = 100,
) -> dict[str, Any]:
    """List the runs of a sweep in sampling order.

    `value` of each is the one that `reading` asks for; it is null for a run that has none.
    """
    sweep = sweep_of(request, sweep_id)
    asked = read_reading(reading)
    rows = queries.runs_for(person_of(request)).filter(sweep=sweep).order_by("number")
    if filter:
        rows = filtered(rows, parse_filter(filter, columns_of(sweep)), sweep, clock.now())
    after = decode_cursor(cursor)
    if after is not None:
        rows = rows.filter(number__gt=after)
    if state is not None:
        rows = rows.filter(state=state)
    found = list(rows[: limit + 1])
    page = found[:limit]
    return {
        "items": _with_values(sweep, asked, page),
        "next_cursor": encode_cursor(page[-1].number) if len(found) > limit else None,
        "reading": asked.key,
    }


@router.get("/{sweep_id}/best-run", auth=READ, response=FoundRun | None)
def get_best_run(
    request: HttpRequest,
    sweep_id: str,
    include_failed: bool = True,
    include_canceled: bool = True,
    include_resume_from_runs: Annotated[
        bool, Query(description="Whether runs of the sweeps in resume_from count as well.")
    ] = True,
    reading: ReadingName = "best",
) -> dict[str, Any] | None:
    """Read the winner so far; null while no run has reported the primary metric.

    Under another reading than `best` it is the winner among the sweep's own runs by that value.
    """
    sweep = sweep_of(request, sweep_id)
    asked = read_reading(reading)
    if not asked.is_best:
        return best_under(
            sweep, asked, include_failed=include_failed, include_canceled=include_canceled
        )
    found = queries.find_best_run(
        person_of(request),
        sweep,
        include_failed=include_failed,
        include_canceled=include_canceled,
        include_earlier=include_resume_from_runs,
    )
    return queries.found_run_json(found)


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
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> dict[str, Any]:
    """Read what changed after a cursor; the same events as on the websocket.

    With `wait` the answer comes as soon as something changes, at the latest after that time.
    """
    sweep = sweep_of(request, sweep_id)
    _wait_for_change(sweep, after, wait)
    cursor, events = queries.events_after(sweep, after, limit=limit)
    return {"cursor": cursor, "events": events}


def _with_values(sweep: Sweep, reading: Reading, page: list[Run]) -> list[dict[str, Any]]:
    read = None if reading.is_best else values_read(sweep, reading)
    return [
        {
            **queries.run_detail_json(run),
            "value": run.best_value if read is None else read.get(run.number),
        }
        for run in page
    ]


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
