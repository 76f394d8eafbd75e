"""REST for the workers on other machines: snapshots go there, files of runs come from there.

Spoken between two parts of one studio, opened by the token of a compute target alone, so it is no
part of the documented API.
"""

from __future__ import annotations

from typing import Annotated, Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from ninja import Body, Query, Router
from ninja.errors import AuthenticationError
from ninja.security.http import HttpAuthBase

from experiments.api.bodies import upload
from experiments.downloads import send_archive, send_file
from experiments.models import ComputeToken, Run, Snapshot
from experiments.services import attached_files
from experiments.services.compute_tokens import find_compute_token
from experiments.services.snapshots import snapshot_source
from experiments.services.storage import storage_id
from studio.version import VERSION

Offset = Annotated[int, Query(ge=0, le=2**62)]
Fence = Annotated[int, Query(ge=0, le=2**31 - 1)]
FilePath = Annotated[str, Query(min_length=1, max_length=1100, alias="path")]
Digest = Annotated[str, Query(min_length=64, max_length=64, alias="sha256")]


class ComputeTokenAuth(HttpAuthBase):
    """The token of a compute target (`studio token create NAME --compute TARGET`)."""

    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> ComputeToken:
        scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
        token = find_compute_token(plain.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise AuthenticationError(
                message="The compute token is missing, unknown, expired or revoked; "
                "`studio token create NAME --compute TARGET` makes one."
            )
        return token


router = Router(auth=ComputeTokenAuth())


@router.get("", include_in_schema=False)
def who_am_i(request: HttpRequest) -> dict[str, str]:
    """Tell a worker which target its token is of, which storage and version the studio has."""
    name = _token(request).compute.name
    return {"compute": name, "storage": storage_id(), "version": VERSION}


@router.get("/snapshots/{digest}", include_in_schema=False)
def download_snapshot(request: HttpRequest, digest: str, offset: Offset = 0) -> HttpResponseBase:
    """Send a snapshot that a sweep on this target runs, from a byte on."""
    found = Snapshot.objects.filter(
        digest=digest, sweeps__compute=_token(request).compute_id
    ).first()
    if found is None:
        raise Http404
    try:
        source = snapshot_source(found)
    except FileNotFoundError as error:
        raise Http404 from error
    return send_file(request, source, f"{digest}.zip", offset=offset)


@router.post("/runs/{run_id}", include_in_schema=False)
def open_run(request: HttpRequest, run_id: str, fence: Fence) -> dict[str, str]:
    """Make the directory that receives the files of an attempt; tell its name."""
    return {"directory": str(attached_files.open_directory(_run(request, run_id, fence)))}


@router.get("/runs/{run_id}/files", include_in_schema=False)
def received_file(
    request: HttpRequest, run_id: str, fence: Fence, path: FilePath, digest: Digest
) -> dict[str, Any]:
    """Tell how much of a file has come, so that a broken transfer goes on where it broke."""
    size, whole = attached_files.received(_run(request, run_id, fence), path, digest)
    return {"size": size, "whole": whole}


@router.post("/runs/{run_id}/files", include_in_schema=False)
def receive_file(
    request: HttpRequest,
    run_id: str,
    fence: Fence,
    path: FilePath,
    digest: Digest,
    offset: Offset,
    size: Annotated[int, Query(ge=0, le=2**62)],
) -> dict[str, int]:
    """Take a block of a file; the last one puts it in place."""
    run = _run(request, run_id, fence)
    with upload(request, attached_files.MAX_BLOCK) as block:
        come = attached_files.receive(run, path, digest, offset=offset, size=size, block=block)
    return {"size": come}


@router.post("/runs/{run_id}/log", include_in_schema=False)
def append_log(
    request: HttpRequest, run_id: str, fence: Fence, path: FilePath, offset: Offset
) -> dict[str, int]:
    """Take what a log has grown by."""
    run = _run(request, run_id, fence)
    with upload(request, attached_files.MAX_BLOCK) as block:
        return {"size": attached_files.append_log(run, path, offset=offset, block=block)}


@router.post("/runs/{run_id}/kept", include_in_schema=False)
def keep_only(
    request: HttpRequest,
    run_id: str,
    fence: Fence,
    paths: Annotated[list[str], Body(max_length=1_000_000)],
) -> dict[str, int]:
    """Hear which files the run has left in the end; whatever else has come is removed."""
    attached_files.keep_only(_run(request, run_id, fence), paths)
    return {"kept": len(paths)}


@router.get("/runs/{run_id}/earlier", include_in_schema=False)
def earlier_outputs(request: HttpRequest, run_id: str, fence: Fence) -> HttpResponseBase:
    """Send the outputs of the run that this one goes on from, as a zip."""
    files = attached_files.earlier_outputs(_run(request, run_id, fence))
    return send_archive(request, files, "earlier.zip")


@router.get("/runs/{run_id}/posted", include_in_schema=False)
def posted_reports(
    request: HttpRequest, run_id: str, fence: Fence, offset: Offset
) -> dict[str, Any]:
    """Give the reports that came over HTTP, for the journal that the executor reads."""
    lines = attached_files.posted_reports(_run(request, run_id, fence), offset)
    return {"lines": lines.decode("utf-8"), "offset": offset + len(lines)}


def _token(request: HttpRequest) -> ComputeToken:
    token = getattr(request, "auth", None)
    if not isinstance(token, ComputeToken):
        raise AuthenticationError
    return token


def _run(request: HttpRequest, run_id: str, fence: int) -> Run:
    return attached_files.run_of_compute(_token(request).compute, run_id, fence)
