"""Template context of every page: workspace, version and the one JSON block for the browser."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from experiments.queries.site_settings import site
from experiments.queries.workspaces import workspace_menu
from experiments.states import badge_table
from experiments.views.notices import notices_for
from experiments.views.parts import once
from studio.version import VERSION

# Pages that a menu at the top leads to, not the navigation.
_IN_THE_MENU: Final = (
    "account",
    "invitation",
    "member",
    "notifications",
    "webhook",
    "workspace",
)


def studio(request: HttpRequest) -> dict[str, Any]:
    """Return what base.html needs; the workspace only for people who are signed in."""
    user = getattr(request, "user", None) or AnonymousUser()
    # Fragments of pages have no top bar, and most of them ask for none of it.
    menu = once(lambda: workspace_menu(user) if user.is_authenticated else [])
    return {
        "studio_version": VERSION,
        "site": site(),
        "notices": once(lambda: notices_for(user)),
        "nav": _section(request),
        "workspace": once(lambda: menu()[0] if menu() else None),
        "workspace_menu": menu,
        "workspace_slugs": once(lambda: [one.slug for one in menu()]),
        "studio_config": once(_config),
    }


def _config() -> dict[str, Any]:
    return {
        "badges": badge_table(),
        "icons": static("img/icons.svg"),
        "plotly": static("plotly/plotly.min.js"),
        "urls": {
            "home": reverse("home"),
            "dashboard": reverse("dashboard"),
            "sweeps": reverse("sweeps"),
            "sweepNew": reverse("sweep_new"),
            "models": reverse("models"),
            "compute": reverse("compute"),
            "search": reverse("search"),
        },
    }


def _section(request: HttpRequest) -> str:
    if request.resolver_match and request.resolver_match.namespace == "admin":
        return "admin"
    name = (request.resolver_match.url_name or "") if request.resolver_match else ""
    if name == "models" or name.startswith(("model_", "version_")) or name == "model":
        return "models"
    if name in ("dashboard", "search"):
        return name
    if name.startswith("docs"):
        return "docs"
    if name.startswith(("password", "session", "sign_up", "token")):
        return ""
    if name.startswith(_IN_THE_MENU):
        return ""
    return "compute" if name.startswith("compute") else "sweeps"
