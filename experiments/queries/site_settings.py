"""What the administrator decided for the whole studio, read cheaply everywhere.

A process remembers the row for two seconds, so that pages and workers share one tiny query and
every process obeys a change within that time; those of one `studio up` at once. No Redis is needed.
`services.site` changes it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import DatabaseError

from experiments import clock
from experiments.models import SiteSettings
from experiments.models.site import DEFAULT_NAME, SITE_ROW
from experiments.remembered import Remembered
from experiments.spec_limits import SpecLimits

logger = logging.getLogger(__name__)

REMEMBERED_SECONDS: Final = 2.0
# What a specification without a duration has (contract).
USUAL_MINUTES: Final = 10080


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

    @property
    def maintenance_note(self) -> str:
        """What a sweep that waits because of maintenance waits for, in a sentence."""
        return "Maintenance is on: no new runs start until it ends; the sweep waits."

    @property
    def spec_limits(self) -> SpecLimits:
        """What is assumed for new sweeps, and the most that they may ask for."""
        most = {
            "max_total_runs": self.limit_total_runs,
            "max_concurrent_runs": self.limit_concurrent_runs,
            "max_duration_minutes": self.limit_duration_minutes,
        }
        longest = self.limit_duration_minutes or USUAL_MINUTES
        assumed = {
            "max_total_runs": self.default_max_total_runs,
            "max_concurrent_runs": self.default_max_concurrent_runs,
            "max_duration_minutes": self.default_max_duration_minutes
            or (longest if longest < USUAL_MINUTES else None),
        }
        return SpecLimits(
            {name: value for name, value in assumed.items() if value is not None},
            {name: value for name, value in most.items() if value is not None},
        )


def site() -> Site:
    """Return the settings of the studio: at most one query of one row in two seconds.

    Where the database does not answer, what was known last: pages that say so need a name too.
    """
    try:
        return _memory.value()
    except DatabaseError as error:
        logger.warning("The site settings cannot be read: %s", error)
        return _memory.last() or Site()


def days_in_trash() -> int:
    """Return after how many days the studio deletes what is in the trash; 0: never."""
    chosen = site().trash_days
    return settings.STUDIO_TRASH_DAYS if chosen is None else chosen


def remember(known: Site, *, seconds: float = REMEMBERED_SECONDS) -> None:
    """Let `site` answer this for a while without a query, unless the settings are changed here."""
    _memory.keep(known, seconds=seconds)


def forget() -> None:
    """Read the settings again when they are asked for next, here and in the other processes of
    this machine's `studio up`.
    """
    _memory.forget()


def _read() -> Site:
    # The plain column is the switch; `Site.maintenance` knows the plan as well.
    columns = [field.name for field in fields(Site) if field.name != "is_switched"]
    row = SiteSettings.objects.filter(pk=SITE_ROW).values(*columns, "maintenance").first()
    return Site() if row is None else Site(is_switched=row.pop("maintenance"), **row)


_memory: Final = Remembered(_read, seconds=REMEMBERED_SECONDS)
