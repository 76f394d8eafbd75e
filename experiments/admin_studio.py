"""The administration as a site: its dashboard, and its lists by subject."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_POST
from redis.exceptions import RedisError

from experiments.services import counters
from experiments.services.slow_queries import forget_all

# What an administrator looks for, and the models of it by name, the most wanted ones first.
SUBJECTS: Final[dict[str, tuple[str, ...]]] = {
    "People": (
        "User", "SignedInSession", "ApiToken", "SignInLink", "SignUp", "Identity",
    ),
    "Workspaces": (
        "Workspace", "Membership", "Invitation", "WorkspaceQuota", "ShareLink", "InvitationUse",
        "WorkspaceSeat",
    ),
    "Work": ("Sweep", "Run", "Experiment", "CheckRun", "SweepDraft", "SweepImport"),
    "Compute": ("ComputeTarget", "Worker", "ComputeToken", "SlotShares", "Dashboard"),
    "Models": ("RegisteredModel", "ModelVersion", "ModelFile"),
    "Notifications": ("NotificationChannel", "Notification", "Delivery", "DeliveryAttempt"),
    "System": (
        "SiteSettings", "Announcement", "AnnouncementDismissal", "AuditEntry", "Removal",
        "IdempotentRequest",
    ),
    "Records": (
        "Event", "Decision", "SweepVersion", "NoteVersion", "Artifact", "Snapshot", "MetricSeries",
        "MetricChunk", "WarmStart", "Resumption", "SavedView", "ColumnChoice", "Star",
    ),
}  # fmt: skip
# What a list is called where the name of its rows says little.
_NAMES: Final = {"Dashboard": "Job queues"}
# Whatever is registered without a place above.
_OTHERS: Final = "System"


class StudioAdminSite(admin.AdminSite):
    """Django's site; everything on it is for administrators."""

    index_template = "admin/studio_index.html"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Let administrators in alone: dashboard and queues know of all workspaces."""
        user = request.user
        if getattr(user, "is_staff", False) and not user.is_superuser:
            raise PermissionDenied("The administration is for administrators.")
        return bool(user.is_active and user.is_superuser)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add what the dashboard posts to."""
        forget = self.admin_view(require_POST(self.forget_slow_queries))
        own = [path("slow-queries/forget/", forget, name="forget_slow_queries")]
        return [*own, *super().get_urls()]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the dashboard; with the header X-Fragment only the parts that change."""
        # Its parts know models and services, which are not there yet when sites are made.
        from experiments.admin_dashboard import parts  # noqa: PLC0415

        context = {**(extra_context or {}), **parts(request)}
        if "X-Fragment" in request.headers:
            return render(request, "admin/_dashboard_parts.html", context)  # type: ignore[return-value]
        return super().index(request, context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the lists by subject; those of one application stay together."""
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        return by_subject(model for app in apps for model in app["models"])

    def forget_slow_queries(self, request: HttpRequest) -> HttpResponse:
        """Forget the slow queries, to see which ones come again."""
        try:
            forget_all(counters.client())
        except (RedisError, OSError):
            messages.error(request, "Redis does not answer; the slow queries are still there.")
        else:
            messages.success(request, "The slow queries are forgotten; new ones appear here.")
        return redirect("admin:index")


def by_subject(models: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lists of models in the shape of Django's list of applications."""
    place = {
        name: (subject, at) for subject, names in SUBJECTS.items() for at, name in enumerate(names)
    }
    found: dict[str, list[dict[str, Any]]] = {subject: [] for subject in SUBJECTS}
    for model in models:
        model["name"] = _NAMES.get(model["object_name"], model["name"])
        found[place.get(model["object_name"], (_OTHERS, 0))[0]].append(model)
    for rows in found.values():
        rows.sort(key=lambda row: (place.get(row["object_name"], ("", 99))[1], row["name"]))
    return [
        {
            "name": subject,
            "app_label": subject.lower(),
            # No page of its own: the heading is no link.
            "app_url": "",
            "has_module_perms": True,
            "models": rows,
        }
        for subject, rows in found.items()
        if rows
    ]
