"""REST: read, feed, cancel and repeat one run; its metrics, log and files."""

from __future__ import annotations

import time
from typing import Annotated, Any
from urllib.parse import quote

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from ninja import Body, Query, Router, Status

from experiments import clock, queries
from experiments.api.auth import (
    RUN_READ,
    RUN_WRITE,
    WRITE,
    caller_of,
    check_may,
    person_of,
    run_of,
)
from experiments.api.errors import ConflictError
from experiments.api.once import once
from experiments.api.paging import MOST_FILES, Cursor, LongLimit, cut
from experiments.api.queue_schemas import PlacedRun
from experiments.api.schemas import (
    FileList,
    LogPiece,
    MarksIn,
    ReportIn,
    ReportsAccepted,
    RunDetail,
    RunOut,
    SeriesList,
)
from experiments.downloads import send_file
from experiments.models import Run
from experiments.permissions import Action
from experiments.queries import Series, all_series, number_json, steps_json
from experiments.queries.queue_places import place_json, place_of_run
from experiments.run_files import STD_LOG
from experiments.services.posted_reports import PostedReport, append_reports
from experiments.services.retries import retry_run as retry
from experiments.services.run_marks import change_marks
from experiments.services.runs import cancel_run as cancel
from experiments.services.transitions import StaleState
from experiments.storage.chosen import tree_of

router = Router(tags=["Runs"])

_LOG_BYTES = 256 * 1024
_BINARY = {
    "responses": {
        200: {
            "description": "The file.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    }
}


@router.get("/{run_id}", auth=RUN_READ, response=PlacedRun)
def get_run(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Read one run."""
    run = run_of(request, run_id)
    place = place_json(place_of_run(run, clock.now()))
    return {**queries.run_detail_json(run), "queue": place}


@router.patch("/{run_id}", auth=RUN_WRITE, response=RunDetail)
def change_run(request: HttpRequest, run_id: str, changes: MarksIn) -> dict[str, Any]:
    """Change the tags of a run and add properties, as its script does with `Run.tag`."""
    run = run_of(request, run_id)
    check_may(request, run.sweep.experiment.workspace, Action.CHANGE_ANY_SWEEP)
    changed = change_marks(
        run,
        tags=changes.tags,
        removed_tags=changes.remove_tags,
        properties=changes.properties,
    )
    return queries.run_detail_json(changed)


@router.get("/{run_id}/metrics", auth=RUN_READ, response=SeriesList)
def get_run_metrics(
    request: HttpRequest,
    run_id: str,
    name: Annotated[str, Query(max_length=255, description="Only this metric.")] = "",
    cursor: Cursor = "",
    limit: LongLimit = MOST_FILES,
) -> dict[str, Any]:
    """Read every report of a run, by metric; reports that are text appear as text."""
    found = all_series(run_of(request, run_id), names=[name] if name else None)
    page, more = cut(found, cursor, limit)
    return {"items": [_series_json(series) for series in page], "next_cursor": more}


@router.post(
    "/{run_id}/metrics",
    auth=RUN_WRITE,
    response={202: ReportsAccepted},
    openapi_extra={"x-errors": [409]},
)
@once(is_long=lambda request: True)
def report_metrics(
    request: HttpRequest,
    run_id: str,
    reports: Annotated[list[ReportIn], Body(min_length=1, max_length=1000)],
) -> dict[str, Any]:
    """Report values of metrics for a running run, as its script does with `Run.log`.

    They are appended to the run's journal and appear on its page within a second.
    """
    run = run_of(request, run_id)
    check_may(request, run.sweep.experiment.workspace, Action.CHANGE_ANY_SWEEP)
    now = time.time()
    posted = [
        PostedReport(r.name, r.value, r.step, now if r.time is None else r.time) for r in reports
    ]
    try:
        append_reports(run, posted)
    except StaleState as error:
        raise ConflictError(str(error)) from error
    return {"accepted": len(posted)}


@router.post("/{run_id}/cancel", auth=RUN_WRITE, response=RunOut)
def cancel_run(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Cancel a run; one that has ended stays as it is."""
    run = run_of(request, run_id)
    check_may(request, run.sweep.experiment.workspace, Action.CHANGE_ANY_SWEEP)
    person = caller_of(request).user
    if not run.is_terminal and person is not None:
        cancel(run, user=person)
    fresh = Run.objects.select_related("sweep", "retry_of").get(pk=run.pk)
    return queries.run_json(fresh)


@router.post(
    "/{run_id}/retry", auth=WRITE, response={201: RunOut}, openapi_extra={"x-errors": [409]}
)
@once()
def retry_run(request: HttpRequest, run_id: str) -> Status[Any]:
    """Repeat a failed or canceled run: a new run with the same hyperparameters and `retry_of`.

    It does not count towards max_total_runs. A sweep that has ended goes on until it has ended.
    """
    run = run_of(request, run_id)
    check_may(request, run.sweep.experiment.workspace, Action.CHANGE_ANY_SWEEP)
    return Status(201, queries.run_json(retry(run, user=person_of(request))))


@router.get("/{run_id}/logs", auth=RUN_READ, response=LogPiece)
def get_run_log(
    request: HttpRequest,
    run_id: str,
    offset: Annotated[int, Query(ge=0, le=2**62, description="Bytes you have read.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1 << 22, description="Bytes at most.")] = _LOG_BYTES,
) -> dict[str, Any]:
    """Read what a run has printed (stdout and stderr) from an offset on."""
    run = run_of(request, run_id)
    piece = tree_of(run.directory).read_text(STD_LOG, offset, limit)
    return {
        "text": piece.text,
        "offset": piece.offset,
        "next_offset": piece.next_offset,
        "size": piece.size,
        "done": run.is_terminal,
    }


@router.get("/{run_id}/files", auth=RUN_READ, response=FileList)
def list_run_files(
    request: HttpRequest, run_id: str, cursor: Cursor = "", limit: LongLimit = MOST_FILES
) -> dict[str, Any]:
    """List the files of a run: `outputs/...` and `logs/...`, while it runs as well."""
    run = run_of(request, run_id)
    found, more = cut(tree_of(run.directory).files(), cursor, limit)
    base = request.build_absolute_uri(reverse("api:list_run_files", args=[run.public_id]))
    return {
        "items": [
            {"path": file.path, "size": file.size_bytes, "url": f"{base}/{quote(file.path)}"}
            for file in found
        ],
        "next_cursor": more,
    }


@router.get("/{run_id}/files/{path:path}", auth=RUN_READ, openapi_extra=_BINARY)
def download_run_file(request: HttpRequest, run_id: str, path: str) -> HttpResponseBase:
    """Download a file of a run, or the part of it that a Range header asks for."""
    run = run_of(request, run_id)
    try:
        found = tree_of(run.directory).find(path)
        return send_file(request, found, found.name)
    except FileNotFoundError as error:
        raise Http404 from error


def _series_json(series: Series) -> dict[str, Any]:
    values: list[float | str | None] = [number_json(value) for value in series.values.tolist()]
    for ordinal, text in series.texts.items():
        values[ordinal] = text
    return {
        "name": series.name,
        "count": len(values),
        "intervals": series.intervals.tolist(),
        "steps": None if series.steps is None else steps_json(series.steps),
        "times": series.times.tolist(),
        "values": values,
    }
