"""Admin of unfinished forms. Look only."""

from __future__ import annotations

from django.contrib import admin

from experiments.admin_base import OwnedByStudioAdmin
from experiments.models import SweepDraft


@admin.register(SweepDraft)
class SweepDraftAdmin(OwnedByStudioAdmin[SweepDraft]):
    """Drafts of new sweeps: whose they are and how old; what is typed is their owner's."""

    list_display = ["__str__", "owner", "workspace", "version", "changed_at", "discarded_at"]
    list_filter = ["workspace"]
    list_select_related = ["owner", "workspace"]
    search_fields = ["name", "public_id", "owner__username"]
    show = (
        "public_id", "name", "owner", "workspace", "version", "created_at", "changed_at",
        "discarded_at",
    )  # fmt: skip
