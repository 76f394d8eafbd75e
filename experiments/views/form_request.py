"""What the views of the new-sweep form take from a request: who asks, and the posted fields."""

from __future__ import annotations

from typing import Final, cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from experiments import queries
from experiments.forms.sweep_fields import SweepFields, fields_from_post
from experiments.models import Workspace
from experiments.permissions import Action
from experiments.storable import is_storable

# What an address of the form may name as its beginning: runs, sweeps, a draft.
_OF_RUNS: Final = ("resume", "around")
_SOURCES: Final = (
    *_OF_RUNS,
    "draft",
    "from",
    "continue",
    "beyond",
    "without",
    "delayed",
    "within",
    "check",
)


def person_who_may_write(request: HttpRequest) -> User:
    """Return who asks, working for this request where the form or its address says.

    Raises:
        Http404: they name a workspace that is not this person's.
        PermissionDenied: their role does not let them start sweeps there.
    """
    user = cast(User, request.user)
    slug = request.POST.get("workspace") or request.GET.get("workspace") or ""
    workspace = _named(user, slug) if slug else _of_source(request, user)
    workspace = workspace or queries.current_workspace(user)
    if workspace is not None:
        queries.work_in(user, workspace)
    if not queries.may(user, workspace, Action.SUBMIT):
        where = f"“{workspace.name}”" if workspace else "a workspace"
        raise PermissionDenied(
            f"Starting sweeps needs the role Contributor in {where}. If you have it in another "
            "workspace, choose that one at the top."
        )
    return user


def _named(user: User, slug: str) -> Workspace:
    rows = queries.workspaces_for(user).filter(slug=slug) if is_storable(slug) else ()
    found = next(iter(rows), None)
    if found is None:
        raise Http404("There is no such workspace.")
    return found


def _of_source(request: HttpRequest, user: User) -> Workspace | None:
    """Return where the sweep or draft is that a new form begins with, if one may submit there."""
    if request.method == "POST":
        return None
    name = next((name for name in _SOURCES if request.GET.get(name)), None)
    public_id = request.GET.get(name, "") if name else ""
    if not name or not is_storable(public_id):
        return None
    rows = queries.workspaces_where(user, Action.SUBMIT)
    if name == "draft":
        return rows.filter(drafts__public_id=public_id, drafts__owner=user.pk).first()
    if name in _OF_RUNS:
        public_id = public_id.rpartition("_")[0]
    return rows.filter(experiments__sweeps__public_id=public_id).first()


def posted_texts(request: HttpRequest) -> dict[str, str]:
    """Return every posted text by the name of its field."""
    return {key: str(value) for key, value in request.POST.items() if key != "csrfmiddlewaretoken"}


def posted_fields(request: HttpRequest) -> SweepFields:
    """Return the posted fields of the form."""
    return fields_from_post(posted_texts(request))


def is_script(request: HttpRequest) -> bool:
    """Tell whether JSON is awaited rather than a page."""
    return request.accepts("application/json") and not request.accepts("text/html")
