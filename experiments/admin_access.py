"""Admin of people: workspaces with their members, API tokens, sign-in links."""

from __future__ import annotations

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from experiments.admin_base import OwnedByStudioAdmin, RowAdmin, RowsInline, list_link
from experiments.models import (
    ApiToken,
    ComputeToken,
    Experiment,
    Membership,
    SignInLink,
    Sweep,
    Workspace,
)
from experiments.services.access import make_sign_in_link, revoke_api_token, revoke_sign_in_link
from experiments.services.compute_tokens import revoke_compute_token


class MembershipInline(RowsInline[Membership, Workspace]):
    """Members of a workspace and their roles."""

    model = Membership
    extra = 1
    autocomplete_fields = ["user"]


@admin.register(Workspace)
class WorkspaceAdmin(RowAdmin[Workspace]):
    """Team boundaries."""

    list_display = ["name", "slug", "member_count", "experiment_count", "sweep_count", "created_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["created_at"]
    inlines = [MembershipInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                n_members=Count("memberships", distinct=True),
                n_experiments=Count("experiments", distinct=True),
                n_sweeps=Count("experiments__sweeps", distinct=True),
            )
        )

    @admin.display(description="members", ordering="n_members")
    def member_count(self, workspace: Workspace) -> SafeString:
        count = getattr(workspace, "n_members", 0)
        return list_link(Membership, str(count), workspace__id__exact=workspace.pk)

    @admin.display(description="experiments", ordering="n_experiments")
    def experiment_count(self, workspace: Workspace) -> SafeString:
        count = getattr(workspace, "n_experiments", 0)
        return list_link(Experiment, str(count), workspace__id__exact=workspace.pk)

    @admin.display(description="sweeps", ordering="n_sweeps")
    def sweep_count(self, workspace: Workspace) -> SafeString:
        count = getattr(workspace, "n_sweeps", 0)
        return list_link(Sweep, str(count), experiment__workspace__id__exact=workspace.pk)


@admin.register(Membership)
class MembershipAdmin(RowAdmin[Membership]):
    """Who may do what where."""

    list_display = ["user", "workspace", "role", "created_at"]
    list_editable = ["role"]
    list_filter = ["role", "workspace"]
    list_select_related = ["user", "workspace"]
    search_fields = ["user__username", "user__email", "workspace__name"]
    autocomplete_fields = ["user", "workspace"]
    readonly_fields = ["created_at"]


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
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        count = sum(revoke_api_token(token) for token in chosen)
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

    @admin.action(description="Revoke selected links", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[SignInLink]) -> None:
        count = sum(revoke_sign_in_link(link) for link in chosen)
        self.message_user(
            request, f"Revoked {count} link{'' if count == 1 else 's'}.", messages.SUCCESS
        )


class StudioUserAdmin(UserAdmin):  # type: ignore[type-arg] # generic in the stubs alone
    """Django's page of people, with one-time links instead of passwords sent around."""

    list_display = ["username", "email", "full_name", "is_active", "is_superuser", "last_login"]
    actions = ["make_links"]

    @admin.display(description="name", ordering="last_name")
    def full_name(self, person: User) -> str:
        return person.get_full_name()

    @admin.action(description="Make a one-time sign-in link", permissions=["change"])
    def make_links(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        for person in chosen.filter(is_active=True):
            path = reverse("sign_in_link", args=[make_sign_in_link(person)])
            text = f"Sign-in link of {person}, works once: {request.build_absolute_uri(path)}"
            self.message_user(request, text, messages.SUCCESS)


admin.site.unregister(User)
admin.site.register(User, StudioUserAdmin)
