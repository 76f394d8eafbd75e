"""What the administrator decided for the whole studio: changed here, with what that means.

`site` (from queries.site_settings) is the one answer to what holds now.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from experiments.models import SiteSettings
from experiments.models.site import SITE_ROW
from experiments.queries.site_settings import Site, forget, remember, site
from experiments.services.audit import Act, record

__all__ = [
    "Site",
    "begin_planned",
    "change_site",
    "forget",
    "note_changes",
    "plan_maintenance",
    "remember",
    "settings_row",
    "site",
    "switch_maintenance",
]


def settings_row() -> SiteSettings:
    """Return the row to be changed; made with the defaults where there is none."""
    return SiteSettings.objects.get_or_create(pk=SITE_ROW)[0]


def change_site(*, by: User | None, **changes: Any) -> Site:
    """Set some of the settings and write down which; return them.

    Raises:
        ValidationError: a value that a field does not take.
    """
    with transaction.atomic():
        SiteSettings.objects.get_or_create(pk=SITE_ROW)
        row = SiteSettings.objects.select_for_update().get(pk=SITE_ROW)
        before = {name: getattr(row, name) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
        note_changes(before, row, by=by)
    return site()


def note_changes(before: dict[str, Any], row: SiteSettings, *, by: User | None) -> None:
    """Write down what became different; turning maintenance on or off is an act of its own."""
    edits = {
        name: {"from": old, "to": getattr(row, name)}
        for name, old in before.items()
        if old != getattr(row, name)
    }
    about_it = {name: edits.pop(name) for name in list(edits) if name.startswith("maintenance")}
    if about_it:
        told = {
            "message": row.maintenance_message,
            "from": row.maintenance_from,
            "until": row.maintenance_until,
        }
        details = {name: value for name, value in told.items() if value}
        record(_act_of(row, about_it), by=by, about=row.name, details=details)
    if edits:
        record(Act.SITE_CHANGED, by=by, about=row.name, details=edits)


def _act_of(row: SiteSettings, edits: dict[str, Any]) -> Act:
    if row.maintenance:
        return Act.MAINTENANCE_ON
    if row.maintenance_from is not None:
        return Act.MAINTENANCE_PLANNED
    is_over = "maintenance" in edits or "maintenance_from" in edits
    return Act.MAINTENANCE_OFF if is_over else Act.SITE_CHANGED


def switch_maintenance(
    is_on: bool, *, by: User | None, message: str | None = None, until: datetime | None = None
) -> Site:
    """Turn maintenance mode on or off; a plan for later is settled by either.

    `message` None keeps the one that is there.
    """
    changes: dict[str, Any] = {
        "maintenance": is_on,
        "maintenance_from": None,
        "maintenance_until": until if is_on else None,
    }
    if message is not None:
        changes["maintenance_message"] = message
    return change_site(by=by, **changes)


def plan_maintenance(
    begins: datetime, *, by: User | None, message: str | None = None, until: datetime | None = None
) -> Site:
    """Announce maintenance that turns itself on at `begins`."""
    changes: dict[str, Any] = {
        "maintenance": False,
        "maintenance_from": begins,
        "maintenance_until": until,
    }
    if message is not None:
        changes["maintenance_message"] = message
    return change_site(by=by, **changes)


def begin_planned(now: datetime) -> bool:
    """Turn on what was planned for a time that has come; called at every tick of the watchdog."""
    begins = site().maintenance_from
    if begins is None or begins > now or site().is_switched:
        return False
    change_site(by=None, maintenance=True, maintenance_from=None)
    return True


def _forget_now_and_then(**_: Any) -> None:
    # Now for whoever reads in this transaction; once more because others may read the old row
    # before it is committed.
    forget()
    transaction.on_commit(partial(forget))


post_save.connect(_forget_now_and_then, sender=SiteSettings, dispatch_uid="site_saved")
post_delete.connect(_forget_now_and_then, sender=SiteSettings, dispatch_uid="site_deleted")
