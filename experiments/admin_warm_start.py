"""Admin of warm starts: which sweeps go on from which, and which runs they resume. Look only."""

from __future__ import annotations

import json

from django.contrib import admin
from django.utils.safestring import SafeString

from experiments.admin_base import OwnedByStudioAdmin, admin_link
from experiments.models import Resumption, WarmStart


@admin.register(WarmStart)
class WarmStartAdmin(OwnedByStudioAdmin[WarmStart]):
    """Earlier sweeps that sweeps go on from."""

    list_display = ["parent_public_id", "parent_link", "sweep_link", "position"]
    list_filter = ["sweep__experiment__workspace"]
    list_select_related = ["sweep", "parent"]
    search_fields = ["parent_public_id", "parent_name", "sweep__name", "sweep__public_id"]
    ordering = ["-pk"]
    show = ("parent_public_id", "parent_name", "parent_link", "sweep_link", "position")

    @admin.display(description="earlier sweep", ordering="parent_name")
    def parent_link(self, row: WarmStart) -> str | SafeString:
        return admin_link(row.parent)

    @admin.display(description="sweep", ordering="sweep__name")
    def sweep_link(self, row: WarmStart) -> str | SafeString:
        return admin_link(row.sweep)


@admin.register(Resumption)
class ResumptionAdmin(OwnedByStudioAdmin[Resumption]):
    """Earlier runs that sweeps resume."""

    list_display = ["source_public_id", "source_link", "sweep_link", "position"]
    list_filter = ["sweep__experiment__workspace"]
    list_select_related = ["sweep", "source"]
    search_fields = ["source_public_id", "sweep__name", "sweep__public_id"]
    ordering = ["-pk"]
    show = ("source_public_id", "source_link", "configuration", "sweep_link", "position")

    @admin.display(description="params")
    def configuration(self, row: Resumption) -> str:
        return json.dumps(row.params, ensure_ascii=False)

    @admin.display(description="earlier run")
    def source_link(self, row: Resumption) -> str | SafeString:
        return admin_link(row.source)

    @admin.display(description="sweep", ordering="sweep__name")
    def sweep_link(self, row: Resumption) -> str | SafeString:
        return admin_link(row.sweep)
