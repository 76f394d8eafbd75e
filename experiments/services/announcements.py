"""Announcements: published, changed, ended, and put away by those who have read them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from experiments.models import Announcement, AnnouncementDismissal
from experiments.queries.announcements import announced_for, forget_announcements
from experiments.services.audit import Act, record


def publish(announcement: Announcement, *, by: User | None) -> Announcement:
    """Store a new announcement or a changed one, and write down who did.

    Whoever dismissed it sees it again when its text has changed.

    Raises:
        ValidationError: a value that cannot be, such as an end before the start.
    """
    with transaction.atomic():
        before = Announcement.objects.filter(pk=announcement.pk).first()
        if before is None:
            announcement.created_by = by
        announcement.full_clean()
        announcement.save()
        if before is not None and before.text != announcement.text:
            AnnouncementDismissal.objects.filter(announcement=announcement).delete()
        record(
            Act.ANNOUNCEMENT_PUBLISHED if before is None else Act.ANNOUNCEMENT_CHANGED,
            by=by,
            about=str(announcement),
            about_id=str(announcement.pk),
            details={
                "text": announcement.text,
                "level": announcement.level,
                "from": announcement.starts_at,
                "until": announcement.ends_at,
            },
        )
    return announcement


def note_deleted(announcement: Announcement, *, by: User | None) -> None:
    """Write down that somebody deleted an announcement; call it before."""
    record(
        Act.ANNOUNCEMENT_DELETED,
        by=by,
        about=str(announcement),
        about_id=str(announcement.pk),
        details={"text": announcement.text},
    )


def dismiss(key: int, *, user: User) -> bool:
    """Put an announcement away for one person; False when it is not there to be put away."""
    shown = next((one for one in announced_for(user) if one.key == key), None)
    if shown is None or not shown.is_dismissible:
        return False
    AnnouncementDismissal.objects.get_or_create(announcement_id=key, user=user)
    return True


def _forget_now_and_then(**_: Any) -> None:
    # As in services.site: now, and once more when others can read the new rows.
    forget_announcements()
    transaction.on_commit(partial(forget_announcements))


post_save.connect(_forget_now_and_then, sender=Announcement, dispatch_uid="announcement_saved")
post_delete.connect(_forget_now_and_then, sender=Announcement, dispatch_uid="announcement_deleted")
