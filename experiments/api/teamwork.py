"""REST: notes on sweeps and runs, tags and stars of sweeps, and the links that share them.

Operations of the routers of api.sweeps and api.runs: one address may have methods here and there.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Path, Status

from experiments import clock
from experiments.api.auth import READ, WRITE, check_may, person_of, run_of, sweep_of
from experiments.api.errors import MEDIA_TYPE, problem_response
from experiments.api.once import once
from experiments.api.outputs import runs, sweeps
from experiments.api.paging import Cursor, Limit, LongLimit, cut, decode_cursor, encode_cursor
from experiments.api.teamwork_schemas import (
    NotesIn,
    NotesOut,
    NoteVersions,
    ShareLinkIn,
    ShareLinkOut,
    ShareLinks,
    StarOut,
    SweepTags,
    SweepTagsIn,
)
from experiments.models import NoteVersion, Run, ShareLink, Sweep
from experiments.permissions import Action
from experiments.problems import Problem, ProblemsError
from experiments.queries.notes import note_history, note_json, notes_of
from experiments.queries.shared import link_state, share_links_for
from experiments.queries.sweep_list import starred_ids
from experiments.services.notes import StaleNotes, write_notes
from experiments.services.share_links import create_share_link, revoke_share_link
from experiments.services.stars import set_star
from experiments.services.sweep_tags import change_sweep_tags

__all__ = ["runs", "sweeps"]

_CONFLICT: Final = {"x-errors": [409]}
LinkId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_ETAG: Final = re.compile(r'(?:W/)?"?(\d{1,9})"?')


@sweeps.get("/{sweep_id}/notes", auth=READ, response=NotesOut)
def get_notes(request: HttpRequest, response: HttpResponse, sweep_id: str) -> dict[str, Any]:
    """Read the notes on a sweep; the ETag is their version."""
    return _read(response, sweep_of(request, sweep_id))


@sweeps.put("/{sweep_id}/notes", auth=WRITE, response=NotesOut, openapi_extra=_CONFLICT)
def put_notes(request: HttpRequest, response: HttpResponse, sweep_id: str, body: NotesIn) -> Any:
    """Write the next version of the notes on a sweep.

    Send the version that was edited, 0 for the first. When somebody changed the notes since, the
    answer is 409 with both texts as `current` and `yours`, and nothing is stored.
    """
    return _write(request, response, _writable(request, sweep_id), body)


@sweeps.get("/{sweep_id}/notes/versions", auth=READ, response=NoteVersions)
def list_note_versions(
    request: HttpRequest, sweep_id: str, cursor: Cursor = "", limit: Limit = 50
) -> dict[str, Any]:
    """List the versions of the notes on a sweep, newest first."""
    return _versions(sweep_of(request, sweep_id), cursor, limit)


@runs.get("/{run_id}/notes", auth=READ, response=NotesOut)
def get_run_notes(request: HttpRequest, response: HttpResponse, run_id: str) -> dict[str, Any]:
    """Read the notes on a run; the ETag is their version."""
    return _read(response, run_of(request, run_id))


@runs.put("/{run_id}/notes", auth=WRITE, response=NotesOut, openapi_extra=_CONFLICT)
def put_run_notes(request: HttpRequest, response: HttpResponse, run_id: str, body: NotesIn) -> Any:
    """Write the next version of the notes on a run, as those on a sweep."""
    run = run_of(request, run_id)
    check_may(request, run.sweep.experiment.workspace, Action.CHANGE_ANY_SWEEP)
    return _write(request, response, run, body)


@runs.get("/{run_id}/notes/versions", auth=READ, response=NoteVersions)
def list_run_note_versions(
    request: HttpRequest, run_id: str, cursor: Cursor = "", limit: Limit = 50
) -> dict[str, Any]:
    """List the versions of the notes on a run, newest first."""
    return _versions(run_of(request, run_id), cursor, limit)


@sweeps.get("/{sweep_id}/tags", auth=READ, response=SweepTags)
def get_sweep_tags(request: HttpRequest, sweep_id: str) -> dict[str, Any]:
    """Read the tags of a sweep."""
    return {"tags": sweep_of(request, sweep_id).tags}


@sweeps.patch("/{sweep_id}/tags", auth=WRITE, response=SweepTags)
def change_tags_of_sweep(request: HttpRequest, sweep_id: str, body: SweepTagsIn) -> dict[str, Any]:
    """Add, change and remove tags of a sweep, also after its end."""
    sweep = _writable(request, sweep_id)
    fresh = change_sweep_tags(
        sweep, added=body.tags, removed=body.remove_tags, user=person_of(request)
    )
    return {"tags": fresh.tags}


@sweeps.get("/{sweep_id}/star", auth=READ, response=StarOut)
def get_star(request: HttpRequest, sweep_id: str) -> dict[str, bool]:
    """Tell whether you starred a sweep."""
    sweep = sweep_of(request, sweep_id)
    return {"starred": bool(starred_ids(person_of(request), [sweep.public_id]))}


@sweeps.put("/{sweep_id}/star", auth=WRITE, response=StarOut)
def star_sweep(request: HttpRequest, sweep_id: str) -> dict[str, bool]:
    """Star a sweep: a mark of your own, whatever your role."""
    set_star(sweep_of(request, sweep_id), user=person_of(request), is_on=True)
    return {"starred": True}


@sweeps.delete("/{sweep_id}/star", auth=WRITE, response=StarOut)
def unstar_sweep(request: HttpRequest, sweep_id: str) -> dict[str, bool]:
    """Take your star away."""
    set_star(sweep_of(request, sweep_id), user=person_of(request), is_on=False)
    return {"starred": False}


@sweeps.get("/{sweep_id}/share-links", auth=WRITE, response=ShareLinks)
def list_share_links(
    request: HttpRequest, sweep_id: str, cursor: Cursor = "", limit: LongLimit = 200
) -> dict[str, Any]:
    """List the links that share a sweep with people without an account, newest first."""
    sweep = _writable(request, sweep_id, Action.SHARE)
    page, more = cut(share_links_for(person_of(request), sweep), cursor, limit)
    return {"items": [_link_json(request, link) for link in page], "next_cursor": more}


@sweeps.post(
    "/{sweep_id}/share-links",
    auth=WRITE,
    response={201: ShareLinkOut},
    openapi_extra=_CONFLICT,
)
@once()
def make_share_link(request: HttpRequest, sweep_id: str, body: ShareLinkIn) -> Status[Any]:
    """Make a link that shows a sweep, read-only and nothing else, to whoever has it."""
    sweep = _writable(request, sweep_id, Action.SHARE)
    link = create_share_link(sweep, user=person_of(request), **body.dict())
    return Status(201, _link_json(request, link))


@sweeps.delete("/{sweep_id}/share-links/{link_id}", auth=WRITE, response={204: None})
def revoke_link(request: HttpRequest, sweep_id: str, link_id: LinkId) -> Status[None]:
    """Revoke a link: its address shows nothing any more. Revoking twice changes nothing."""
    sweep = _writable(request, sweep_id, Action.SHARE)
    link = share_links_for(person_of(request), sweep).get(pk=link_id)
    revoke_share_link(link, user=person_of(request))
    return Status(204, None)


def _writable(
    request: HttpRequest, sweep_id: str, action: Action = Action.CHANGE_ANY_SWEEP
) -> Sweep:
    sweep = sweep_of(request, sweep_id)
    check_may(request, sweep.experiment.workspace, action)
    return sweep


def _read(response: HttpResponse, subject: Sweep | Run) -> dict[str, Any]:
    found = note_json(notes_of(subject))
    response["ETag"] = f'"{found["version"]}"'
    return found


def _write(
    request: HttpRequest, response: HttpResponse, subject: Sweep | Run, body: NotesIn
) -> HttpResponse | dict[str, Any]:
    base = _base_of(request, body.version)
    try:
        note = write_notes(subject, body.text, base=base, user=person_of(request))
    except StaleNotes as stale:
        return _both_texts(stale, body.text)
    response["ETag"] = f'"{note.number}"'
    return note_json(note)


def _versions(subject: Sweep | Run, cursor: str, limit: int) -> dict[str, Any]:
    found = note_history(subject, before=decode_cursor(cursor), limit=limit + 1)
    page = found[:limit]
    return {
        "items": [_version_json(note) for note in page],
        "next_cursor": encode_cursor(page[-1].number) if len(found) > limit else None,
    }


def _base_of(request: HttpRequest, version: int | None) -> int:
    """Return the version that was edited, from the body or the header."""
    header = request.headers.get("If-Match")
    if version is not None:
        return version
    match = _ETAG.fullmatch(header.strip()) if header else None
    if match is None:
        text = "Send the version that was edited, as version or as If-Match; 0 for the first."
        raise ProblemsError([Problem("version", text)])
    return int(match[1])


def _both_texts(stale: StaleNotes, yours: str) -> HttpResponse:
    answer = problem_response(409, str(stale))
    document = {**json.loads(answer.content), "current": note_json(stale.current), "yours": yours}
    changed = document["current"]["changed"]
    document["current"]["changed"] = changed.isoformat() if changed else None
    return HttpResponse(json.dumps(document), status=409, content_type=MEDIA_TYPE)


def _version_json(note: NoteVersion) -> dict[str, Any]:
    return {
        "version": note.number,
        "text": note.text,
        "author": note.author_name,
        "changed": note.created_at,
    }


def _link_json(request: HttpRequest, link: ShareLink) -> dict[str, Any]:
    state = link_state(link, clock.now())
    return {
        "id": link.pk,
        "url": request.build_absolute_uri(link.get_absolute_url()) if state == "live" else None,
        "name": link.name,
        "state": state,
        "with_reasons": link.with_reasons,
        "with_files": link.with_files,
        "created_by": link.created_by.get_username(),
        "created": link.created_at,
        "expires": link.expires_at,
        "used": link.used_at,
        "revoked": link.revoked_at,
        "revoked_by": link.revoked_by.get_username() if link.revoked_by else None,
    }
