"""Admin of the audit log: look, filter, export; and what is typed in here is written down there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.actions import delete_selected as django_delete_selected
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.db.models.signals import post_save
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import Truncator

from experiments import clock
from experiments.admin_base import OwnedByStudioAdmin
from experiments.admin_site import ForAdministrators
from experiments.downloads import send_blocks
from experiments.exports import letting_go
from experiments.models import Announcement, AuditEntry, SiteSettings, Workspace
from experiments.queries.audit import (
    act_label,
    audit_csv,
    audit_json_lines,
    details_text,
    who_did,
)
from experiments.services.audit import Act, record

_FORMATS: Final = {
    "csv": (audit_csv, "text/csv; charset=utf-8"),
    "jsonl": (audit_json_lines, "application/x-ndjson"),
}
_MOST_CHOICES: Final = 200
# Their services write down more than that a row was changed.
_TELL_THEMSELVES: Final = (SiteSettings, Announcement)


class ActFilter(admin.SimpleListFilter):
    """By what was done."""

    title = "act"
    parameter_name = "act"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(((act.value, act_label(act)) for act in Act), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return rows.filter(act=self.value()) if self.value() else rows


class PersonFilter(admin.SimpleListFilter):
    """By who did it; people who are gone are found by the search."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        did = AuditEntry.objects.filter(by=OuterRef("pk"))
        people = User.objects.filter(Exists(did)).order_by("username")[:_MOST_CHOICES]
        return [("studio", "nobody signed in"), *((str(p.pk), p.get_username()) for p in people)]

    def queryset(self, request: HttpRequest, rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        value = self.value()
        if value == "studio":
            return rows.filter(by__isnull=True)
        return rows.filter(by=int(value)) if value and value.isdecimal() else rows


class WorkspaceFilter(admin.SimpleListFilter):
    """By where it was done."""

    title = "workspace"
    parameter_name = "workspace"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        did = AuditEntry.objects.filter(workspace=OuterRef("pk"))
        found = Workspace.objects.filter(Exists(did)).order_by("name")[:_MOST_CHOICES]
        return [(str(one.pk), one.name) for one in found]

    def queryset(self, request: HttpRequest, rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        value = self.value()
        return rows.filter(workspace=int(value)) if value and value.isdecimal() else rows


@admin.register(AuditEntry)
class AuditEntryAdmin(ForAdministrators, OwnedByStudioAdmin[AuditEntry]):
    """Who did what, when, from where; nothing here can be changed or removed."""

    change_list_template = "admin/experiments/auditentry/change_list.html"
    list_display = ["time", "what", "who", "subject", "address", "workspace_name"]
    list_display_links = ["time", "what"]
    list_filter = [ActFilter, PersonFilter, WorkspaceFilter, ("at", admin.DateFieldListFilter)]
    list_per_page = 100
    date_hierarchy = "at"
    search_fields = ["by_name", "about", "about_id", "workspace_name", "address", "request_id"]
    search_help_text = "Parts of names, ids, addresses and requests."
    show = (
        "time", "what", "who", "workspace_name", "about", "about_id", "said", "address",
        "request_id",
    )  # fmt: skip

    def title_of(self, row: AuditEntry) -> str:
        return f"{act_label(row.act)}: {row.about}" if row.about else act_label(row.act)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="time (UTC)", ordering="pk")
    def time(self, entry: AuditEntry) -> str:
        return f"{entry.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="who", ordering="by_name")
    def who(self, entry: AuditEntry) -> str:
        return who_did(entry)

    @admin.display(description="about", ordering="about")
    def subject(self, entry: AuditEntry) -> str:
        return Truncator(entry.about).chars(36)

    @admin.display(description="act", ordering="act")
    def what(self, entry: AuditEntry) -> str:
        return act_label(entry.act)

    @admin.display(description="details")
    def said(self, entry: AuditEntry) -> str:
        return details_text(entry.details) or "-"

    def get_urls(self) -> list[URLPattern]:
        """Add the files of the filtered list."""
        own = path(
            "export/<slug:format_name>/",
            self.admin_site.admin_view(self.export),
            name="experiments_auditentry_export",
        )
        return [own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the list with the addresses of its files."""
        links = [
            (label, f"export/{name}/?{request.GET.urlencode()}")
            for name, label in (("csv", "Export CSV"), ("jsonl", "Export JSON lines"))
        ]
        shown = {"title": "Audit log", "export_links": links}
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    def export(self, request: HttpRequest, format_name: str) -> HttpResponseBase:
        """Send what the filters leave of the list, all of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if format_name not in _FORMATS:
            raise Http404(f"There is no format {format_name!r}; use csv or jsonl.")
        rows = self.get_changelist_instance(request).get_queryset(request)
        make, content_type = _FORMATS[format_name]
        details = {"format": format_name, **request.GET.dict()}
        record(Act.AUDIT_EXPORTED, by=_person(request), details=details)
        # What is exported ends before the entry about it.
        name = f"audit-{clock.now():%Y-%m-%d}.{format_name}"
        return send_blocks(request, letting_go(make(rows)), name, content_type)


@admin.action(description="Delete selected %(verbose_name_plural)s", permissions=["delete"])
def delete_selected(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Model]
) -> TemplateResponse | None:
    """Delete rows as Django does and write each of them down.

    Django notes several deletions at once in a way that no signal tells of.
    """
    with transaction.atomic():
        is_sure = "post" in request.POST
        chosen = [(str(row), str(row.pk), _workspace_of(row)) for row in queryset if is_sure]
        asked = django_delete_selected(model_admin, request, queryset)
        if asked is None and len(chosen) > 1 and queryset.model not in _TELL_THEMSELVES:
            kind = queryset.model._meta.verbose_name
            for name, key, workspace in chosen:
                about = f"{kind} {name}"
                record(
                    Act.ADMIN_DELETED,
                    by=_person(request),
                    workspace=workspace,
                    about=about,
                    about_id=key,
                )
    return asked


def _note_admin_act(instance: LogEntry, created: bool, **_: Any) -> None:
    """Write down what the administration notes about a row."""
    kind = instance.content_type
    model = kind.model_class() if kind else None
    if not created or model in _TELL_THEMSELVES:
        return
    # What is deleted is noted before.
    row = model._default_manager.filter(pk=instance.object_id).first() if model else None
    flags = {ADDITION: Act.ADMIN_ADDED, DELETION: Act.ADMIN_DELETED}
    message = instance.change_message
    record(
        flags.get(instance.action_flag, Act.ADMIN_CHANGED),
        by=instance.user,
        workspace=_workspace_of(row),
        about=f"{kind.name if kind else 'row'} {instance.object_repr}",
        about_id=str(instance.object_id or ""),
        details={"changes": changes} if (changes := _changes(message)) else {},
    )


def _workspace_of(row: Model | None) -> Workspace | None:
    """Return the workspace that a row is or belongs to, whose owners see what happens to it."""
    found = row if isinstance(row, Workspace) else getattr(row, "workspace", None)
    return found if isinstance(found, Workspace) else None


def _changes(message: str) -> list[str]:
    """Return Django's own JSON about a change as short lines."""
    try:
        parts: Iterable[dict[str, dict[str, Any]]] = json.loads(message)
        return [_change(word, about) for part in parts for word, about in part.items()]
    except (ValueError, AttributeError, TypeError):
        return [message] if message else []


def _change(word: str, about: dict[str, Any]) -> str:
    named = [str(about[key]) for key in ("name", "object") if about.get(key)]
    fields = ", ".join(str(field) for field in about.get("fields", []))
    return " ".join([word, *named, *([f"({fields})"] if fields else [])])


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


admin.site.disable_action("delete_selected")
admin.site.add_action(delete_selected, "delete_selected")
post_save.connect(_note_admin_act, sender=LogEntry, dispatch_uid="admin_act_audited")
