"""REST: the quota of a workspace: what it may use, what it uses; set by administrators.

Operations of the router of api.workspaces.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from django.http import HttpRequest
from ninja import Field, Schema
from ninja.errors import AuthorizationError
from pydantic import ConfigDict

from experiments import clock, queries
from experiments.api.auth import ADMIN, READ, caller_of, person_of
from experiments.api.workspaces import Slug, router
from experiments.models import Workspace
from experiments.models.quota import DEFAULT_PRIORITY, MOST_PRIORITY
from experiments.queries.quotas import quota_json, quota_use
from experiments.services.quotas import change_quota

__all__ = ["router"]

_MOST: Final = 2**31 - 1
_MOST_BYTES: Final = 2**63 - 1
_Count = Annotated[int, Field(ge=0, le=_MOST, strict=True)]


class QuotaIn(Schema):
    """All limits of a workspace; null, or left out, is no limit."""

    model_config = ConfigDict(extra="forbid")

    max_running_runs: _Count | None = Field(None, description="At once, on all targets; 0: none.")
    max_runs_per_day: _Count | None = Field(None, description="Starts from 00:00 to 24:00 UTC.")
    max_storage_bytes: Annotated[int, Field(ge=0, le=_MOST_BYTES, strict=True)] | None = Field(
        None, description="Files of runs, snapshots and models; beyond it no new runs start."
    )
    priority: Annotated[int, Field(ge=1, le=MOST_PRIORITY, strict=True)] = Field(
        DEFAULT_PRIORITY, description="Its share of a busy target's slots: 20 is twice 10."
    )


class LimitOut(Schema):
    """One limit and what is used of it now."""

    used: int
    limit: int | None = Field(description="null: none.")


class QuotaOut(Schema):
    """What a workspace may use, and what it uses."""

    workspace: str
    priority: int
    max_running_runs: LimitOut
    max_runs_per_day: LimitOut
    max_storage_bytes: LimitOut


@router.get("/{slug}/quota", auth=READ, response=QuotaOut)
def get_quota(request: HttpRequest, slug: Slug) -> dict[str, Any]:
    """Read what a workspace of yours may use, and what it uses now."""
    return _read(queries.workspaces_for(person_of(request)).get(slug=slug))


@router.put("/{slug}/quota", auth=ADMIN, response=QuotaOut)
def set_quota(request: HttpRequest, slug: Slug, body: QuotaIn) -> dict[str, Any]:
    """Set all limits of a workspace; administrators only.

    Runs that wait start at once where they may now; running runs go on.
    """
    workspace = queries.workspaces_for(person_of(request)).get(slug=slug)
    if not caller_of(request).is_administrator:
        raise AuthorizationError(
            message="Quotas are set by administrators, with a token of scope admin."
        )
    change_quota(workspace, body.model_dump(), by=person_of(request))
    return _read(workspace)


def _read(workspace: Workspace) -> dict[str, Any]:
    return quota_json(quota_use(workspace, clock.now()))
