"""Admin of what teams write around sweeps: notes, stars, and links to share, to revoke them."""

from __future__ import annotations

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from experiments import clock
from experiments.admin_asking import asking
from experiments.admin_base import OwnedByStudioAdmin
from experiments.models import NoteVersion, ShareLink, Star
from experiments.queries.shared import link_state
from experiments.services.share_links import revoke_share_link


@admin.register(NoteVersion)
class NoteVersionAdmin(OwnedByStudioAdmin[NoteVersion]):
    """Every version of the notes on sweeps and runs."""

    list_display = ["__str__", "sweep", "run", "author_name", "created_at"]
    list_filter = ["created_at", "sweep__experiment__workspace"]
    list_select_related = ["sweep", "run__sweep"]
    search_fields = ["text", "author_name", "sweep__name", "sweep__public_id"]
    show = ("sweep", "run", "number", "text", "author", "author_name", "created_at")

    def title_of(self, row: NoteVersion) -> str:
        place = f"{row.sweep.name}, {row.run}" if row.run else row.sweep.name
        return f"{place}: {row}"


@admin.register(Star)
class StarAdmin(OwnedByStudioAdmin[Star]):
    """Who starred what."""

    list_display = ["user", "sweep", "model", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["user", "sweep", "model"]
    search_fields = ["user__username", "sweep__name", "model__name"]
    show = ("user", "sweep", "model", "created_at")


@admin.register(ShareLink)
class ShareLinkAdmin(OwnedByStudioAdmin[ShareLink]):
    """Links that show a sweep to people without an account; their addresses are not shown here."""

    list_display = ["__str__", "sweep", "created_by", "expires_at", "used_at", "state"]
    list_filter = ["expires_at", "revoked_at", "with_files", "with_reasons"]
    list_select_related = ["sweep", "created_by"]
    search_fields = ["name", "sweep__name", "sweep__public_id", "created_by__username"]
    actions = ["revoke"]
    show = (
        "name", "sweep", "created_by", "created_at", "expires_at", "used_at", "with_reasons",
        "with_files", "revoked_at", "revoked_by",
    )  # fmt: skip

    def title_of(self, row: ShareLink) -> str:
        return f"{row}: {row.sweep.name}"

    @admin.display(description="state")
    def state(self, link: ShareLink) -> str:
        return link_state(link, clock.now())

    def fits(self, action: str, row: ShareLink) -> bool:
        return row.revoked_at is None

    @admin.action(description="Revoke selected links", permissions=["change"])
    @asking("Revoke", "Whoever opens it is told that it is gone; it does not come back.")
    def revoke(self, request: HttpRequest, chosen: QuerySet[ShareLink]) -> None:
        if not isinstance(request.user, User):
            return
        count = sum(revoke_share_link(link, user=request.user) for link in chosen)
        self.message_user(
            request, f"Revoked {count} link{'' if count == 1 else 's'}.", messages.SUCCESS
        )
