"""One value out of a JSON column as a number or as text, the same on SQLite and PostgreSQL.

Names are taken as they are, whatever dots, digits and quotes they have; a value of another type
is NULL instead of an error or an order of its own.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import FloatField, Func, TextField
from django.db.models.sql.compiler import SQLCompiler

_Sql = tuple[str, tuple[str | int, ...]]


class _JsonValue(Func):
    """A value of a JSON object by its name."""

    sqlite = ""
    # Paths of SQLite do not find every name; its table of members does, a little slower.
    sqlite_odd = ""
    postgresql = ""

    def __init__(self, expression: Any, name: str, **extra: Any) -> None:
        super().__init__(expression, **extra)
        self.key = name

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> _Sql:
        """Write it for SQLite."""
        if not self.key.isascii() or '"' in self.key or "\\" in self.key:
            return self._write(compiler, self.sqlite_odd, self.key)
        return self._write(compiler, self.sqlite, f'$."{self.key}"')

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> _Sql:
        """Write it for PostgreSQL."""
        return self._write(compiler, self.postgresql, self.key)

    def _write(self, compiler: SQLCompiler, sql: str, key: str) -> _Sql:
        column, params = compiler.compile(self.source_expressions[0])
        places = sql.count("%s")
        return sql.replace("{}", column), (*params * sql.count("{}"), *[key] * places)


class JsonNumber(_JsonValue):
    """The number of this name; NULL where it is missing or something else."""

    output_field = FloatField()
    sqlite = (
        "CASE WHEN JSON_TYPE({}, %s) IN ('integer', 'real')"
        " THEN CAST(JSON_EXTRACT({}, %s) AS REAL) END"
    )
    sqlite_odd = (
        "(SELECT CASE WHEN type IN ('integer', 'real') THEN CAST(value AS REAL) END"
        " FROM json_each({}) WHERE key = %s)"
    )
    postgresql = (
        "CASE WHEN jsonb_typeof({} -> %s::text) = 'number'"
        " THEN ({} ->> %s::text)::double precision END"
    )


class JsonText(_JsonValue):
    """The text of this name, true and false as words, lists as JSON; NULL for numbers."""

    output_field = TextField()
    sqlite = (
        "CASE JSON_TYPE({}, %s) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
        " WHEN 'integer' THEN NULL WHEN 'real' THEN NULL"
        " ELSE JSON_EXTRACT({}, %s) END"
    )
    sqlite_odd = (
        "(SELECT CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
        " WHEN 'integer' THEN NULL WHEN 'real' THEN NULL ELSE value END"
        " FROM json_each({}) WHERE key = %s)"
    )
    postgresql = "CASE WHEN jsonb_typeof({} -> %s::text) <> 'number' THEN {} ->> %s::text END"


class JsonHas(_JsonValue):
    """Whether the object has this name at all; its value may be null."""

    sqlite = "(JSON_TYPE({}, %s) IS NOT NULL)"
    sqlite_odd = "EXISTS(SELECT 1 FROM json_each({}) WHERE key = %s)"
    postgresql = "jsonb_exists({}, %s)"
    conditional = True
