"""How busy compute targets were lately, from the times of their runs; room on the disk."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from redis.exceptions import RedisError

from experiments.models import Run, Sweep
from experiments.slot_use import SlotUse, slot_use

logger = logging.getLogger(__name__)

# Word in the address -> (how long, pieces).
WINDOWS: Final = {"day": (timedelta(hours=24), 24), "week": (timedelta(days=7), 28)}
_KEEP_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of the runs; `bucket` names where files go when a run has ended, if elsewhere."""

    free: int
    total: int
    bucket: str
    is_low: bool

    @property
    def used(self) -> int:
        """Return what is taken."""
        return self.total - self.free


def compute_use(names: Collection[str], window: str, now: datetime) -> dict[str, SlotUse]:
    """Return the busy slots of targets over a window; one query, at most once a minute."""
    key = f"compute-use-{window}"
    try:
        kept = cache.get(key)
    except (RedisError, OSError) as error:
        logger.warning("use of compute is counted anew: %s", error)
        kept = None
    if kept is None or not set(names) <= kept.keys():
        kept = _count_use(names, window, now)
        try:
            cache.set(key, kept, _KEEP_SECONDS)
        except (RedisError, OSError) as error:
            logger.warning("use of compute is not kept: %s", error)
    return {name: kept[name] for name in names}


def _count_use(names: Collection[str], window: str, now: datetime) -> dict[str, SlotUse]:
    length, pieces = WINDOWS[window]
    since = now - length
    # Sweeps first: their index of runs is what there is.
    sweeps = Sweep.objects.filter(compute__name__in=names, started_at__lt=now).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=since)
    )
    runs = (
        Run.objects.filter(sweep__in=sweeps.order_by().values("pk"), started_at__lt=now)
        .filter(Q(ended_at__isnull=True) | Q(ended_at__gt=since))
        .order_by()
    )
    spans: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for name, started, ended in runs.values_list(
        "sweep__compute__name", "started_at", "ended_at"
    ).iterator(2000):
        if started is not None:
            spans[name].append((started.timestamp(), (ended or now).timestamp()))
    start, end = since.timestamp(), now.timestamp()
    return {name: slot_use(own, start=start, end=end, pieces=pieces) for name, own in spans.items()}


def disk_of_runs() -> Disk:
    """Return how much room the disk of the runs has.

    Raises:
        OSError: it cannot be asked.
    """
    # The folder comes with the first run.
    folder = Path(settings.STUDIO_STORAGE_ROOT).absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    usage = shutil.disk_usage(existing)
    bucket = settings.STUDIO_STORAGE_BUCKET
    # Workers stop to take runs at the limit: somebody should know well before.
    low = max(10 * settings.STUDIO_MIN_FREE_BYTES, usage.total // 20)
    return Disk(usage.free, usage.total, bucket.bucket if bucket else "", usage.free < low)
