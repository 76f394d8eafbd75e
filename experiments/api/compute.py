"""REST: compute targets with their workers and load; settings for administrators."""

from __future__ import annotations

from typing import Annotated, Any, Final

from django.http import Http404, HttpRequest
from ninja import Query, Router, Status
from ninja.errors import AuthorizationError

from experiments import queries
from experiments.api.auth import READ, WRITE, caller_of, person_of
from experiments.api.bodies import read_mapping
from experiments.api.once import once
from experiments.api.paging import Cursor, LongLimit, cut
from experiments.api.schemas import ComputeChanged, ComputeOut, ComputePage
from experiments.api.spec_body import json_body
from experiments.compute_settings import FIELDS, read_changes
from experiments.models import ComputeTarget
from experiments.problems import Problem, ProblemsError
from experiments.services import compute as services

router = Router(tags=["Compute"])

Labels = Annotated[
    list[str], Query(default=[], description="Only those with it, gpu=a100 or spot; repeatable.")
]
_SETTINGS: Final[dict[str, Any]] = {
    "labels": {
        "type": ["object", "array", "string", "null"],
        "description": 'A mapping, or words: "gpu=a100, spot".',
        "additionalProperties": {"type": "string"},
        "items": {"type": "string"},
    },
    "python": {
        "type": ["string", "null"],
        "description": "Path or name; empty or null: the worker's own.",
    },
    "environment": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "All variables of every run; those left out are removed.",
    },
    "secrets": {
        "type": ["object", "null"],
        "additionalProperties": {"type": ["string", "null"]},
        "description": "Secret variables, never shown again; those left out stay, null removes.",
    },
    "enabled": {"type": "boolean", "description": "Whether it takes new sweeps."},
    "draining": {"type": "boolean", "description": "Whether waiting runs wait."},
}
_CHANGES: Final = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": _SETTINGS,
}
_NEW: Final = {
    **_CHANGES,
    "required": ["name"],
    "properties": {"name": {"type": "string", "maxLength": 60}, **_SETTINGS},
}


@router.get("", auth=READ, response=ComputePage)
def list_compute(
    request: HttpRequest, label: Labels, cursor: Cursor = "", limit: LongLimit = 1000
) -> dict[str, Any]:
    """List the compute targets that you may use, by name."""
    page, more = cut(queries.compute_json(person_of(request), label), cursor, limit)
    return {"items": page, "next_cursor": more}


@router.post(
    "",
    auth=WRITE,
    response={201: ComputeChanged},
    openapi_extra={**json_body(_NEW), "x-errors": [409]},
)
@once()
def add_compute(request: HttpRequest) -> Status[Any]:
    """Add a compute target; administrators with a token of the scope admin."""
    _check_administrator(request)
    raw = read_mapping(request)
    name = raw.pop("name", None)
    target = services.add_target(name, read_changes(raw), user=person_of(request))
    return Status(201, _changed(request, target.name, []))


@router.get("/{name}", auth=READ, response=ComputeOut)
def show_compute(request: HttpRequest, name: str) -> dict[str, Any]:
    """Show one compute target."""
    return _find(request, name)


@router.patch(
    "/{name}",
    auth=WRITE,
    response=ComputeChanged,
    openapi_extra={**json_body(_CHANGES), "x-errors": [403]},
)
def change_compute(request: HttpRequest, name: str) -> dict[str, Any]:
    """Change settings; what is left out stays. Administrators with a token of the scope admin.

    Runs that start from now on have them; live ones keep what they have.
    """
    target = _changeable(request, name)
    raw = read_mapping(request)
    if not raw:
        raise ProblemsError([Problem("", f"Nothing is named; give one of {', '.join(FIELDS)}.")])
    changes = read_changes(raw)
    warnings = services.change_target(target, changes, user=person_of(request))
    return _changed(request, name, warnings)


@router.post("/{name}/test", auth=WRITE, response=ComputeOut, openapi_extra={"x-errors": [403]})
def test_compute(request: HttpRequest, name: str) -> dict[str, Any]:
    """Let every worker start the interpreter of its scripts; answers come within seconds.

    A worker has answered when its `is_asked` is false.
    """
    services.ask_workers(_changeable(request, name))
    return _find(request, name)


def _check_administrator(request: HttpRequest) -> None:
    if not caller_of(request).is_administrator:
        raise AuthorizationError(
            message="Compute targets are changed by administrators, with a token of scope admin."
        )


def _changeable(request: HttpRequest, name: str) -> ComputeTarget:
    _check_administrator(request)
    target = queries.compute_for(person_of(request)).filter(name=name).first()
    if target is None:
        raise Http404
    return target


def _find(request: HttpRequest, name: str) -> dict[str, Any]:
    for row in queries.compute_json(person_of(request)):
        if row["name"] == name:
            return row
    raise Http404


def _changed(request: HttpRequest, name: str, warnings: list[str]) -> dict[str, Any]:
    return {**_find(request, name), "warnings": warnings}
