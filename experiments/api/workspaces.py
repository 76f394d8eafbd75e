"""REST: workspaces, their members and invitations."""

from __future__ import annotations

from typing import Annotated, Any, Final

from django.http import HttpRequest
from django.urls import reverse
from ninja import Path, Query, Router, Status

from experiments import queries
from experiments.api.auth import ADMIN, READ, WRITE, check_may, person_of
from experiments.api.once import once
from experiments.api.paging import Cursor, Limit, cut
from experiments.api.workspace_schemas import (
    InvitationIn,
    InvitationMade,
    InvitationPage,
    MemberChanges,
    MemberIn,
    MemberOut,
    MemberPage,
    WorkspaceChanges,
    WorkspaceIn,
    WorkspaceOut,
    WorkspacePage,
)
from experiments.models import Invitation, Membership, Workspace
from experiments.permissions import Action, Role
from experiments.queries.workspaces import (
    invitation_json,
    invitations_of,
    listed_workspaces,
    member_json,
    members_of,
    workspace_json,
)
from experiments.services.invitation_mail import mail_invitation
from experiments.services.invitations import (
    InvitationTerms,
    create_invitation,
    revoke_invitation,
)
from experiments.services.members import (
    add_member,
    change_role,
    find_person,
    leave_workspace,
    remove_member,
)
from experiments.services.workspaces import (
    choose_workspace,
    create_workspace,
    delete_workspace,
    rename_workspace,
)

router = Router(tags=["Workspaces"])

