"""REST: upload a source directory as a zip."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from experiments.api.auth import WRITE, ForWorkspace, workspace_for_new
from experiments.api.bodies import upload
from experiments.api.schemas import SnapshotOut
from experiments.services.snapshots import snapshot_zip
from experiments.snapshot_rules import MAX_BYTES

router = Router(tags=["Snapshots"])

_BYTES = {"schema": {"type": "string", "format": "binary"}}
# Generated clients know bytes without a kind of their own.
_ZIP_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/zip": _BYTES, "application/octet-stream": _BYTES},
    }
}


@router.post("", auth=WRITE, response={201: SnapshotOut}, openapi_extra=_ZIP_BODY)
def upload_snapshot(request: HttpRequest, workspace: ForWorkspace = "") -> Status[Any]:
    """Store a zip of a source directory; the same content is stored once.

    The names in the zip start at the source directory, so that `train.py` is at its top. At most
    300 MB and 2000 files; links and names that lead out of the directory are refused.
    """
    place = workspace_for_new(request, workspace)
    with upload(request, MAX_BYTES) as file:
        snapshot = snapshot_zip(file, workspace=place)
    return Status(
        201,
        {"id": snapshot.digest, "size": snapshot.size_bytes, "files": snapshot.file_count},
    )
