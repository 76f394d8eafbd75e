"""A short load on a real studio with each database: nothing is lost, pages and socket stay live."""

from __future__ import annotations

import pytest

from tests.load import Load, put_load
from tests.servers import Postgres

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_runs_that_report_at_once_lose_nothing(database):
    if database == "postgres" and Postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    load = Load(runs=10, rate=10, seconds=4, database=database)

    seen = put_load(load)

    assert seen.problems(load) == []
    assert seen.points == load.reports
    assert all(seen.pages.values())
