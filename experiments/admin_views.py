"""Admin of how people look at runs: named views and chosen columns. Look only."""

from __future__ import annotations

from django.contrib import admin

from experiments.admin_base import OwnedByStudioAdmin
from experiments.models import ColumnChoice, SavedView


@admin.register(SavedView)
class SavedViewAdmin(OwnedByStudioAdmin[SavedView]):
    """Named views of the tables of runs."""

    list_display = ["name", "experiment", "owner", "filter", "is_default", "changed_at"]
    list_filter = ["is_default", "experiment__workspace"]
    list_select_related = ["experiment", "owner"]
    search_fields = ["name", "filter", "experiment__name", "owner__username"]
    show = (
        "name", "experiment", "owner", "filter", "state", "columns", "sort", "descending",
        "is_default", "created_at", "changed_at",
    )  # fmt: skip


@admin.register(ColumnChoice)
class ColumnChoiceAdmin(OwnedByStudioAdmin[ColumnChoice]):
    """The columns that people chose last."""

    list_display = ["user", "experiment", "columns", "changed_at"]
    list_filter = ["experiment__workspace"]
    list_select_related = ["experiment", "user"]
    search_fields = ["user__username", "experiment__name"]
    show = ("user", "experiment", "columns", "changed_at")
