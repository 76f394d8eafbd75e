"""Whose database it is: that of the newest studio that ever migrated it.

Older code would write rows as it knows them, so it says no before it writes anything.
"""

from __future__ import annotations

from django.db.migrations.loader import MigrationLoader

from studio.version import VERSION


def unknown_migrations(loader: MigrationLoader) -> list[str]:
    """Return what was done to the database by a newer studio, the last of it at the end.

    Applications that are not installed any more (single sign-on was turned off) do not count.
    """
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known.update(migration.replaces)
    applied = (key for key in loader.applied_migrations if key[0] in loader.migrated_apps)
    return sorted(name for app, name in applied if (app, name) not in known)


def refusal(unknown: list[str]) -> str:
    """Say in two sentences why this studio does not start on a database, and what to do."""
    return (
        f"The database is newer than this studio {VERSION}: it has {unknown[-1]}. "
        "Install the version that last ran on it, or restore the backup from before the upgrade."
    )
