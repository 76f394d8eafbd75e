"""REST: what holds for the whole studio, and its audit log for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from ninja.errors import AuthorizationError
from pydantic import AwareDatetime, BeforeValidator

from experiments.api.auth import READ, caller_of
from experiments.api.paging import Cursor, Limit, newest
from experiments.queries.audit import AuditFilter, audit_entries, entry_json
from experiments.queries.site_settings import Site, days_in_trash, site
from studio.version import VERSION

router = Router(tags=["Site"])
audit = Router(tags=["Site"])

_REFUSED: Final = {"x-errors": [403]}


class SiteOut(Schema):
    """What an administrator decided for everybody."""

    name: str
    version: str
    banner: str
    maintenance: Literal["on", "planned", "off"]
    maintenance_message: str
    maintenance_from: datetime | None = Field(description="When planned maintenance begins.")
    maintenance_until: datetime | None = Field(description="Expected end; nothing ends by itself.")
    defaults: dict[str, int] = Field(
        description="What holds where a specification is silent, by its field."
    )
    limits: dict[str, int] = Field(description="The most that is allowed, by its field.")
    trash_days: int = Field(description="0: only people delete what is in the trash.")


class AuditEntryOut(Schema):
    """Who did what, when, from where."""

    id: int
    at: datetime
    act: str = Field(description="A dotted name such as token.revoked.")
    by: str | None = Field(description="User name; null: the studio, or nobody signed in.")
    by_id: int | None
    workspace: str | None
    about: str = Field(description="What it was done to, as it was called then.")
    about_id: str
    details: dict[str, Any]
    address: str
    request_id: str


class AuditPage(Schema):
    """A page of the audit log, newest first."""

    items: list[AuditEntryOut]
    next_cursor: str | None


def _as_text(given: object) -> object:
    """Refuse seconds since 1970, which would be taken as well: nobody means them."""
    if isinstance(given, str) and given.replace(".", "").lstrip("+-").isdigit():
        raise ValueError("use a date and time with its zone, as in 2026-11-21T08:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_as_text)]


class _Asked(Schema):
    act: Annotated[
        str, Query(max_length=120, description="A dotted name such as token.revoked.")
    ] = ""
    by: Annotated[str, Query(max_length=150, description="User name.")] = ""
    workspace: Annotated[str, Query(max_length=60, description="Short name.")] = ""
    q: Annotated[str, Query(max_length=120, description="Part of a name or an id.")] = ""
    since: Annotated[
        Moment | None, Query(description="Entries from then on, with a time zone.")
    ] = None
    until: Annotated[Moment | None, Query(description="Entries before, with a time zone.")] = None


@router.get("", auth=READ, response=SiteOut)
def get_site(request: HttpRequest) -> dict[str, Any]:
    """Read name, maintenance, and defaults and limits of new sweeps."""
    now = site()
    return {
        "name": now.name,
        "version": VERSION,
        "banner": now.banner,
        "maintenance": _state(now),
        "maintenance_message": now.maintenance_message,
        "maintenance_from": now.maintenance_from if now.is_planned else None,
        "maintenance_until": now.maintenance_until,
        "defaults": dict(now.spec_limits.assumed),
        "limits": dict(now.spec_limits.most),
        "trash_days": days_in_trash(),
    }


@audit.get("", auth=READ, response=AuditPage, openapi_extra=_REFUSED)
def list_audit(
    request: HttpRequest, asked: Query[_Asked], cursor: Cursor = "", limit: Limit = 100
) -> dict[str, Any]:
    """List who did what, newest first; administrators with a token of the scope admin."""
    if not caller_of(request).is_administrator:
        raise AuthorizationError(
            message="The audit log is read by administrators, with a token of scope admin."
        )
    wanted = AuditFilter(
        asked.act, asked.by, asked.workspace, asked.q, since=asked.since, until=asked.until
    )
    page, more = newest(audit_entries(wanted), cursor, limit)
    return {"items": [entry_json(entry) for entry in page], "next_cursor": more}


def _state(now: Site) -> str:
    if now.maintenance:
        return "on"
    return "planned" if now.is_planned else "off"
