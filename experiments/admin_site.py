"""Admin of the site: its one row of settings, and announcements. For administrators alone."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString

from experiments import clock
from experiments.admin_base import RowAdmin
from experiments.models import Announcement, SiteSettings
from experiments.services.announcements import note_deleted, publish
from experiments.services.site import note_changes, settings_row

_NUMBERS: Final = {
    "_total_runs": "Runs in all",
    "_concurrent_runs": "Runs at once",
    "_duration_minutes": "Minutes",
}


def _name_parts(field: Any) -> None:
    """Name date and time of a moment each, for those who hear the form."""
    parts = getattr(field.widget, "widgets", ())
    for part, word in zip(parts, ("date", "time"), strict=False):
        part.attrs["aria-label"] = f"{field.label}: {word}"


class ForAdministrators:
    """Rows that say something about the whole studio: who is only of the staff sees none."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_administrator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_administrator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_administrator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_administrator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_administrator(request)


def _is_administrator(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_superuser


@admin.register(SiteSettings)
class SiteSettingsAdmin(ForAdministrators, RowAdmin[SiteSettings]):
    """One row: its list is its form."""

    fieldsets = [
        ("The studio", {"fields": ["name", "banner"]}),
        (
            "Maintenance",
            {
                "fields": [
                    "maintenance",
                    "maintenance_message",
                    "maintenance_from",
                    "maintenance_until",
                ],
                "description": "Also on the command line: studio maintenance on, off, status.",
            },
        ),
        ("Who may sign up", {"fields": ["sign_up", "sign_up_domains"]}),
        (
            "New sweeps: what holds where a specification does not say",
            {
                "fields": [
                    "default_max_total_runs",
                    "default_max_concurrent_runs",
                    "default_max_duration_minutes",
                ]
            },
        ),
        (
            "New sweeps: the most that is allowed",
            {
                "fields": ["limit_total_runs", "limit_concurrent_runs", "limit_duration_minutes"],
                "description": "For form, files, REST, command line and SDK alike. Sweeps that "
                "are there keep what they have; their limits can be raised up to these.",
            },
        ),
        ("What is kept", {"fields": ["trash_days"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Name the numbers by what they are: their group says whether they are usual or most."""
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is None:
            return None
        for ending, label in _NUMBERS.items():
            if db_field.name.endswith(ending):
                field.label = label
        _name_parts(field)
        if db_field.name == "sign_up_domains":
            field.widget.attrs["rows"] = 3
        return field

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Open the form: a list of one row would be a step too many."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = settings_row()
        return redirect(reverse("admin:experiments_sitesettings_change", args=[row.pk]))

    def save_model(self, request: HttpRequest, obj: SiteSettings, form: Any, change: bool) -> None:
        """Store the row and write down what is different."""
        names = [field.name for field in SiteSettings._meta.fields if field.editable]
        old = SiteSettings.objects.get(pk=obj.pk)
        before = {name: getattr(old, name) for name in names}
        if obj.maintenance:
            obj.maintenance_from = None  # what was planned has begun
        super().save_model(request, obj, form, change)
        note_changes(before, obj, by=_person(request))

    def response_change(self, request: HttpRequest, obj: SiteSettings) -> HttpResponse:
        """Stay on the form: there is no list to go back to."""
        self.message_user(request, "The site settings are saved.", messages.SUCCESS)
        return redirect(request.path)


@admin.register(Announcement)
class AnnouncementAdmin(ForAdministrators, RowAdmin[Announcement]):
    """What everybody is told for a while."""

    list_display = ["title", "kind", "when", "starts_at", "ends_at", "put_away", "created_by"]
    list_filter = ["level", "starts_at"]
    list_select_related = ["created_by"]
    search_fields = ["text"]
    fields = ["text", "level", "starts_at", "ends_at", "is_dismissible"]
    actions = ["end_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Announcement]:
        return super().get_queryset(request).annotate(n_dismissals=Count("dismissals"))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None:
            _name_parts(field)
        return field

    @admin.display(description="text", ordering="text")
    def title(self, announcement: Announcement) -> str:
        return str(announcement)

    @admin.display(description="level", ordering="level")
    def kind(self, announcement: Announcement) -> str:
        return announcement.level.capitalize()

    @admin.display(description="shown")
    def when(self, announcement: Announcement) -> str:
        now = clock.now()
        if announcement.starts_at > now:
            return "later"
        is_over = announcement.ends_at is not None and announcement.ends_at <= now
        return "no longer" if is_over else "now"

    @admin.display(description="dismissed by", ordering="n_dismissals")
    def put_away(self, announcement: Announcement) -> str | SafeString:
        return str(getattr(announcement, "n_dismissals", 0)) if announcement.is_dismissible else "-"

    def save_model(self, request: HttpRequest, obj: Announcement, form: Any, change: bool) -> None:
        publish(obj, by=_person(request))

    def delete_model(self, request: HttpRequest, obj: Announcement) -> None:
        note_deleted(obj, by=_person(request))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        for announcement in queryset:
            note_deleted(announcement, by=_person(request))
        super().delete_queryset(request, queryset)

    @admin.action(description="End selected announcements now", permissions=["change"])
    def end_now(self, request: HttpRequest, chosen: QuerySet[Announcement]) -> None:
        now = clock.now()
        shown = [one for one in chosen if one.starts_at < now and (one.ends_at or now) >= now]
        for one in shown:
            one.ends_at = now
            publish(one, by=_person(request))
        text = f"Ended {len(shown)} announcement{'' if len(shown) == 1 else 's'}."
        self.message_user(request, text, messages.SUCCESS if shown else messages.WARNING)


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
