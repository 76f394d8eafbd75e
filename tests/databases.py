"""Databases beside the one of the tests, for what happens to a whole one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def empty_database(alias: str, folder: Path) -> Iterator[BaseDatabaseWrapper]:
    """Make a database beside the one of the tests, of the same kind; remove it afterwards."""
    is_sqlite = connection.vendor == "sqlite"
    name = str(folder / f"{alias}.sqlite3") if is_sqlite else alias
    if not is_sqlite:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {alias}")
    connections.databases[alias] = {**connection.settings_dict, "NAME": name}
    try:
        yield connections[alias]
    finally:
        connections[alias].close()
        del connections[alias], connections.databases[alias]
        if not is_sqlite:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f"DROP DATABASE {alias}")
