"""What is announced now: remembered for two seconds, since every page asks."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import DatabaseError
from django.db.models import Q

from experiments import clock
from experiments.models import Announcement, AnnouncementDismissal
from experiments.queries.site_settings import REMEMBERED_SECONDS
from experiments.queries.visible import AnyUser
from experiments.remembered import Remembered

logger = logging.getLogger(__name__)

# More would hide the page below them.
_MOST_SHOWN: Final = 5
_RANK: Final = {
    Announcement.Level.URGENT: 0,
    Announcement.Level.WARNING: 1,
    Announcement.Level.INFO: 2,
}


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement as pages show it."""

    key: int
    text: str
    level: str
    starts_at: datetime
    ends_at: datetime | None
    is_dismissible: bool

    @property
    def is_urgent(self) -> bool:
        """Whether it is shown to those who have not signed in as well."""
        return self.level == Announcement.Level.URGENT


def announced_for(user: AnyUser) -> list[Announced]:
    """Return what a person is told now, the urgent first; one query where something may be gone.

    Strangers see what is urgent alone.
    """
    now = clock.now()
    current = [
        one
        for one in _known()
        if one.starts_at <= now and (one.ends_at is None or one.ends_at > now)
    ]
    if not user.is_authenticated:
        return [one for one in current if one.is_urgent][:_MOST_SHOWN]
    keys = [one.key for one in current if one.is_dismissible]
    if keys:
        gone = set(
            AnnouncementDismissal.objects.filter(user=user.pk, announcement__in=keys).values_list(
                "announcement_id", flat=True
            )
        )
        current = [one for one in current if one.key not in gone]
    return current[:_MOST_SHOWN]


def remember_announcements(known: tuple[Announced, ...], *, seconds: float) -> None:
    """Let pages take these for what there is, for a while, unless announcements change here."""
    _memory.keep(known, seconds=seconds)


def forget_announcements() -> None:
    """Read the announcements again when they are asked for next, in all web processes."""
    _memory.forget()


def _known() -> tuple[Announced, ...]:
    try:
        return _memory.value()
    except DatabaseError as error:
        logger.warning("The announcements cannot be read: %s", error)
        return _memory.last() or ()


def _read() -> tuple[Announced, ...]:
    rows = Announcement.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now()))
    found = [
        Announced(row.pk, row.text, row.level, row.starts_at, row.ends_at, row.is_dismissible)
        for row in rows.order_by("-starts_at", "-pk")[:100]
    ]
    return tuple(sorted(found, key=lambda one: _RANK[Announcement.Level(one.level)]))


_memory: Final = Remembered(_read, seconds=REMEMBERED_SECONDS)
