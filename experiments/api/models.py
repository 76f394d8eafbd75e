"""REST: registered models, their versions, marks and files."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from django.db import transaction
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from ninja import Path, Query, Router, Status

from experiments.api.auth import (
    READ,
    RUN_WRITE,
    WRITE,
    caller_of,
    check_may,
    person_of,
    run_of,
)
from experiments.api.model_schemas import (
    ModelChanges,
    ModelFileList,
    ModelOut,
    ModelPage,
    RegisterIn,
    Stage,
    VersionChanges,
    VersionOut,
    VersionPage,
)
from experiments.api.once import once
from experiments.api.paging import (
    MOST_FILES,
    Cursor,
    Limit,
    LongLimit,
    cut,
    decode_cursor,
    encode_cursor,
)
from experiments.downloads import send_archive, send_file
from experiments.models import ModelVersion, RegisteredModel
from experiments.permissions import Action
from experiments.queries import models as models_query
from experiments.services import models as service
from experiments.services.model_files import find_version_file, version_sources

router = Router(tags=["Models"])

Name = Annotated[str, Path(max_length=255)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
InWorkspace = Annotated[
    str,
    Query(
        max_length=60,
        description="Short name of the workspace, where several of yours have a model of the name.",
    ),
]
_CONFLICT = {"x-errors": [409]}


def _bytes_of(content_type: str) -> dict[str, Any]:
    content = {content_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"responses": {200: {"description": "The bytes.", "content": content}}}


@router.get("", auth=READ, response=ModelPage)
def list_models(
    request: HttpRequest,
    text: Annotated[str, Query(max_length=255, description="Words in name or description.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """List the registered models of your workspaces, changed last first."""
    offset = decode_cursor(cursor) or 0
    page = models_query.model_list(person_of(request), text=text, offset=offset, limit=limit)
    return {
        "items": [_model_json(request, row) for row in page.items],
        "next_cursor": encode_cursor(offset + limit) if page.next_cursor else None,
    }


@router.get("/{name}", auth=READ, response=ModelOut)
def get_model(request: HttpRequest, name: Name, workspace: InWorkspace = "") -> dict[str, Any]:
    """Read one model."""
    return _fresh_model(request, _find(request, name, workspace))


@router.patch("/{name}", auth=WRITE, response=ModelOut)
def change_model(
    request: HttpRequest, name: Name, changes: ModelChanges, workspace: InWorkspace = ""
) -> dict[str, Any]:
    """Change the description of a model."""
    model = _writable(request, name, workspace)
    return _fresh_model(request, service.describe_model(model, description=changes.description))


@router.delete("/{name}", auth=WRITE, response={204: None}, openapi_extra=_CONFLICT)
def delete_model(request: HttpRequest, name: Name, workspace: InWorkspace = "") -> Status[Any]:
    """Delete a model that has no versions left."""
    service.delete_model(_writable(request, name, workspace), user=person_of(request))
    return Status(204, None)


@router.get("/{name}/versions", auth=READ, response=VersionPage)
def list_versions(
    request: HttpRequest,
    name: Name,
    stage: Annotated[Stage | None, Query(description="Only the one so marked.")] = None,
    workspace: InWorkspace = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """List the versions of a model, newest first; `stage=production` has the one to deploy."""
    page = models_query.version_page(
        _find(request, name, workspace),
        stage=stage or "",
        before=decode_cursor(cursor),
        limit=limit,
    )
    more = page.items[-1].number if page.next_cursor else None
    return {
        "items": [_version_json(request, version) for version in page.items],
        "next_cursor": None if more is None else encode_cursor(more),
    }


@router.post(
    "/{name}/versions", auth=RUN_WRITE, response={201: VersionOut}, openapi_extra=_CONFLICT
)
@once(is_long=lambda request: True)
def register_model(request: HttpRequest, name: Name, source: RegisterIn) -> Status[Any]:
    """Make the next version of a model of files of a run; a new name makes the model.

    The files are copied. It belongs to the run's workspace. The script of a run may register its
    own run with its token.
    """
    run = run_of(request, source.run)
    check_may(request, run.sweep.experiment.workspace, Action.REGISTER_MODELS)
    version = service.register_model(
        run,
        name=name,
        user=caller_of(request).user,
        path=source.path,
        description=source.description,
        tags=source.tags,
        properties=source.properties,
    )
    return Status(201, _version_json(request, version))


@router.get("/{name}/versions/{number}", auth=READ, response=VersionOut)
def get_version(
    request: HttpRequest, name: Name, number: Number, workspace: InWorkspace = ""
) -> dict[str, Any]:
    """Read one version."""
    return _version_json(request, _find_version(request, name, number, workspace))


@router.patch("/{name}/versions/{number}", auth=WRITE, response=VersionOut)
def change_version(
    request: HttpRequest,
    name: Name,
    number: Number,
    changes: VersionChanges,
    workspace: InWorkspace = "",
) -> dict[str, Any]:
    """Mark a version, change its description and tags, add properties."""
    model = _writable(request, name, workspace)
    version = models_query.versions_of(model).get(number=number)
    with transaction.atomic():
        version = service.change_version(
            version,
            description=changes.description,
            tags=changes.tags,
            removed_tags=changes.remove_tags,
            properties=changes.properties,
        )
        if changes.stage is not None:
            version = service.mark_version(version, stage=changes.stage, user=person_of(request))
    return _version_json(request, version)


@router.delete(
    "/{name}/versions/{number}", auth=WRITE, response={204: None}, openapi_extra=_CONFLICT
)
def delete_version(
    request: HttpRequest, name: Name, number: Number, workspace: InWorkspace = ""
) -> Status[Any]:
    """Delete a version with its files; refused while it is staging or production."""
    model = _writable(request, name, workspace)
    version = models_query.versions_of(model).get(number=number)
    service.delete_version(version, user=person_of(request))
    return Status(204, None)


@router.get("/{name}/versions/{number}/files", auth=READ, response=ModelFileList)
def list_version_files(
    request: HttpRequest,
    name: Name,
    number: Number,
    workspace: InWorkspace = "",
    cursor: Cursor = "",
    limit: LongLimit = MOST_FILES,
) -> dict[str, Any]:
    """List the files of a version with their hashes."""
    version = _find_version(request, name, number, workspace)
    base = request.build_absolute_uri(reverse("api:list_version_files", args=[name, number]))
    query = f"?workspace={version.model.workspace.slug}"
    page, more = cut(models_query.files_of_version(version), cursor, limit)
    return {
        "items": [
            {
                "path": file.path,
                "size": file.size_bytes,
                "digest": file.digest,
                "url": f"{base}/{quote(file.path)}{query}",
            }
            for file in page
        ],
        "next_cursor": more,
    }


@router.get(
    "/{name}/versions/{number}/files/{path:path}",
    auth=READ,
    openapi_extra=_bytes_of("application/octet-stream"),
)
def download_version_file(
    request: HttpRequest, name: Name, number: Number, path: str, workspace: InWorkspace = ""
) -> HttpResponseBase:
    """Download a file of a version, or the part of it that a Range header asks for."""
    version = _find_version(request, name, number, workspace)
    try:
        found = find_version_file(version, path)
        return send_file(request, found, found.name)
    except FileNotFoundError as error:
        raise Http404 from error


@router.get(
    "/{name}/versions/{number}/archive",
    auth=READ,
    openapi_extra=_bytes_of("application/zip"),
)
def download_version(
    request: HttpRequest, name: Name, number: Number, workspace: InWorkspace = ""
) -> StreamingHttpResponse:
    """Download all files of a version as one zip."""
    version = _find_version(request, name, number, workspace)
    return send_archive(request, version_sources(version), models_query.archive_name(version))


def _find(request: HttpRequest, name: str, workspace: str) -> RegisteredModel:
    return models_query.find_model(person_of(request), name, workspace=workspace)


def _writable(
    request: HttpRequest, name: str, workspace: str, action: Action = Action.REGISTER_MODELS
) -> RegisteredModel:
    model = _find(request, name, workspace)
    check_may(request, model.workspace, action)
    return model


def _find_version(request: HttpRequest, name: str, number: int, workspace: str) -> ModelVersion:
    return models_query.versions_of(_find(request, name, workspace)).get(number=number)


def _fresh_model(request: HttpRequest, model: RegisteredModel) -> dict[str, Any]:
    return _model_json(request, models_query.model_rows([model])[0])


def _model_json(request: HttpRequest, row: models_query.ModelRow) -> dict[str, Any]:
    latest = _version_json(request, row.latest) if row.latest else None
    return _with_address(request, {**models_query.model_json(row), "latest": latest})


def _version_json(request: HttpRequest, version: ModelVersion) -> dict[str, Any]:
    return _with_address(request, models_query.version_json(version))


def _with_address(request: HttpRequest, document: dict[str, Any]) -> dict[str, Any]:
    """Clients are elsewhere, so they get the whole address of the page."""
    return {**document, "url": request.build_absolute_uri(document["url"])}
