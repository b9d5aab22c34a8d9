"""The migration: run for real on PostgreSQL, and for Azure SQL as a script that is parsed as T-SQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlglot
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlglot import exp
from sqlglot.errors import ErrorLevel

from app import migrate
from app.dependency import DependencyError
from app.settings import SqlSettings
from app.store import database
from app.store.database import Database, make_engine
from app.store.tables import AGENT_EXECUTIONS, metadata
from tests.app import postgresql

TOKEN = "a-token"
MIGRATION, ONE, OTHER = "id-migration-agents-dev", "id-notification-agents-dev", "id-devops-agents-dev"
CLIENT = "00112233-4455-6677-8899-aabbccddeeff"


class Credential:
    """Hands out one token; remembers what for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> Any:
        self.scopes += scopes
        return SimpleNamespace(token=TOKEN, expires_on=2**31)


def _settings(**values: Any) -> SqlSettings:
    return SqlSettings.model_validate({"Server": "sql.example", "Dialect": "mssql", **values})


def _row(**values: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "Id": uuid.uuid4(),
        "Agent": "notification",
        "Prompt": "compose",
        "PromptVersion": "1.0.0",
        "Status": "running",
        "CorrelationId": "c-1",
        "InputHash": "0" * 64,
        "StartedAt": now,
        **values,
    }


def _script_for(*users: str) -> list[list[exp.Expr | None]]:
    script = migrate.script(_settings(Users=dict.fromkeys(users, CLIENT)))
    return [
        sqlglot.parse(batch, dialect="tsql", error_level=ErrorLevel.RAISE) for batch in script.split("\nGO\n")
    ]


def test_the_script_for_azure_sql_is_t_sql() -> None:
    parsed = [statement for batch in _script_for(ONE) for statement in batch if statement]
    tables = [node for node in parsed if isinstance(node, exp.Create) and node.args["kind"] == "TABLE"]
    created = {table.find(exp.Table).name: table for table in tables}  # type: ignore[union-attr]
    columns = {
        column.name: column.kind.sql("tsql")
        for column in created["AgentExecutions"].find_all(exp.ColumnDef)
        if column.kind
    }
    assert columns["Id"] == "UNIQUEIDENTIFIER"
    assert columns["StartedAt"] == "DATETIMEOFFSET"
    assert set(columns) == set(AGENT_EXECUTIONS.columns.keys())


def test_a_broken_script_would_not_pass_for_t_sql() -> None:
    with pytest.raises(sqlglot.errors.ParseError):
        sqlglot.parse("CREATE TABLE (a INT", dialect="tsql", error_level=ErrorLevel.RAISE)


def test_azure_sql_lets_in_exactly_the_identities_that_are_listed() -> None:
    script = migrate.script(_settings(Users={ONE: CLIENT, OTHER: CLIENT}))
    for user in (ONE, OTHER):
        # As SQL Server writes a GUID in binary.
        sid = "0x33221100554477668899aabbccddeeff"
        assert f"sid <> {sid}) DROP USER [{user}];" in script
        assert f"CREATE USER [{user}] WITH SID = {sid}, TYPE = E;" in script
        assert f"ALTER ROLE [agents] ADD MEMBER [{user}]" in script
    assert "GRANT SELECT, INSERT, UPDATE ON [AgentExecutions] TO [agents]" in script
    assert f"NOT IN ('{ONE}', '{OTHER}', '')" in script
    assert "db_owner" not in script
    assert "DELETE" not in script


def test_members_of_another_environment_are_kept() -> None:
    script = migrate.script(_settings(Users={ONE: CLIENT}, Kept=[OTHER]))
    assert f"NOT IN ('{ONE}', '{OTHER}', '')" in script
    assert f"CREATE USER [{OTHER}]" not in script


def test_the_printed_script_is_nothing_but_sql(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("Sql__Server", "sql.example")
    monkeypatch.setenv("Sql__Users", f'{{"{ONE}": "{CLIENT}"}}')
    assert migrate.main(["--sql"]) == 0
    assert capsys.readouterr().out == migrate.script(_settings(Users={ONE: CLIENT}))


def test_a_name_that_is_no_identity_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("Sql__Server", "sql.example")
    monkeypatch.setenv("Sql__Users", f'{{"x]; DROP TABLE AgentExecutions;--": "{CLIENT}"}}')
    assert migrate.main(["--sql"]) == 2


def test_a_server_that_is_not_there_is_an_error_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "blocking_credential", Credential)
    for name, value in {"Server": "localhost", "Port": "1", "Dialect": "postgresql", "User": ONE}.items():
        monkeypatch.setenv(f"Sql__{name}", value)
    assert migrate.main([]) == 1


def test_azure_sql_is_called_with_a_token_of_its_audience() -> None:
    credential = Credential()
    engine = make_engine(_settings(Server="127.0.0.1", Port=1, Audience="https://sql.example/"), credential)
    with pytest.raises(DBAPIError):
        engine.connect()
    assert credential.scopes == ["https://sql.example/.default"]
    url, arguments = database._url(_settings()), database._arguments(_settings())
    connect = engine.dialect.create_connect_args(url)[0][0]
    assert connect == "Server=sql.example,1433;Database=AgentsDB;Encrypt=yes;TrustServerCertificate=no"
    assert arguments == {"timeout": 4}
    assert database._packed("ab") == b"\x04\x00\x00\x00a\x00b\x00"


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    with postgresql.running() as running:
        running.execute(f"CREATE ROLE \"{MIGRATION}\" LOGIN CREATEROLE PASSWORD '{TOKEN}'")
        yield running


