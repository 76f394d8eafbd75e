"""What the administrator decided for the whole studio: read cheaply everywhere, changed here.

A process remembers the row for two seconds, so that pages and workers share one tiny query and
every process obeys a change within that time. No Redis is needed.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models.signals import post_delete, post_save

from experiments import clock
from experiments.models import SiteSettings
from experiments.models.site import DEFAULT_NAME, SITE_ROW
from experiments.services.audit import Act, record

logger = logging.getLogger(__name__)

REMEMBERED_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Site:
    """The settings of the studio as of now; null columns are None: the usual applies."""

    name: str = DEFAULT_NAME
    banner: str = ""
    sign_up: str = SiteSettings.SignUp.INVITED.value
    sign_up_domains: str = ""
    is_switched: bool = False
    maintenance_message: str = ""
    maintenance_from: datetime | None = None
    maintenance_until: datetime | None = None
    default_max_total_runs: int | None = None
    default_max_concurrent_runs: int | None = None
    default_max_duration_minutes: int | None = None
    limit_total_runs: int | None = None
    limit_concurrent_runs: int | None = None
    limit_duration_minutes: int | None = None
    trash_days: int | None = None

    @property
    def maintenance(self) -> bool:
        """Whether no new runs start: switched on, or planned for a time that has come."""
        begins = self.maintenance_from
        return self.is_switched or (begins is not None and begins <= clock.now())

    @property
    def is_planned(self) -> bool:
        """Whether maintenance is announced and has not begun."""
        return self.maintenance_from is not None and not self.maintenance


class _Memory:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.site: Site | None = None
        self.until = 0.0


_memory: Final = _Memory()


def site() -> Site:
    """Return the settings of the studio: at most one query of one row in two seconds.

    Where the database does not answer, what was known last: pages that say so need a name too.
    """
    with _memory.lock:
        if _memory.site is not None and time.monotonic() < _memory.until:
            return _memory.site
    try:
        found = _read()
    except DatabaseError as error:
        logger.warning("The site settings cannot be read: %s", error)
        return _memory.site or Site()
    with _memory.lock:
        _memory.site, _memory.until = found, time.monotonic() + REMEMBERED_SECONDS
    return found


def remember(known: Site, *, seconds: float = REMEMBERED_SECONDS) -> None:
    """Let `site` answer this for a while without a query, unless the settings are changed here."""
    with _memory.lock:
        _memory.site, _memory.until = known, time.monotonic() + seconds


def forget() -> None:
    """Read the settings again when they are asked for next, in this process."""
    with _memory.lock:
        _memory.until = 0.0


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
    switched = edits.pop("maintenance", None)
    if switched is not None:
        act = Act.MAINTENANCE_ON if row.maintenance else Act.MAINTENANCE_OFF
        record(act, by=by, about=row.name, details={"message": row.maintenance_message})
    if edits:
        record(Act.SITE_CHANGED, by=by, about=row.name, details=edits)


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


def _read() -> Site:
    # The plain column is the switch; `Site.maintenance` knows the plan as well.
    columns = [field.name for field in fields(Site) if field.name != "is_switched"]
    row = SiteSettings.objects.filter(pk=SITE_ROW).values(*columns, "maintenance").first()
    return Site() if row is None else Site(is_switched=row.pop("maintenance"), **row)


def _forget_now_and_then(**_: Any) -> None:
    # Now for whoever reads in this transaction; once more because others may read the old row
    # before it is committed.
    forget()
    transaction.on_commit(partial(forget))


post_save.connect(_forget_now_and_then, sender=SiteSettings, dispatch_uid="site_saved")
post_delete.connect(_forget_now_and_then, sender=SiteSettings, dispatch_uid="site_deleted")
