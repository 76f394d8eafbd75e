"""An empty database gets the same tables at once as it gets by all migrations."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper

from experiments.first_tables import is_empty
from tests.databases import empty_database


def tables_of(other: BaseDatabaseWrapper) -> dict[str, Any]:
    """Return columns, constraints and rows of each table, without what a name is made of."""
    found = {}
    with other.cursor() as cursor:
        for table in other.introspection.table_names(cursor):
            columns = other.introspection.get_table_description(cursor, table)
            constraints = other.introspection.get_constraints(cursor, table).values()
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            found[table] = (
                sorted((c.name, str(c.type_code), c.null_ok, str(c.default)) for c in columns),
                sorted(str({**rules, "columns": rules["columns"]}) for rules in constraints),
                cursor.fetchone(),
            )
    return found


def triggers_of(other: BaseDatabaseWrapper) -> list[Any]:
    """Return what the database does by itself."""
    of_sqlite = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    of_postgres = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    with other.cursor() as cursor:
        cursor.execute(of_sqlite if other.vendor == "sqlite" else of_postgres)
        return sorted(cursor.fetchall())


def names_of(other: BaseDatabaseWrapper) -> list[Any]:
    """Return which migrations it has, by its own account."""
    with other.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return sorted(cursor.fetchall())


# Not in a transaction of the tests' own database: PostgreSQL ends one that is idle for so long.
@pytest.mark.django_db(transaction=True)
def test_tables_made_at_once_are_those_of_the_migrations(tmp_path, django_db_blocker):
    with (
        django_db_blocker.unblock(),
        empty_database("at_once", tmp_path) as at_once,
        empty_database("in_steps", tmp_path) as in_steps,
    ):
        assert is_empty(at_once)
        call_command("migrate", database="at_once", verbosity=0)
        # The name of an application asks for its migrations one by one.
        call_command("migrate", "experiments", database="in_steps", verbosity=0)
        assert not is_empty(at_once)
        call_command("migrate", database="in_steps", verbosity=0)

        assert names_of(at_once) == names_of(in_steps)
        assert tables_of(at_once) == tables_of(in_steps)
        assert triggers_of(at_once) == triggers_of(in_steps)
        assert len(tables_of(at_once)) > 40
