"""What stands under the top bar of every page: maintenance, the banner, announcements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST

from experiments.markdown import render_markdown
from experiments.models import Announcement
from experiments.queries.announcements import Announced, announced_for
from experiments.queries.site_settings import Site, site
from experiments.queries.visible import AnyUser
from experiments.services.announcements import dismiss as dismiss_announcement

_LOOKS = {
    Announcement.Level.URGENT: ("err", "warn", "Urgent"),
    Announcement.Level.WARNING: ("warn", "warn", "Warning"),
    Announcement.Level.INFO: ("info", "info", "Announcement"),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for everybody. `word` says to screen readers what colour and icon say to others."""

    css: str
    icon: str
    word: str
    title: str = ""
    text: str = ""
    html: SafeString | None = None
    is_alert: bool = False
    when: datetime | None = None
    when_words: str = ""
    announcement: int | None = None


def notices_for(user: AnyUser) -> list[Notice]:
    """Return what a person is told; strangers only what is urgent, and the banner."""
    now = site()
    announced = [_of_announcement(one) for one in announced_for(user)]
    urgent = [notice for notice in announced if notice.is_alert]
    calm = [notice for notice in announced if not notice.is_alert]
    maintenance = [_of_maintenance(now)] if now.maintenance or now.is_planned else []
    banner = [Notice("info", "info", "Note", text=now.banner)] if now.banner else []
    return [*urgent, *(maintenance if user.is_authenticated else []), *banner, *calm]


@require_POST
def dismiss(request: HttpRequest, announcement_id: int) -> HttpResponse:
    """Put an announcement away for the person who asks, and go back to the page."""
    dismiss_announcement(announcement_id, user=cast(User, request.user))
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"dismissed": True})
    asked = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(asked if is_ours else resolve_url("home"))


def _of_announcement(one: Announced) -> Notice:
    css, icon, word = _LOOKS[Announcement.Level(one.level)]
    return Notice(
        css,
        icon,
        word,
        html=mark_safe(render_markdown(one.text)),  # noqa: S308 -- made and escaped by the renderer
        is_alert=one.is_urgent,
        announcement=one.key if one.is_dismissible else None,
    )


def _of_maintenance(now: Site) -> Notice:
    if now.maintenance:
        title = "Maintenance: no new runs start."
        text = "Runs that work finish; sweeps that you submit wait until it ends."
        when, words = now.maintenance_until, "Expected end:"
    else:
        title = "Maintenance is planned."
        text = "From then on no new runs start, and sweeps wait until it ends."
        when, words = now.maintenance_from, "Begins:"
    if now.maintenance_message:
        text = f"{now.maintenance_message} {text}"
    return Notice(
        "warn", "paused", "Maintenance", title=title, text=text, when=when, when_words=words
    )
