"""Admin of registered models: look and search; what people wrote may be corrected."""

from __future__ import annotations

import json

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from experiments.admin_base import (
    OwnedByStudioAdmin,
    add_counts,
    admin_link,
    count_of,
    list_link,
    page_link,
)
from experiments.formats import format_filesize
from experiments.models import ModelFile, ModelVersion, RegisteredModel


@admin.register(RegisteredModel)
class RegisteredModelAdmin(OwnedByStudioAdmin[RegisteredModel]):
    """Names of models; the description may be corrected."""

    list_display = ["name", "page", "workspace", "version_count", "created_by", "updated_at"]
    list_filter = ["workspace", "updated_at"]
    list_select_related = ["workspace", "created_by"]
    search_fields = ["name", "description"]
    date_hierarchy = "created_at"
    editable = ["description"]
    show = [
        "name",
        "workspace",
        "description",
        "last_number",
        "created_by",
        "created_at",
        "updated_at",
    ]

    def add_facts(self, rows: list[RegisteredModel]) -> None:
        add_counts(rows, "n_versions", ModelVersion, "model")

    @admin.display(description="page")
    def page(self, model: RegisteredModel) -> SafeString:
        return page_link(model.get_absolute_url(), "Open")

    @admin.display(description="versions")
    def version_count(self, model: RegisteredModel) -> SafeString:
        count = str(count_of(model, "n_versions"))
        return list_link(ModelVersion, count, model__id__exact=model.pk)


@admin.register(ModelVersion)
class ModelVersionAdmin(OwnedByStudioAdmin[ModelVersion]):
    """Versions; description and tags may be corrected, marks are changed on their pages."""

    list_display = [
        "model",
        "number",
        "page",
        "stage",
        "metric_name",
        "metric_value",
        "size",
        "sweep_name",
        "created_by",
        "created_at",
    ]
    list_filter = ["stage", "model__workspace", "created_at"]
    list_select_related = ["model__workspace", "created_by"]
    search_fields = ["model__name", "run_public_id", "sweep_name", "experiment_name"]
    date_hierarchy = "created_at"
    editable = ["description", "tags"]
    show = [
        "model",
        "number",
        "stage",
        "stage_by",
        "stage_at",
        "description",
        "tags",
        "properties",
        "metric_name",
        "goal",
        "metric_value",
        "configuration",
        "run_link",
        "run_public_id",
        "sweep_name",
        "experiment_name",
        "snapshot_digest",
        "command",
        "path",
        "file_count",
        "size",
        "created_by",
        "created_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        return super().get_queryset(request).select_related("model__workspace", "run")

    @admin.display(description="page")
    def page(self, version: ModelVersion) -> SafeString:
        return page_link(version.get_absolute_url(), "Open")

    @admin.display(description="size", ordering="size_bytes")
    def size(self, version: ModelVersion) -> str:
        return format_filesize(version.size_bytes)

    def title_of(self, row: ModelVersion) -> str:
        return f"{row.model.name}, version {row.number}"

    @admin.display(description="params")
    def configuration(self, version: ModelVersion) -> str:
        return json.dumps(version.params, ensure_ascii=False)

    @admin.display(description="run")
    def run_link(self, version: ModelVersion) -> str | SafeString:
        return admin_link(version.run)


@admin.register(ModelFile)
class ModelFileAdmin(OwnedByStudioAdmin[ModelFile]):
    """Files of versions with their hashes."""

    list_display = ["path", "version_link", "size", "digest"]
    list_filter = ["version__model__workspace"]
    list_select_related = ["version__model"]
    search_fields = ["path", "digest", "version__model__name"]
    show = ["path", "version_link", "size", "digest"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelFile]:
        return super().get_queryset(request).select_related("version__model")

    @admin.display(description="version")
    def version_link(self, file: ModelFile) -> str | SafeString:
        return admin_link(file.version, f"{file.version.model.name} {file.version.number}")

    @admin.display(description="size", ordering="size_bytes")
    def size(self, file: ModelFile) -> str:
        return format_filesize(file.size_bytes)
