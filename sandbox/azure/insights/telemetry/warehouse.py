"""Where telemetry is kept: one DuckDB file for all workspaces, and KQL questions to what one scope holds."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import duckdb

from sandbox.azure.insights.telemetry import kql
from sandbox.azure.insights.telemetry.records import Record
from sandbox.azure.insights.telemetry.tables import TABLES, Table

#: The columns by which rows are told apart; no question sees them.
_SCOPE = {"scope_component": "VARCHAR", "scope_workspace": "VARCHAR"}
_KEPT = {table.name: f"kept_{table.name}" for table in TABLES}
_NAMES = frozenset(name for table in TABLES for name in (table.name, table.there))


@dataclass(frozen=True)
class Scope:
    """What a question is about: a component or a whole workspace (`column` says which, `key` is its key),
    between two times where there are any."""

    column: str
    key: str
    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def component(cls, key: str, start: datetime | None = None, end: datetime | None = None) -> Scope:
        return cls("scope_component", key, start, end)

    @classmethod
    def workspace(cls, key: str, start: datetime | None = None, end: datetime | None = None) -> Scope:
        return cls("scope_workspace", key, start, end)


class Warehouse:
    """Its methods block; one question is answered at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # What KQL is translated to shall reach nothing outside of the file.
        self._connection = duckdb.connect(path, config={"enable_external_access": False})
        self._connection.execute("SET TimeZone = 'UTC'")
        for table in TABLES:
            columns = ", ".join(f'"{name}" {kind}' for name, kind in _stored(table).items())
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {_KEPT[table.name]} ({columns})")
        self._asking = threading.Lock()

    def close(self) -> None:
        self._connection.close()

    def add(self, records: Sequence[Record]) -> None:
        """All or none; on disk when it returns."""
        ordered = sorted(records, key=lambda record: record.table)
        with self._connection.cursor() as cursor:
            cursor.begin()
            for name, found in groupby(ordered, key=lambda record: record.table):
                table = next(table for table in TABLES if table.name == name)
                rows = [
                    {**one.row, "scope_component": one.component, "scope_workspace": one.workspace}
                    for one in found
                ]
                cursor.execute(
                    f"INSERT INTO {_KEPT[name]} BY NAME "
                    "SELECT unnest(from_json(?::JSON, ?), recursive := true)",
                    [json.dumps(rows), json.dumps([_stored(table)])],
                )
            cursor.commit()

    def ask(self, question: str, scope: Scope) -> kql.Answer:
        """Raises QuestionError."""
        with self._asking, self._connection.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.begin()
            try:
                # Seen by this question alone: they are never committed.
                for statement in _views(scope):
                    cursor.execute(statement)
                return kql.ask(cursor, question, _NAMES)
            finally:
                cursor.rollback()


def _stored(table: Table) -> dict[str, str]:
    return {**_SCOPE, **table.columns}


def _views(scope: Scope) -> Iterator[str]:
    """The tables under both of their names. Statements of this kind take no parameters."""
    where = [f"{scope.column} = {_literal(scope.key)}"]
    if scope.start is not None:
        where.append(f"timestamp >= {_literal(scope.start.isoformat())}::TIMESTAMPTZ")
    if scope.end is not None:
        where.append(f"timestamp < {_literal(scope.end.isoformat())}::TIMESTAMPTZ")
    for table in TABLES:
        source = f"FROM {_KEPT[table.name]} WHERE {' AND '.join(where)}"
        here = ", ".join(f'"{name}"' for name in table.columns)
        there = ", ".join(f'{_there(name)} AS "{other}"' for name, other in table.columns_there.items())
        yield f"CREATE VIEW {table.name} AS SELECT {here} {source}"
        yield f"CREATE VIEW {table.there} AS SELECT {there} {source}"


def _there(column: str) -> str:
    """Log Analytics has truth values where Application Insights has texts."""
    return "success = 'True'" if column == "success" else f'"{column}"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
