"""Slow queries: what is kept of them, that nothing of a value is, and that there is a limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import connection

from experiments.services import counters, slow_queries
from experiments.sql_shapes import shape_of

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    # Another test may have been without Redis a moment ago.
    monkeypatch.setattr(counters._state, "paused_until", 0.0)
    monkeypatch.setattr(slow_queries, "THRESHOLD_SECONDS", 0.0)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        slow_queries.forget_all(client)
        yield client
        slow_queries.forget_all(client)


def run(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_a_slow_query_is_kept_without_its_values(server: redis.Redis) -> None:
    slow_queries.note_place("sweeps")
    for limit in (10, 20):
        run(LONG.format(limit) + "SELECT 'a secret', count(*) FROM n WHERE i > %s", 3)

    kept = [query for query in slow_queries.slowest(server) if "RECURSIVE" in query.sql]
    assert [(query.place, query.count) for query in kept] == [("sweeps", 2)]
    assert "secret" not in kept[0].sql
    assert kept[0].sql.endswith("SELECT ?, count(*) FROM n WHERE i > %s")
    assert kept[0].worst > 0
    assert kept[0].mean > 0


@pytest.mark.django_db(transaction=True)
def test_only_the_slowest_stay(server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_queries, "MOST_KEPT", 3)
    for column in "abcdef":
        slow_queries._send(f"SELECT {column}", "here", "", float(ord(column)))

    assert [query.sql[-1] for query in slow_queries.slowest(server)] == ["f", "e", "d"]
    assert len(server.hgetall("studio:slow-queries")) == 9


@pytest.mark.django_db
def test_quick_queries_and_a_missing_redis_cost_nothing(
    server: redis.Redis, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_queries, "THRESHOLD_SECONDS", 60.0)
    run("SELECT 1")
    assert slow_queries.slowest(server) == []

    settings.REDIS_URL = f"unix://{settings.STUDIO_HOME}/none.sock"
    slow_queries._send("SELECT 1", "", "", 1.0)
    assert counters.is_away()


def test_shapes_hold_no_values() -> None:
    shapes = {
        "SELECT * FROM t1 WHERE a IN (%s, %s, %s)": "SELECT * FROM t1 WHERE a IN (…)",
        "INSERT INTO t VALUES (%s, %s), (%s, %s)": "INSERT INTO t VALUES (…), …",
        "SELECT 'it''s', 1.5e3, \"t2\".\"c3\" LIMIT 21": 'SELECT ?, ?, "t2"."c3" LIMIT ?',
        "SELECT  x\n  FROM t": "SELECT x FROM t",
        "SELECT 'cut off": "SELECT …",
    }

    assert {sql: shape_of(sql) for sql in shapes} == shapes
    assert len(shape_of("SELECT " + "column, " * 1000)) == 1500
