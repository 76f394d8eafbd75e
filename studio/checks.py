"""System checks of this installation: `manage.py check`, and with `--deploy` those that connect.

Each failure carries its cure. Imported by the table of addresses, so that Django finds them.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from typing import Any

import django_rq
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from redis.exceptions import RedisError

from studio import env


@register(Tags.security)
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    """The generated key is readable by its owner alone."""
    path = settings.STUDIO_HOME / "secret-key"
    if env.text("STUDIO_SECRET_KEY") or not path.exists():
        return []
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return []
    return [
        Error(
            f"{path} has mode {mode:o}: others can read the key that signs every session.",
            hint=f"Run: chmod 600 {path}",
            id="studio.E001",
        )
    ]


@register()
def check_channel_layer(**kwargs: Any) -> list[CheckMessage]:
    """Live updates cross processes: workers publish, the web server listens."""
    backend = str(settings.CHANNEL_LAYERS["default"]["BACKEND"])
    if not backend.endswith("InMemoryChannelLayer"):
        return []
    return [
        Error(
            "CHANNEL_LAYERS keeps messages in one process, so pages never hear of the workers.",
            hint="Use channels_redis.pubsub.RedisPubSubChannelLayer.",
            id="studio.E002",
        )
    ]


@register(Tags.database)
def check_journal(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """SQLite writes ahead: readers and writers do not wait for each other."""
    if "default" not in (databases or ()) or connections["default"].vendor != "sqlite":
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode = cursor.fetchone()[0]
    if mode in ("wal", "memory"):
        return []
    return [
        checks.Warning(
            f"SQLite's journal mode is {mode}; pages and workers will block each other.",
            hint="Keep STUDIO_HOME on a local disk: write-ahead logs do not work on NFS.",
            id="studio.W001",
        )
    ]


@register(deploy=True)
def check_redis(**kwargs: Any) -> list[CheckMessage]:
    """The server of queues and live updates answers."""
    try:
        django_rq.get_connection("default").ping()
    except (RedisError, OSError) as error:
        return [
            Error(
                f"The Redis-protocol server does not answer: {error}",
                hint="Start the studio (`studio up`), or correct REDIS_URL.",
                id="studio.E003",
            )
        ]
    return []
