"""REST: the trash, deleting for good, and what was removed."""

from __future__ import annotations

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Path, Query, Router, Status

from experiments import queries
from experiments.api.auth import READ, WRITE, check_may, person_of, sweep_of
from experiments.api.paging import Cursor, Limit, decode_cursor, encode_cursor, newest
from experiments.api.schemas import SweepOut
from experiments.api.sweep_export import router as sweeps
from experiments.api.trash_schemas import (
    EmptiedTrash,
    RemovalOut,
    RemovalPage,
    TrashedSweep,
    TrashPage,
)
from experiments.models import Removal, Sweep, Workspace
from experiments.permissions import Action
from experiments.queries.trash import (
    removal_json,
    removals_for,
    trash_json,
    trash_page,
    trash_rows,
)
from experiments.services.purge import delete_for_good, empty_trash
from experiments.services.removals import carry_on
from experiments.services.trash import restore_sweep, trash_sweep

__all__ = ["removals", "sweeps", "trash"]

trash = Router(tags=["Trash"])
removals = Router(tags=["Trash"])

_CONFLICT: Final = {"x-errors": [409]}
_SECONDS: Final = 1.0
InWorkspace = Annotated[
    str, Query(max_length=60, description="Short name of a workspace; empty: all of yours.")
]


@sweeps.delete("/{sweep_id}", auth=WRITE, response=TrashedSweep, openapi_extra=_CONFLICT)
def move_to_trash(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Move an ended sweep to the trash; a live one must be canceled first.

    Every other address of it answers 404 from then on. `POST /trash/{id}/restore` brings it back.
    """
    sweep = sweep_of(request, sweep_id)
    check_may(request, sweep.experiment.workspace, Action.TRASH)
    trash_sweep(sweep, user=person_of(request))
    return _entry(_find(request, sweep_id))


@trash.get("", auth=READ, response=TrashPage, openapi_extra={"x-errors": [404]})
def list_trash(
    request: HttpRequest, workspace: InWorkspace = "", cursor: Cursor = "", limit: Limit = 50
) -> dict[str, Any]:
    """List the trash of your workspaces, newest sweep first."""
    page = trash_page(
        person_of(request),
        workspace=_workspace(request, workspace),
        before=decode_cursor(cursor),
        limit=limit,
    )
    more = page.items[-1].sweep.pk if page.next_cursor else None
    return {
        "items": [trash_json(row) for row in page.items],
        "next_cursor": None if more is None else encode_cursor(more),
    }


@trash.get("/{sweep_id}", auth=READ, response=TrashedSweep)
def get_trashed_sweep(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Read one sweep in the trash."""
    return _entry(_find(request, sweep_id))


@trash.post("/{sweep_id}/restore", auth=WRITE, response=SweepOut, openapi_extra=_CONFLICT)
def restore_from_trash(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Bring a sweep back from the trash, as it was."""
    sweep = _writable(request, sweep_id, Action.TRASH)
    restore_sweep(sweep, user=person_of(request))
    document = queries.sweep_json(sweep_of(request, sweep_id))
    return {**document, "url": request.build_absolute_uri(document["url"])}


@trash.delete(
    "/{sweep_id}",
    auth=WRITE,
    response={200: RemovalOut, 202: RemovalOut},
    openapi_extra=_CONFLICT,
)
def delete_from_trash(request: HttpRequest, sweep_id: str) -> Status[Any]:
    """Delete a sweep in the trash for good: runs, reports, log lines, files.

    202: it is large and goes on by itself; `GET /removals/{id}` tells how far it is.
    """
    sweep = _writable(request, sweep_id, Action.DELETE_FOR_GOOD)
    return removed(delete_for_good(sweep, user=person_of(request)))


@trash.delete("", auth=WRITE, response={202: EmptiedTrash}, openapi_extra={"x-errors": [404, 409]})
def delete_all_trash(
    request: HttpRequest,
    workspace: Annotated[
        str, Query(min_length=1, max_length=60, description="Short name of a workspace.")
    ],
) -> Status[Any]:
    """Delete everything in the trash of a workspace for good."""
    chosen = _workspace(request, workspace)
    assert chosen is not None  # noqa: S101 - the parameter is required
    check_may(request, chosen, Action.DELETE_FOR_GOOD)
    user = person_of(request)
    sweeps = queries.trashed_for(user).filter(experiment__workspace=chosen).order_by("pk")
    begun, refused = empty_trash(sweeps, user=user)
    found = [carry_on(removal, seconds=_SECONDS / len(begun)) for removal in begun]
    return Status(202, {"items": [removal_json(one) for one in found], "refused": refused})


@removals.get("", auth=READ, response=RemovalPage)
def list_removals(request: HttpRequest, cursor: Cursor = "", limit: Limit = 50) -> dict[str, Any]:
    """List what was and is being removed for good in your workspaces, newest first."""
    page, more = newest(removals_for(person_of(request)), cursor, limit)
    return {"items": [removal_json(removal) for removal in page], "next_cursor": more}


@removals.get("/{removal_id}", auth=READ, response=RemovalOut)
def get_removal(
    request: HttpRequest, removal_id: Annotated[int, Path(ge=1, le=2**63 - 1)]
) -> dict[str, Any]:
    """Read how far a removal is, or what it freed."""
    return removal_json(removals_for(person_of(request)).get(pk=removal_id))


def removed(removal: Removal) -> Status[Any]:
    """Work on a removal for a moment and answer with it: 200 done, 202 it goes on."""
    found = carry_on(removal, seconds=_SECONDS)
    return Status(202 if found.finished_at is None else 200, removal_json(found))


def _find(request: HttpRequest, sweep_id: str) -> Sweep:
    return queries.trashed_for(person_of(request)).get(public_id=sweep_id)


def _writable(request: HttpRequest, sweep_id: str, action: Action) -> Sweep:
    sweep = _find(request, sweep_id)
    check_may(request, sweep.experiment.workspace, action)
    return sweep


def _workspace(request: HttpRequest, slug: str) -> Workspace | None:
    return queries.workspaces_for(person_of(request)).get(slug=slug) if slug else None


def _entry(sweep: Sweep) -> dict[str, Any]:
    return trash_json(trash_rows([sweep])[0])
