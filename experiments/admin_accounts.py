"""Admin of accounts: where people are signed in, how their accounts were made, single sign-on."""

from __future__ import annotations

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from experiments.admin_base import OwnedByStudioAdmin
from experiments.browsers import browser_words
from experiments.models import Identity, SignedInSession, SignUp
from experiments.services.sessions import end_session


@admin.register(SignedInSession)
class SignedInSessionAdmin(OwnedByStudioAdmin[SignedInSession]):
    """Browsers that are signed in; ending a session is at once, also for its live pages."""

    list_display = ["user", "browser", "address", "way", "began_at", "seen_at"]
    list_filter = ["way", "began_at", "seen_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email", "address"]
    date_hierarchy = "seen_at"
    actions = ["end"]
    show = ("user", "browser", "agent", "address", "way", "began_at", "seen_at")

    def title_of(self, row: SignedInSession) -> str:
        return f"{row.user}, {browser_words(row.agent)}, since {row.began_at:%Y-%m-%d %H:%M}"

    @admin.display(description="browser")
    def browser(self, row: SignedInSession) -> str:
        return browser_words(row.agent)

    @admin.action(description="End selected sessions", permissions=["change"])
    def end(self, request: HttpRequest, chosen: QuerySet[SignedInSession]) -> None:
        person = cast(User, request.user)
        count = sum(end_session(row, by=person) for row in chosen.select_related("user"))
        text = f"Ended {count} session{'' if count == 1 else 's'}."
        self.message_user(request, text, messages.SUCCESS)


@admin.register(SignUp)
class SignUpAdmin(OwnedByStudioAdmin[SignUp]):
    """Accounts that people made themselves, newest first."""

    list_display = ["user", "way", "unproven_email", "created_at"]
    list_filter = ["way", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email", "unproven_email"]
    show = ("user", "way", "unproven_email", "created_at")

    def title_of(self, row: SignUp) -> str:
        return f"{row.user} signed up {row.get_way_display()}"


@admin.register(Identity)
class IdentityAdmin(OwnedByStudioAdmin[Identity]):
    """Who signs in through the provider of single sign-on; unlinking asks them to link again."""

    list_display = ["user", "issuer", "subject", "linked_at", "used_at"]
    list_filter = ["issuer", "linked_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email", "subject"]
    show = ("user", "issuer", "subject", "linked_at", "used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Identity | None = None) -> bool:
        return request.user.is_superuser if request.user.is_authenticated else False
