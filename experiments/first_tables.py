"""The tables of an empty database, made at once as the last migration leaves them.

To go through all migrations takes seconds of a processor, nearly all of it to work out models that
the next migration changes again; an empty database has no rows that they could move.
tests/services/test_first_tables.py shows that both ways lead to the same tables.
"""

from __future__ import annotations

from typing import Final

from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import RunPython
from django.db.migrations.executor import MigrationExecutor

# Of the others' migrations, what runs Python moves rows.
_OURS: Final = "experiments"


def is_empty(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a database has no table at all."""
    with connection.cursor() as cursor:
        return not connection.introspection.table_names(cursor)


def make_tables(connection: BaseDatabaseWrapper) -> None:
    """Make all tables, and note that all migrations have been applied; all of it or nothing."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    apps = executor.loader.project_state().apps
    executor.recorder.ensure_schema()
    with connection.schema_editor(atomic=True) as editor:
        for model in apps.get_models():
            if router.allow_migrate_model(connection.alias, model) and model._meta.can_migrate(
                connection
            ):
                editor.create_model(model)
        for migration, _ in plan:
            for operation in migration.operations:
                # Triggers, which no model knows of.
                if isinstance(operation, RunPython) and migration.app_label == _OURS:
                    operation.code(apps, editor)
            executor.recorder.record_applied(migration.app_label, migration.name)
