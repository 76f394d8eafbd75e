"""Which features of this studio work now: what `/readyz` tells load balancers and monitors.

For whoever asks, without an account: no name, path or number of this studio stands in it. Looked at
at most once a second; the bucket of a studio that has one, every half minute.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from experiments import queries
from experiments.models import Worker
from experiments.queries.site_settings import site
from experiments.services import counters
from experiments.storage.base import StorageError
from experiments.storage.chosen import storage
from studio.doctor_services import mail_refused
from studio.kept import Kept

logger = logging.getLogger(__name__)

State = Literal["works", "fails", "off"]
FEATURES: Final = ("submit", "run", "live_updates", "files", "mail")
# Without these nobody should be sent here; the others are as bad on every server of the studio.
ESSENTIAL: Final = ("submit", "files")
_KEEP_SECONDS: Final = 1.0
_BUCKET_SECONDS: Final = 30.0
# The watchdog looks every five seconds.
_SILENT_SECONDS: Final = 60.0
_NO_DATABASE: Final = "The database does not answer."
_NO_REDIS: Final = "Redis does not answer."
_NO_STORAGE: Final = "The storage of files does not take or give any."


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that people use; `why` says what is missing. "off": not set up, or not wanted."""

    name: str
    state: State
    why: str = ""


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when everything essential works, else 503; `?need=run,mail` names what is."""
    asked = request.GET.get("need", "")
    needed = [word.strip() for word in asked.split(",")] if asked else list(ESSENTIAL)
    unknown = sorted(set(needed) - set(FEATURES))
    if unknown:
        text = f"need is {', '.join(unknown)!r}; use {', '.join(FEATURES)}."
        return _answer({"status": "unknown", "detail": text}, 400)
    features = KEPT.value()
    failing = [f.name for f in features if f.name in needed and f.state != "works"]
    is_whole = all(feature.state != "fails" for feature in features)
    body = {
        "status": "failing" if failing else "ok" if is_whole else "degraded",
        "features": {
            feature.name: {"state": feature.state} | ({"why": feature.why} if feature.why else {})
            for feature in features
        },
    }
    return _answer(body, 503 if failing else 200)


def look() -> tuple[Feature, ...]:
    """Ask every part once: some tiny queries, one question to Redis, one look at the storage."""
    parts = _Parts(_database(), *_redis(), _storage())
    return (
        _feature("submit", parts.database or parts.storage),
        _run(parts),
        _feature("live_updates", parts.redis and f"{parts.redis} Pages ask every few seconds."),
        _feature("files", parts.storage),
        _mail(parts),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is wrong with each part, "" where nothing is; when the watchdog last looked."""

    database: str
    redis: str
    last_tick: float
    storage: str


def _feature(name: str, why: str) -> Feature:
    return Feature(name, "fails" if why else "works", why)


def _answer(body: Mapping[str, object], status: int) -> JsonResponse:
    response = JsonResponse(body, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _run(parts: _Parts) -> Feature:
    if not parts.database and site().maintenance:
        return Feature("run", "off", "Maintenance: no new runs start.")
    why = parts.database or parts.redis
    if not why and time.time() - parts.last_tick > _SILENT_SECONDS:
        why = "The scheduler has not looked for a minute."
    if not why and not _has_room():
        why = "The disk of the runs is full."
    if not why and not _has_worker():
        why = "No worker takes runs."
    return _feature("run", why)


def _mail(parts: _Parts) -> Feature:
    if settings.STUDIO_MAIL_SERVER is None:
        return Feature("mail", "off", "No mail server is set.")
    if parts.database:
        return _feature("mail", parts.database)
    return _feature("mail", "The mail server takes no messages." if mail_refused() else "")


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.warning("readiness: the database does not answer: %s", error)
        return _NO_DATABASE
    return ""


def _redis() -> tuple[str, float]:
    try:
        told = counters.client().hget(counters.KEY, counters.LAST_TICK)
    except (RedisError, OSError) as error:
        logger.warning("readiness: Redis does not answer: %s", error)
        return _NO_REDIS, 0.0
    return "", float(told or 0.0)


def _storage() -> str:
    if settings.STUDIO_STORAGE_BUCKET is not None:
        return _BUCKET.value()
    folder = _existing(Path(settings.STUDIO_STORAGE_ROOT))
    is_usable = folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    return "" if is_usable else _NO_STORAGE


def _bucket() -> str:
    try:
        storage().check()
    except (StorageError, ImportError) as error:
        logger.warning("readiness: %s", error)
        return _NO_STORAGE
    return ""


def _has_room() -> bool:
    free = shutil.disk_usage(_existing(Path(settings.STUDIO_STORAGE_ROOT))).free
    return free >= settings.STUDIO_MIN_FREE_BYTES


def _existing(folder: Path) -> Path:
    # It comes with the first sweep.
    return next(path for path in (folder, *folder.parents) if path.exists())


def _has_worker() -> bool:
    alive = Worker.objects.filter(last_seen_at__gte=queries.alive_since())
    return alive.filter(compute__is_enabled=True, compute__is_draining=False).exists()


_BUCKET: Final = Kept(_bucket, _BUCKET_SECONDS)
KEPT: Final = Kept[tuple[Feature, ...]](look, _KEEP_SECONDS)
