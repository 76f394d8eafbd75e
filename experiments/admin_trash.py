"""Admin of removals for good: what was removed, by whom and what it freed. Look only."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from experiments.admin_base import OwnedByStudioAdmin, admin_link
from experiments.formats import format_filesize
from experiments.models import Removal


@admin.register(Removal)
class RemovalAdmin(OwnedByStudioAdmin[Removal]):
    """Removals of sweeps, outputs, snapshots and leftovers, newest first."""

    list_display = [
        "title",
        "workspace",
        "requested_by",
        "requested_at",
        "finished_at",
        "freed",
        "problem",
    ]
    list_filter = ["kind", "workspace", "requested_at"]
    list_select_related = ["workspace", "requested_by"]
    search_fields = ["name", "sweep_public_id", "requested_by__username", "problem"]
    date_hierarchy = "requested_at"
    ordering = ["-pk"]
    show = (
        "title",
        "workspace",
        "sweep_link",
        "sweep_public_id",
        "run_count",
        "kept_best",
        "expected",
        "freed",
        "requested_by",
        "requested_at",
        "finished_at",
        "problem",
        "problem_at",
    )

    @admin.display(description="what", ordering="name")
    def title(self, removal: Removal) -> str:
        return f"{removal.get_kind_display()}: {removal.name}"

    @admin.display(description="sweep")
    def sweep_link(self, removal: Removal) -> str | SafeString:
        return admin_link(removal.sweep)

    @admin.display(description="expected size", ordering="expected_bytes")
    def expected(self, removal: Removal) -> str:
        return format_filesize(removal.expected_bytes)

    @admin.display(description="freed", ordering="freed_bytes")
    def freed(self, removal: Removal) -> str:
        return format_filesize(removal.freed_bytes)
