"""Admin of checks before a launch: look and search; nothing of them is typed in."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from experiments.admin_base import OwnedByStudioAdmin, admin_link, page_link, state_chip
from experiments.models import CheckRun


@admin.register(CheckRun)
class CheckRunAdmin(OwnedByStudioAdmin[CheckRun]):
    """Checks of the last day; the studio removes older ones."""

    list_display = ["title", "page", "sweep_link", "owner", "status", "seconds"]
    list_filter = ["sweep__state", "sweep__compute"]
    list_select_related = ["sweep__owner"]
    search_fields = ["sweep__public_id", "sweep__name", "sweep__owner__username"]
    ordering = ["-pk"]
    show = ("title", "page", "sweep_link", "owner", "status", "seconds", "spec")

    def title_of(self, row: CheckRun) -> str:
        return f"Check of {row.sweep.name}"

    @admin.display(description="check", ordering="sweep__name")
    def title(self, check: CheckRun) -> str:
        return check.sweep.name

    @admin.display(description="page")
    def page(self, check: CheckRun) -> SafeString:
        return page_link(check.sweep.get_absolute_url(), "Open")

    @admin.display(description="its sweep", ordering="sweep__created_at")
    def sweep_link(self, check: CheckRun) -> str | SafeString:
        return admin_link(check.sweep)

    @admin.display(description="owner", ordering="sweep__owner__username")
    def owner(self, check: CheckRun) -> str | SafeString:
        return admin_link(check.sweep.owner)

    @admin.display(description="status", ordering="sweep__state")
    def status(self, check: CheckRun) -> SafeString:
        return state_chip(check.sweep.state, check.sweep.end_reason)
