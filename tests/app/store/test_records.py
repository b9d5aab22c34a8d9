"""Rows of executions, on a real PostgreSQL, as an agent with the rights of one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from sqlalchemy import Engine, select

from app.dependency import DependencyError, RefusedError
from app.migrate import migrate
from app.settings import SqlSettings
from app.store.database import make_engine
from app.store.records import Record, Records, input_hash
from app.store.tables import AGENT_EXECUTIONS
from tests.app import postgresql
from tests.app.events.examples import execution
from tests.app.test_migrate import CLIENT, MIGRATION, ONE, TOKEN, Credential
from tests.app.virtual import START

pytestmark = pytest.mark.slow

NAME = "records"


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    with postgresql.running() as server:
        yield server


@pytest.fixture
def engine(server: postgresql.Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A migrated database that this test alone uses, as an agent sees it."""
    server.execute(
        f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)',
        f'DROP ROLE IF EXISTS "{ONE}", "agents", "{MIGRATION}"',
        f"CREATE ROLE \"{MIGRATION}\" LOGIN SUPERUSER PASSWORD '{TOKEN}'",
        f'CREATE DATABASE "{NAME}" OWNER "{MIGRATION}"',
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    migrate(_settings(server, MIGRATION, Users={ONE: CLIENT}), Credential())
    server.execute(f"ALTER ROLE \"{ONE}\" PASSWORD '{TOKEN}'")
    engine = make_engine(_settings(server, ONE), Credential())
    yield engine
    engine.dispose()


def _settings(server: postgresql.Server, user: str, **more: Any) -> SqlSettings:
    return SqlSettings.model_validate(
        {
            "Server": "localhost",
            "Port": server.port,
            "Database": NAME,
            "Dialect": "postgresql",
            "User": user,
            **more,
        }
    )


def _rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(AGENT_EXECUTIONS)))


async def test_a_row_says_what_was_run_how_it_ended_and_what_it_cost(engine: Engine) -> None:
    one = execution(finished_at=START + timedelta(seconds=3))
    await Records(engine).write([Record.succeeded(one)])
    (row,) = _rows(engine)
    assert str(row.Id) == one.id
    assert (row.Agent, row.Status, row.PromptTokens, row.CompletionTokens) == (
        "servicedesk",
        "succeeded",
        10,
        5,
    )
    assert (row.StartedAt, row.FinishedAt) == (START, START + timedelta(seconds=3))
    assert row.InputHash == input_hash({"incident": "disk full"})
    assert row.Error is None


async def test_writing_again_changes_nothing_also_at_the_same_time(engine: Engine) -> None:
    records = Records(engine)
    rows = [Record.succeeded(execution()) for _ in range(20)]
    await records.write([*rows, rows[0]])
    await records.write(rows)
    more = [Record.succeeded(execution()) for _ in range(20)]

    async def write() -> None:
        while True:
            try:
                return await records.write(more)
            except RefusedError:
                raise
            except DependencyError:
                continue

    await asyncio.gather(*(write() for _ in range(2)))
    assert len(_rows(engine)) == 40


async def test_what_is_too_long_is_cut_and_does_not_fail(engine: Engine) -> None:
    one = Record.succeeded(execution(model="m" * 500)).model_copy(update={"status": "failed"})
    failed = Record.model_validate({**one.model_dump(), "error": "é" * 5000})
    await Records(engine).write([failed])
    (row,) = _rows(engine)
    assert (len(row.Model), len(row.Error), row.Status) == (128, 1024, "failed")


async def test_what_breaks_a_rule_is_refused_for_good(engine: Engine) -> None:
    wrong = Record.succeeded(execution()).model_copy(update={"prompt_tokens": -1})
    good = Record.succeeded(execution())
    with pytest.raises(RefusedError, match="CK_AgentExecutions_PromptTokens"):
        await Records(engine).write([good, wrong])
    assert _rows(engine) == []
    too_long = Record.succeeded(execution()).model_copy(update={"agent": "a" * 65})
    with pytest.raises(RefusedError):
        await Records(engine).write([too_long])


async def test_a_database_that_is_away_is_worth_another_try(server: postgresql.Server) -> None:
    settings = _settings(server, ONE).model_copy(update={"port": 1})
    with pytest.raises(DependencyError) as failed:
        await Records(make_engine(settings, Credential())).write([Record.succeeded(execution())])
    assert not isinstance(failed.value, RefusedError)


async def test_without_a_token_it_is_said(server: postgresql.Server) -> None:
    class Refused(Credential):
        def get_token(self, *scopes: str, **_: Any) -> Any:
            raise ClientAuthenticationError("no federated credential")

    records = Records(make_engine(_settings(server, ONE), Refused()))
    with pytest.raises(DependencyError, match="no federated credential") as failed:
        await records.write([Record.succeeded(execution())])
    assert failed.value.status == 401


def test_the_hash_is_of_what_the_input_says_and_not_how() -> None:
    assert input_hash({"a": 1, "b": [2]}) == input_hash({"b": [2], "a": 1})
    assert input_hash({"a": 1}) != input_hash({"a": 2})
    assert len(input_hash({})) == 64
