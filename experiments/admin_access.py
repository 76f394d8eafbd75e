"""Admin of access: workspaces, API tokens, sign-in links."""

from __future__ import annotations

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from experiments.admin_asking import asking
from experiments.admin_base import (
    OwnedByStudioAdmin,
    RowAdmin,
    list_link,
)
from experiments.admin_members import MembershipInline
from experiments.admin_quotas import QuotaInline
from experiments.formats import format_count, format_filesize
from experiments.models import (
    ApiToken,
    ComputeToken,
    Membership,
    SignInLink,
    Sweep,
    Workspace,
)
from experiments.queries.workspace_use import WorkspaceUse, use_of
from experiments.services.access import revoke_api_token, revoke_sign_in_link
from experiments.services.compute_tokens import revoke_compute_token


@admin.register(Workspace)
class WorkspaceAdmin(RowAdmin[Workspace]):
    """Team boundaries: who is in, and what they use."""

    list_display = [
        "name",
        "slug",
        "member_count",
        "sweep_count",
        "running",
        "today",
        "stored",
        "created_at",
    ]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["running", "today", "stored", "created_at"]
    inlines = [MembershipInline, QuotaInline]

    def add_facts(self, rows: list[Workspace]) -> None:
        used = use_of([workspace.pk for workspace in rows], timezone.now())
        for workspace in rows:
            workspace.use = used[workspace.pk]  # type: ignore[attr-defined]  # for the columns

    @admin.display(description="members")
    def member_count(self, workspace: Workspace) -> SafeString:
        count = str(_use(workspace).members)
        return list_link(Membership, count, workspace__id__exact=workspace.pk)

    @admin.display(description="sweeps")
    def sweep_count(self, workspace: Workspace) -> SafeString:
        count = str(_use(workspace).sweeps)
        return list_link(Sweep, count, experiment__workspace__id__exact=workspace.pk)

    @admin.display(description="runs now")
    def running(self, workspace: Workspace) -> str:
        return format_count(_use(workspace).running)

    @admin.display(description="runs today")
    def today(self, workspace: Workspace) -> str:
        return format_count(_use(workspace).today)

    @admin.display(description="files of runs")
    def stored(self, workspace: Workspace) -> str:
        return format_filesize(_use(workspace).stored)


def _use(workspace: Workspace) -> WorkspaceUse:
    found: WorkspaceUse = getattr(workspace, "use", WorkspaceUse())
    return found


@admin.register(ApiToken)
class ApiTokenAdmin(OwnedByStudioAdmin[ApiToken]):
    """Tokens by name; the secret is known to its owner alone, not even its hash is shown."""

    list_display = ["name", "user", "scope", "created_at", "expires_at", "last_used_at", "valid"]
    list_filter = ["scope", "created_at", "expires_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    actions = ["revoke"]
    show = ("name", "user", "scope", "created_at", "expires_at", "last_used_at", "valid")

    @admin.display(description="valid", boolean=True)
    def valid(self, token: ApiToken) -> bool:
        is_expired = token.expires_at is not None and token.expires_at <= timezone.now()
        return token.user.is_active and not is_expired

    @admin.action(description="Revoke selected tokens", permissions=["change"])
    @asking("Revoke", "Whoever uses it is refused from now on; it does not come back.")
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        person = cast(User, request.user)
        count = sum(revoke_api_token(token, by=person) for token in chosen.select_related("user"))
        self.message_user(
            request, f"Revoked {count} token{'' if count == 1 else 's'}.", messages.SUCCESS
        )


@admin.register(ComputeToken)
class ComputeTokenAdmin(OwnedByStudioAdmin[ComputeToken]):
    """What opens the studio's files to machines of a target; made on the compute page."""

    list_display = ["name", "compute", "created_at", "expires_at", "last_used_at", "valid"]
    list_filter = ["compute", "created_at", "expires_at"]
    list_select_related = ["compute"]
    search_fields = ["name", "compute__name"]
    actions = ["revoke"]
    show = ("name", "compute", "created_at", "expires_at", "last_used_at", "valid")

    @admin.display(description="valid", boolean=True)
    def valid(self, token: ComputeToken) -> bool:
        return token.expires_at is None or token.expires_at > timezone.now()

    @admin.action(description="Revoke selected tokens", permissions=["change"])
    @asking("Revoke", "Whoever uses it is refused from now on; it does not come back.")
    def revoke(self, request: HttpRequest, chosen: QuerySet[ComputeToken]) -> None:
        count = sum(revoke_compute_token(token) for token in chosen)
        self.message_user(
            request, f"Revoked {count} token{'' if count == 1 else 's'}.", messages.SUCCESS
        )


@admin.register(SignInLink)
class SignInLinkAdmin(OwnedByStudioAdmin[SignInLink]):
    """One-time links; only whom they are for and whether they were used."""

    list_display = ["user", "created_at", "expires_at", "used_at"]
    list_filter = ["created_at", "used_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    actions = ["revoke"]
    show = ("user", "created_at", "expires_at", "used_at")

    def fits(self, action: str, row: SignInLink) -> bool:
        return row.used_at is None

    @admin.action(description="Revoke selected links", permissions=["change"])
    @asking("Revoke", "It signs nobody in any more.")
    def revoke(self, request: HttpRequest, chosen: QuerySet[SignInLink]) -> None:
        count = sum(revoke_sign_in_link(link) for link in chosen)
        self.message_user(
            request, f"Revoked {count} link{'' if count == 1 else 's'}.", messages.SUCCESS
        )
