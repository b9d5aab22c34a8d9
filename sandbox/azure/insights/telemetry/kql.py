"""KQL on DuckDB, as the query API answers it. What is not translated is refused, never answered wrongly."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import duckdb_kql
from duckdb_kql.engine import schema

#: Types of DuckDB, by their first word, and of KQL. Lists and structures are dynamic.
_TYPES = {
    "BIGINT": "long",
    "BOOLEAN": "bool",
    "DATE": "datetime",
    "DECIMAL": "decimal",
    "DOUBLE": "real",
    "FLOAT": "real",
    "HUGEINT": "long",
    "INTEGER": "int",
    "INTERVAL": "timespan",
    "TIMESTAMP": "datetime",
    "UBIGINT": "long",
    "UUID": "guid",
    "VARCHAR": "string",
}
_TICKS = 10  # of 100 ns, in a microsecond


class QuestionError(ValueError):
    """A question that cannot be answered: `unsupported` where Azure could."""

    def __init__(self, message: str, *, unsupported: bool = False) -> None:
        super().__init__(message)
        self.unsupported = unsupported


@dataclass(frozen=True)
class Answer:
    """`columns` as (name, type of KQL); rows as JSON has them."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]


def ask(connection: duckdb.DuckDBPyConnection, question: str, tables: Collection[str]) -> Answer:
    """The answer from these tables and no others. Raises QuestionError."""
    if question.lstrip().startswith("."):
        raise QuestionError("A recognition error occurred: control commands are no queries.")
    known = {name: columns for name, columns in schema(connection).items() if name in tables}
    try:
        statement = str(duckdb_kql.to_sql(question, schema=known, allow_write=False))
        for name in _tables_of(connection, statement):
            if name not in tables:
                raise QuestionError(f"Failed to resolve table or column expression named '{name}'")
        result = connection.sql(statement)
        columns = [(name, _type(str(kind))) for name, kind in zip(result.columns, result.types, strict=True)]
        rows = [[_value(cell) for cell in row] for row in result.fetchall()]
    except duckdb_kql.KqlUnsupportedError as error:
        message = f"The sandbox does not know this part of KQL: {error}"
        raise QuestionError(message, unsupported=True) from error
    except (duckdb_kql.KqlError, duckdb.Error) as error:
        raise QuestionError(str(error)) from error
    return Answer(columns, rows)


def _tables_of(connection: duckdb.DuckDBPyConnection, statement: str) -> Iterator[str]:
    """The tables that a statement reads, by the names it uses, qualified where it qualifies them."""
    # All rows, or the connection is busy with the ones that were not read.
    ((text,),) = connection.execute("SELECT json_serialize_sql(?)", [statement]).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        raise QuestionError(f"The question is none that reads: {tree.get('error_message')}")
    nodes = list(_nodes(tree))
    own = {entry["key"] for node in nodes for entry in (node.get("cte_map") or {}).get("map", ())}
    for node in nodes:
        if node.get("type") == "BASE_TABLE":
            parts = (node["catalog_name"], node["schema_name"], node["table_name"])
            name = ".".join(part for part in parts if part)
            if name not in own:
                yield name


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(part)


def _type(kind: str) -> str:
    return _TYPES.get(kind.partition(" ")[0].partition("(")[0], "dynamic") if "[" not in kind else "dynamic"


def _value(value: Any) -> Any:
    """As the API writes it: times in UTC, spans as d.hh:mm:ss.fffffff, dynamic values as text."""
    if isinstance(value, datetime):
        when = value if value.tzinfo else value.replace(tzinfo=UTC)
        return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return _span(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, dict | list):
        return json.dumps(value, default=str)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _span(value: timedelta) -> str:
    ticks = abs(value) // timedelta(microseconds=1) * _TICKS
    seconds, fraction = divmod(ticks, 10_000_000)
    days, rest = divmod(seconds, 86_400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}{f'{days}.' if days else ''}{text}{f'.{fraction:07}' if fraction else ''}"
