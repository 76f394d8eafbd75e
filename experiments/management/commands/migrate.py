"""Django's `migrate`, which is quick on an empty database."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from experiments.first_tables import is_empty, make_tables


class Command(migrate.Command):
    """Make all tables at once where there is none; everything else is as Django does it."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; with a name of an application or another wish, in small steps as ever."""
        special = ("app_label", "plan", "check_unapplied", "fake", "fake_initial", "prune")
        connection = connections[options["database"]]
        if not any(options.get(name) for name in special) and is_empty(connection):
            connection.prepare_database()
            make_tables(connection)
        super().handle(*args, **options)
