"""Forms of workspaces, members and invitations, as the REST API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict, StringConstraints

from experiments.api.schemas import check_storable
from experiments.services.invitations import MAX_DAYS, MAX_USES
from experiments.services.workspaces import MAX_NAME, MAX_SLUG

RoleName = Literal["Reader", "Contributor", "Owner"]
_Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_NAME),
    AfterValidator(check_storable),
]


class WorkspaceIn(Schema):
    """A new workspace."""

    model_config = ConfigDict(extra="forbid")

    name: _Name
    slug: Annotated[str, StringConstraints(max_length=MAX_SLUG, pattern=r"^[a-z0-9_-]*$")] = Field(
        "", description="Short name, for addresses; empty: made of the name. It never changes."
    )


class WorkspaceChanges(Schema):
    """What is to be changed; the rest stays."""

    model_config = ConfigDict(extra="forbid")

    name: _Name | None = None
    current: Literal[True] | None = Field(
        None, description="true: new sweeps of yours go here from now on."
    )


class WorkspaceOut(Schema):
    """A workspace, as the caller sees it."""

    slug: str = Field(description="Short name, unique in the studio.")
    name: str
    role: RoleName | None = Field(description="Yours; null: you see it as an administrator.")
    current: bool = Field(description="Whether new sweeps of yours go here.")
    personal: bool = Field(description="Whether it was made for you at your first sign-in.")
    members: int
    sweeps: int
    created: datetime


class WorkspacePage(Schema):
    """A page of workspaces."""

    items: list[WorkspaceOut]
    next_cursor: str | None


class MemberIn(Schema):
    """Somebody with an account who is to be a member."""

    model_config = ConfigDict(extra="forbid")

    user: Annotated[
        str, StringConstraints(min_length=1, max_length=254), AfterValidator(check_storable)
    ] = Field(description="User name or e-mail address.")
    role: RoleName = "Contributor"


class MemberChanges(Schema):
    """Another role."""

    model_config = ConfigDict(extra="forbid")

    role: RoleName


class MemberOut(Schema):
    """A member of a workspace."""

    user: str
    name: str
    email: str = Field(description="Empty for members who do not manage the others.")
    role: RoleName
    active: bool = Field(description="Whether the account works.")
    joined: datetime
    seen: datetime | None


class MemberPage(Schema):
    """A page of members, Owners first."""

    items: list[MemberOut]
    next_cursor: str | None


class InvitationIn(Schema):
    """A new invitation."""

    model_config = ConfigDict(extra="forbid")

    role: RoleName = "Contributor"
    email: Annotated[str, StringConstraints(max_length=254), AfterValidator(check_storable)] = (
        Field("", description="Then only an account with this address may use it.")
    )
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 7
    max_uses: Annotated[int, Field(ge=1, le=MAX_USES)] = Field(
        1, description="How many people it lets in; 1 with an address, or for Owners."
    )


class InvitationOut(Schema):
    """An invitation, without its link."""

    id: int
    role: RoleName
    email: str
    state: Literal["live", "used", "revoked", "expired"]
    uses: int
    max_uses: int
    created: datetime
    created_by: str | None
    expires: datetime
    mailed: datetime | None = Field(description="When its link was sent to the address.")


class InvitationMade(InvitationOut):
    """An invitation that was just made."""

    url: str = Field(description="The link; shown this once.")


class InvitationPage(Schema):
    """A page of invitations, newest first."""

    items: list[InvitationOut]
    next_cursor: str | None
