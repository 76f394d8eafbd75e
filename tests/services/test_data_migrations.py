"""What migrations write goes into the database that is migrated, for the rows that it has."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from tests.databases import empty_database


def migrated(database: BaseDatabaseWrapper, name: str) -> Any:
    """Bring a database to a migration; return a function that gives its models by name."""
    target = [("experiments", name)]
    MigrationExecutor(database).migrate(target)
    apps = MigrationExecutor(database).loader.project_state(target).apps
    return lambda model: apps.get_model("experiments", model).objects.using(database.alias)


def fill(rows: Any) -> None:
    """Store a sweep with two runs, the second of which repeats the first."""
    workspace = rows("Workspace").create(name="Team", slug="team")
    sweep = rows("Sweep").create(
        experiment=rows("Experiment").create(name="digits", workspace=workspace),
        compute=rows("ComputeTarget").create(name="local"),
        snapshot=rows("Snapshot").create(digest="0" * 64, size_bytes=1, file_count=1),
        name="first",
        spec={},
        seed=1,
        max_total_runs=2,
        max_concurrent_runs=1,
        metric_name="loss",
        goal="minimize",
    )
    first = rows("Run").create(sweep=sweep, public_id="HD_0_0", number=0, params={})
    rows("Run").create(sweep=sweep, public_id="HD_0_1", number=1, params={}, retry_of=first)


# Not in a transaction of the tests' own database: PostgreSQL ends one that is idle for so long.
@pytest.mark.django_db(transaction=True)
def test_rows_are_carried_over_in_the_database_that_is_migrated(tmp_path, django_db_blocker):
    with django_db_blocker.unblock(), empty_database("earlier", tmp_path) as earlier:
        fill(migrated(earlier, "0001_initial"))

        rows = migrated(earlier, "0004_snapshot_workspaces")

        origins = rows("Run").order_by("number").values_list("origin", flat=True)
        assert list(origins) == ["sampler", "retry"]
        assert list(rows("Snapshot").values_list("workspaces__slug", flat=True)) == ["team"]
