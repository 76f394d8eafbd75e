"""Admin of invitations to workspaces and of where people work."""

from __future__ import annotations

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from experiments.admin_base import OwnedByStudioAdmin, RowsInline
from experiments.models import Invitation, InvitationUse, WorkspaceSeat
from experiments.queries.workspaces import invitation_state
from experiments.services.invitations import revoke_invitation


class InvitationUseInline(RowsInline[InvitationUse, Invitation]):
    """Who came in by an invitation."""

    model = InvitationUse
    fields = ("user", "used_at")
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False


@admin.register(Invitation)
class InvitationAdmin(OwnedByStudioAdmin[Invitation]):
    """Links into workspaces, newest first; their secret part is nowhere. Revoking is at once."""

    list_display = [
        "workspace",
        "role",
        "email",
        "state",
        "uses",
        "max_uses",
        "created_by",
        "created_at",
        "expires_at",
    ]
    list_filter = ["role", "created_at", "expires_at"]
    list_select_related = ["workspace", "created_by"]
    search_fields = ["workspace__name", "workspace__slug", "email", "created_by__username"]
    date_hierarchy = "created_at"
    inlines = [InvitationUseInline]
    actions = ["revoke"]
    show = (
        "workspace",
        "role",
        "email",
        "state",
        "uses",
        "max_uses",
        "created_by",
        "created_at",
        "expires_at",
        "mailed_at",
        "revoked_by",
        "revoked_at",
    )

    @admin.display(description="state")
    def state(self, row: Invitation) -> str:
        return invitation_state(row, timezone.now())

    @admin.action(description="Revoke selected invitations", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Invitation]) -> None:
        person = cast(User, request.user)
        rows = chosen.select_related("workspace")
        count = sum(revoke_invitation(row, user=person) for row in rows)
        text = f"Revoked {count} invitation{'' if count == 1 else 's'}."
        self.message_user(request, text, messages.SUCCESS)


@admin.register(WorkspaceSeat)
class WorkspaceSeatAdmin(OwnedByStudioAdmin[WorkspaceSeat]):
    """Where people work: the workspace they chose, and the one that was made for them."""

    list_display = ["user", "current", "personal", "settled_at"]
    list_select_related = ["user", "current", "personal"]
    search_fields = ["user__username", "current__name", "personal__name"]
    show = ("user", "current", "personal", "settled_at")
