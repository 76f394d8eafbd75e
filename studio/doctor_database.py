"""The doctor at the database: version, migrations, connections, journal, clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final

from studio.doctor_finding import Seen, warned

_MIN_POSTGRES: Final = 14
# Each slot has the connection of its worker and that of the run; web and watchdog have theirs.
_PER_SLOT: Final = 2
_OTHERS: Final = 40
# Leases last 20 s; a tenth of that does no harm.
_SKEW_SECONDS: Final = 2.0


def database() -> Seen:
    """The database answers, is new enough and has exactly the tables of this version."""
    from django.db import OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor

    from experiments.database_version import unknown_migrations

    try:
        connection.ensure_connection()
    except OperationalError as error:
        return Seen(str(error).strip(), "Start the database, or correct DATABASE_URL.")
    version = ""
    if connection.vendor == "postgresql":
        found = connection.pg_version  # type: ignore[attr-defined]  # PostgreSQL alone has it
        version = f" {found // 10000}.{found % 10000}"
        if found // 10000 < _MIN_POSTGRES:
            cure = (
                f"Upgrade the server to PostgreSQL {_MIN_POSTGRES} or newer: `pg_upgradecluster`."
            )
            return Seen(f"PostgreSQL{version}", cure, "Older ones are not supported.")
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        count = len(missing)
        cure = "Run `studio up`, or `python -m django migrate`."
        return Seen(
            f"{count} migrations are missing", cure, "Tables of this version are not there."
        )
    if newer := unknown_migrations(executor.loader):
        cure = "Install the version of the studio that last ran `studio up` on this database."
        why = "This version writes rows as it knows them."
        return Seen(f"the database is newer: it has {newer[-1]}", cure, why)
    return Seen(f"{connection.vendor}{version}, migrations complete")


def connections() -> Seen:
    """The server takes as many connections as the slots will want."""
    from django.db import connection

    from experiments.models import Worker
    from experiments.queries import alive_since

    if connection.vendor != "postgresql":
        return Seen(f"not limited with {connection.vendor}")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int, "
            "current_setting('superuser_reserved_connections')::int, "
            "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
        )
        most, reserved, used = cursor.fetchone()
    slots = Worker.objects.filter(last_seen_at__gte=alive_since()).count()
    needed = slots * _PER_SLOT + _OTHERS
    detail = f"{used} of {most - reserved} used; {slots} slots may want {needed}"
    if needed <= most - reserved:
        return Seen(detail)
    cure = (
        f'Run `psql "$DATABASE_URL" -c "ALTER SYSTEM SET max_connections = {needed + 60}"` '
        "and restart the server."
    )
    return warned(detail, cure, "Runs that get no connection wait, and are given up in the end.")


def journal() -> Seen:
    """SQLite writes ahead, so that readers and writers do not wait for each other."""
    from django.db import connection

    if connection.vendor != "sqlite":
        return Seen(f"not needed with {connection.vendor}")
    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    if mode == "wal":
        return Seen("write-ahead log is on")
    cure = "Keep STUDIO_HOME on a local disk; WAL does not work on NFS."
    return Seen(f"journal mode is {mode}", cure, "Pages and workers block each other.")


def clock() -> Seen:
    """This machine, the database and the machines of the workers agree on the time."""
    from django.db import connection

    ahead = _workers_ahead()
    if ahead:
        host, seconds = max(ahead.items(), key=lambda pair: pair[1])
        return _skewed(f"the clock of {host} is {seconds:.1f} s ahead of this one", host)
    if connection.vendor != "postgresql":
        return Seen("the database has the clock of this machine")
    skew = _skew(connection)
    detail = f"{abs(skew):.1f} s between this machine and the database"
    return Seen(detail) if abs(skew) <= _SKEW_SECONDS else _skewed(detail, "both machines")


def _skew(connection: Any) -> float:
    with connection.cursor() as cursor:
        before = time.time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        theirs = float(cursor.fetchone()[0])
        after = time.time()
    # Within the time that the question took, nothing can be told.
    return theirs - min(max(theirs, before), after)


def _workers_ahead() -> dict[str, float]:
    from experiments.models import Worker

    now = datetime.now(UTC)
    rows = Worker.objects.values_list("host", "last_seen_at")
    seconds = [(host, (seen - now).total_seconds()) for host, seen in rows]
    return {host: ahead for host, ahead in seconds if ahead > _SKEW_SECONDS}


def _skewed(detail: str, where: str) -> Seen:
    cure = f"Run `timedatectl set-ntp true` on {where}."
    return Seen(detail, cure, "Leases of runs seem to be over too early or too late.")
