"""Admin of imported sweeps, and of requests that are kept from taking effect twice."""

from __future__ import annotations

from django.contrib import admin

from experiments.admin_base import OwnedByStudioAdmin
from experiments.models import IdempotentRequest, SweepImport


@admin.register(SweepImport)
class SweepImportAdmin(OwnedByStudioAdmin[SweepImport]):
    """Where the runs of imported sweeps come from."""

    list_display = ["__str__", "sweep", "kind", "by", "created_at"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["sweep", "by"]
    search_fields = ["source", "digest", "sweep__name", "sweep__public_id", "by__username"]
    show = ("sweep", "kind", "source", "digest", "by", "created_at")


@admin.register(IdempotentRequest)
class IdempotentRequestAdmin(OwnedByStudioAdmin[IdempotentRequest]):
    """Requests with an Idempotency-Key of the last day; answers are not shown."""

    list_display = ["__str__", "caller", "status", "created_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["key", "caller"]
    show = ("caller", "key", "digest", "status", "claimed_at", "created_at")