_CONFLICT: Final = {"x-errors": [409]}
Slug = Annotated[str, Path(max_length=60, description="Short name of a workspace.")]
UserName = Annotated[str, Path(max_length=150, description="User name of a member.")]
InvitationId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("", auth=READ, response=WorkspacePage)
def list_workspaces(
    request: HttpRequest,
    text: Annotated[str, Query(max_length=200, description="Words in the name.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """List your workspaces by name; an administrator sees all, own ones first."""
    page, more = cut(listed_workspaces(person_of(request), text=text), cursor, limit)
    return {"items": [workspace_json(row) for row in page], "next_cursor": more}


@router.post("", auth=WRITE, response={201: WorkspaceOut}, openapi_extra=_CONFLICT)
@once()
def make_workspace(request: HttpRequest, body: WorkspaceIn) -> Status[Any]:
    """Make a workspace. You are its Owner; new sweeps go where they went before."""
    made = create_workspace(body.name, user=person_of(request), slug=body.slug)
    return Status(201, _read(request, made.slug))


@router.get("/{slug}", auth=READ, response=WorkspaceOut)
def get_workspace(request: HttpRequest, slug: Slug) -> dict[str, Any]:
    """Read a workspace."""
    return _read(request, slug)


@router.patch("/{slug}", auth=WRITE, response=WorkspaceOut)
def change_workspace(request: HttpRequest, slug: Slug, body: WorkspaceChanges) -> dict[str, Any]:
    """Rename a workspace, as its Owner, or let your new sweeps go there."""
    workspace, user = _find(request, slug), person_of(request)
    if body.name is not None:
        check_may(request, workspace, Action.MANAGE_WORKSPACE)
        rename_workspace(workspace, body.name, user=user)
    if body.current:
        choose_workspace(user, workspace)
    return _read(request, slug)


@router.delete("/{slug}", auth=ADMIN, response={204: None}, openapi_extra=_CONFLICT)
def remove_workspace(request: HttpRequest, slug: Slug) -> Status[None]:
    """Delete a workspace that holds no sweeps, models and compute targets any more."""
    workspace = _find(request, slug)
    check_may(request, workspace, Action.MANAGE_WORKSPACE)
    delete_workspace(workspace, user=person_of(request))
    return Status(204, None)


@router.post("/{slug}/leave", auth=WRITE, response={204: None}, openapi_extra=_CONFLICT)
def leave(request: HttpRequest, slug: Slug) -> Status[None]:
    """Leave a workspace; what you made there stays. Its only Owner cannot."""
    leave_workspace(_find(request, slug), user=person_of(request))
    return Status(204, None)


@router.get("/{slug}/members", auth=READ, response=MemberPage)
def list_members(
    request: HttpRequest,
    slug: Slug,
    text: Annotated[str, Query(max_length=200, description="Words in names, addresses.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """List the members of a workspace of yours, Owners first; addresses only to its Owners."""
    workspace = _find(request, slug)
    is_managed = queries.may(person_of(request), workspace, Action.MANAGE_MEMBERS)
    page, more = cut(members_of(workspace, text=text, by_address=is_managed), cursor, limit)
    items = [member_json(row) for row in page]
    if not is_managed:
        items = [{**item, "email": ""} for item in items]
    return {"items": items, "next_cursor": more}


@router.post("/{slug}/members", auth=ADMIN, response={201: MemberOut}, openapi_extra=_CONFLICT)
@once()
def add_to_members(request: HttpRequest, slug: Slug, body: MemberIn) -> Status[Any]:
    """Make somebody with an account a member, by user name or e-mail address."""
    workspace = _managed(request, slug)
    person = find_person(body.user)
    add_member(workspace, person, Role(body.role), by=person_of(request))
    return Status(201, _member_json(workspace, person.get_username()))


@router.patch(
    "/{slug}/members/{user_name}", auth=ADMIN, response=MemberOut, openapi_extra=_CONFLICT
)
def change_member(
    request: HttpRequest, slug: Slug, user_name: UserName, body: MemberChanges
) -> dict[str, Any]:
    """Give a member another role. A workspace keeps at least one Owner."""
    workspace = _managed(request, slug)
    change_role(_member(workspace, user_name), Role(body.role), by=person_of(request))
    return _member_json(workspace, user_name)


@router.delete(
    "/{slug}/members/{user_name}", auth=ADMIN, response={204: None}, openapi_extra=_CONFLICT
)
def remove_from_members(request: HttpRequest, slug: Slug, user_name: UserName) -> Status[None]:
    """Take somebody out of a workspace; their tokens and open sockets find nothing any more."""
    workspace = _managed(request, slug)
    remove_member(_member(workspace, user_name), by=person_of(request))
    return Status(204, None)


@router.get("/{slug}/invitations", auth=READ, response=InvitationPage)
def list_invitations(
    request: HttpRequest, slug: Slug, cursor: Cursor = "", limit: Limit = 50
) -> dict[str, Any]:
    """List the invitations to a workspace that you own, newest first, without their links."""
    page, more = cut(invitations_of(_managed(request, slug)), cursor, limit)
    return {"items": [invitation_json(row) for row in page], "next_cursor": more}


@router.post(
    "/{slug}/invitations", auth=ADMIN, response={201: InvitationMade}, openapi_extra=_CONFLICT
)
def make_invitation(request: HttpRequest, slug: Slug, body: InvitationIn) -> Status[Any]:
    """Make an invitation. Its link is in this answer and the e-mail to its address alone."""
    workspace = _managed(request, slug)
    terms = InvitationTerms(
        role=body.role, email=body.email, days=body.days, max_uses=body.max_uses
    )
    made, plain = create_invitation(workspace, terms, user=person_of(request))
    url = request.build_absolute_uri(reverse("invitation", args=[plain]))
    mail_invitation(made, url)
    return Status(201, {**invitation_json(made), "url": url})


@router.delete("/{slug}/invitations/{invitation_id}", auth=ADMIN, response={204: None})
def withdraw_invitation(
    request: HttpRequest, slug: Slug, invitation_id: InvitationId
) -> Status[None]:
    """Revoke an invitation: its link lets nobody in. Revoking twice changes nothing."""
    rows: Any = invitations_of(_managed(request, slug))
    found: Invitation = rows.get(pk=invitation_id)
    revoke_invitation(found, user=person_of(request))
    return Status(204, None)


def _find(request: HttpRequest, slug: str) -> Workspace:
    return queries.workspaces_for(person_of(request)).get(slug=slug)


def _managed(request: HttpRequest, slug: str) -> Workspace:
    workspace = _find(request, slug)
    check_may(request, workspace, Action.MANAGE_MEMBERS)
    return workspace


def _read(request: HttpRequest, slug: str) -> dict[str, Any]:
    return workspace_json(listed_workspaces(person_of(request)).get(slug=slug))


def _member(workspace: Workspace, user_name: str) -> Membership:
    return members_of(workspace).get(user__username=user_name)


def _member_json(workspace: Workspace, user_name: str) -> dict[str, Any]:
    return member_json(_member(workspace, user_name))
