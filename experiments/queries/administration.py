"""What the dashboard of the administration tells of rows: people, what takes room, tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count, Model, Q, Sum

from experiments.models import Artifact, AuditEntry, ModelFile, SignedInSession, Snapshot
from experiments.queries.operating import database_bytes

# Other tables of Django hold what comes with a version.
_GROWING: Final = ("experiments", "sessions")
# Sessions note that they are used every five minutes.
_JUST_NOW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class People:
    """How many people have a session, how many used one a moment ago, and all accounts."""

    signed_in: int
    just_now: int
    active: int
    administrators: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What takes room in the storage, as rows know it: names of kinds, bytes, how many files."""

    name: str
    size: int
    files: int


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table of the database; the server says how many bytes, SQLite does not."""

    model: type[Model]
    rows: int
    size: int | None

    @property
    def label(self) -> str:
        """Return what people call its rows."""
        return str(self.model._meta.verbose_name_plural).capitalize()


def people(now: datetime) -> People:
    """Return who is here; 2 queries."""
    alive = SignedInSession.objects.filter(session__expire_date__gt=now, user__is_active=True)
    here = alive.aggregate(
        signed_in=Count("user", distinct=True),
        just_now=Count("user", distinct=True, filter=Q(seen_at__gt=now - _JUST_NOW)),
    )
    accounts = User.objects.filter(is_active=True).aggregate(
        active=Count("pk"), administrators=Count("pk", filter=Q(is_superuser=True))
    )
    return People(**here, **accounts)


def taken_in_storage() -> list[Taken]:
    """Return what takes how much room in the storage, the most first; 4 queries."""
    files = Artifact.objects.order_by()
    kept = files.filter(run__sweep__trashed_at__isnull=True)
    trashed = files.filter(run__sweep__trashed_at__isnull=False)
    found = [
        _taken("Files of runs", kept),
        _taken("Files of runs in the trash", trashed),
        _taken("Registered models", ModelFile.objects.order_by()),
        _taken("Snapshots of code", Snapshot.objects.order_by()),
    ]
    return sorted((taken for taken in found if taken.files), key=lambda t: -t.size)


def _taken(name: str, rows: Any) -> Taken:
    known = rows.aggregate(size=Sum("size_bytes"), files=Count("pk"))
    return Taken(name, known["size"] or 0, known["files"])


def database_sizes() -> tuple[int, int]:
    """Return the bytes of the database, and of what SQLite has not put into its file yet."""
    size = database_bytes()
    if connection.vendor != "sqlite":
        return size, 0
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    return size, log.stat().st_size if log.exists() else 0


def largest_tables(most: int) -> list[TableSize]:
    """Return the largest tables, the first one by size or, where that is not known, by rows."""
    known = {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in _GROWING or model is User
    }
    rows = _postgres_tables() if connection.vendor == "postgresql" else _counted_tables()
    rows.sort(key=lambda row: (row[2] or 0, row[1]), reverse=True)
    found = [row for row in rows if row[0] in known]
    return [TableSize(known[name], count, size) for name, count, size in found[:most]]


def _postgres_tables() -> list[tuple[str, int, int | None]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_live_tup, pg_total_relation_size(relid) FROM pg_stat_user_tables"
        )
        return [(name, int(count), int(size)) for name, count, size in cursor.fetchall()]


def _counted_tables() -> list[tuple[str, int, int | None]]:
    """Count the rows of every table: some milliseconds per 100,000 of them."""
    names = connection.introspection.table_names()
    quoted = [(name, connection.ops.quote_name(name)) for name in names]
    with connection.cursor() as cursor:
        # One after the other: a statement with all of them reaches SQLite's limit of selects.
        return [
            (name, int(cursor.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]), None)  # noqa: S608 - names of our own tables
            for name, table in quoted
        ]


def recent_acts(most: int) -> list[AuditEntry]:
    """Return the newest entries of the audit log; 1 query."""
    return list(AuditEntry.objects.order_by("-pk")[:most])
