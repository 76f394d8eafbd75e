"""What a link to share opens, decided in one place: one sweep, read-only, as long as it lives.

A link shows no more than its maker may see: it is dead when it has expired or was revoked, when the
sweep is in the trash, and when its maker was disabled or left the workspace.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from experiments import clock
from experiments.models import ShareLink, Sweep
from experiments.models.teamwork import share_key_of
from experiments.queries.visible import AnyUser, sweeps_for


@dataclass(frozen=True, slots=True)
class Shared:
    """A link that is alive, and the sweep that it shows."""

    link: ShareLink
    sweep: Sweep


def find_shared(token: str) -> Shared | None:
    """Return what the token of a link opens now; None for every dead or forged one."""
    key = share_key_of(token)
    if key is None:
        return None
    live = ShareLink.objects.filter(key=key, revoked_at__isnull=True, expires_at__gt=clock.now())
    link = live.select_related("created_by").first()
    if link is None:
        return None
    sweep = sweeps_for(link.created_by).filter(pk=link.sweep_id).first()
    return None if sweep is None else Shared(link, sweep)


def share_links_for(user: AnyUser, sweep: Sweep | None = None) -> QuerySet[ShareLink]:
    """Return the links to a person's sweeps, or to one of them, newest first."""
    found = ShareLink.objects.filter(sweep__in=sweeps_for(user).order_by().values("pk"))
    if sweep is not None:
        found = found.filter(sweep=sweep)
    return found.select_related("created_by", "revoked_by", "sweep").order_by("-pk")


def link_state(link: ShareLink, now: datetime) -> str:
    """Return what has become of a link, in a word: live, expired or revoked."""
    if link.revoked_at is not None:
        return "revoked"
    return "live" if link.expires_at > now else "expired"