@pytest.fixture
def fresh(server: postgresql.Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[postgresql.Server]:
    """With an empty database AgentsDB, of which the migration's identity is the owner."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    server.execute(f'CREATE DATABASE "AgentsDB" OWNER "{MIGRATION}"')
    yield server
    server.execute('DROP DATABASE "AgentsDB" WITH (FORCE)')
    for role in (ONE, OTHER, "agents"):
        server.execute(f'DROP ROLE IF EXISTS "{role}"')


def _on(server: postgresql.Server, user: str = MIGRATION, users: tuple[str, ...] = ()) -> SqlSettings:
    return _settings(
        Server="localhost",
        Port=server.port,
        Dialect="postgresql",
        User=user,
        Users=dict.fromkeys(users, CLIENT),
    )


def _migrate(server: postgresql.Server, *users: str) -> None:
    migrate.migrate(_on(server, users=users), Credential())
    for user in users:
        # Where PostgreSQL stands in, the token is verified by a module; here it is a password.
        server.execute(f"ALTER ROLE \"{user}\" PASSWORD '{TOKEN}'")


@pytest.mark.slow
def test_the_schema_is_the_one_the_application_reads(fresh: postgresql.Server) -> None:
    _migrate(fresh)
    with make_engine(_on(fresh), Credential()).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.slow
def test_an_agent_may_write_and_finish_executions_and_nothing_else(fresh: postgresql.Server) -> None:
    _migrate(fresh, ONE)
    engine, table = make_engine(_on(fresh, ONE), Credential()), AGENT_EXECUTIONS
    row = _row()
    with engine.begin() as connection:
        connection.execute(insert(table), row)
        connection.execute(update(table).values(Status="succeeded"))
        assert connection.execute(select(table.c.Id, table.c.PromptTokens)).one() == (row["Id"], 0)
    for refused in (
        'DELETE FROM "AgentExecutions"',
        'DROP TABLE "AgentExecutions"',
        "CREATE TABLE other (a INT)",
        "SELECT * FROM alembic_version",
    ):
        with pytest.raises(ProgrammingError), engine.begin() as connection:
            connection.execute(text(refused))


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [{"Status": "lost"}, {"PromptTokens": -1}, {"CompletionTokens": -1}])
def test_a_row_that_makes_no_sense_is_refused(fresh: postgresql.Server, wrong: dict[str, Any]) -> None:
    _migrate(fresh)
    with pytest.raises(IntegrityError), make_engine(_on(fresh), Credential()).begin() as connection:
        connection.execute(insert(AGENT_EXECUTIONS), _row(**wrong))


@pytest.mark.slow
async def test_migrating_again_changes_nothing_but_who_is_let_in(fresh: postgresql.Server) -> None:
    _migrate(fresh, ONE)
    one = Database(make_engine(_on(fresh, ONE), Credential()))
    await one.check()
    _migrate(fresh, OTHER)
    with pytest.raises(DependencyError, match="permission denied"):
        await one.check()
    await one.close()
    with pytest.raises(DependencyError, match="authentication failed"):
        await one.check()
    _migrate(fresh, ONE, OTHER)
    await one.check()
    label = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{}'"
    assert fresh.execute(label.format(ONE)) == [(f"aadauth,oid={CLIENT},type=service",)]
    await Database(make_engine(_on(fresh, OTHER), Credential())).check()


@pytest.mark.slow
async def test_a_stamp_lets_its_agents_in_beside_those_it_stands_in_for(fresh: postgresql.Server) -> None:
    _migrate(fresh, ONE)
    settings = _on(fresh, users=(OTHER,))
    migrate.migrate(settings.model_copy(update={"kept": (ONE,)}), Credential())
    one = Database(make_engine(_on(fresh, ONE), Credential()))
    await one.check()
    await one.close()
    migrate.migrate(settings, Credential())
    with pytest.raises(DependencyError, match="authentication failed"):
        await one.check()


@pytest.mark.slow
def test_a_migration_that_fails_leaves_nothing_behind(fresh: postgresql.Server) -> None:
    fresh.execute(
        "CREATE TABLE taken (a INT)",
        'CREATE INDEX "IX_AgentExecutions_InputHash" ON taken (a)',
        database="AgentsDB",
    )
    with pytest.raises(ProgrammingError):
        _migrate(fresh)
    assert fresh.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database="AgentsDB"
    ) == [("taken",)]


@pytest.mark.slow
def test_a_server_with_a_certificate_of_somebody_else_is_not_talked_to(
    fresh: postgresql.Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    postgresql._certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.crt"))
    with pytest.raises(OperationalError, match="certificate verify failed"):
        make_engine(_on(fresh), Credential()).connect()


@pytest.mark.slow
def test_a_server_under_a_name_that_its_certificate_lacks_is_not_talked_to(fresh: postgresql.Server) -> None:
    settings = _on(fresh).model_copy(update={"server": "127.0.0.1"})
    with pytest.raises(OperationalError, match="does not match host name"):
        make_engine(settings, Credential()).connect()
