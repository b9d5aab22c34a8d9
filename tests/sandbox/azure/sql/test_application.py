"""The application migrates a server of the sandbox and lets its agents in, as it does on Azure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from app import migrate
from app.dependency import DependencyError
from app.settings import SqlSettings
from app.store import database
from app.store.database import Database, make_engine
from tests.sandbox.azure.sql.conftest import ADMINISTRATOR, DATABASE, SERVER, Sql

AGENT = "id-notification-agents-dev"


@dataclass
class Credential:
    """A workload's: a token of one identity for whatever is asked."""

    cloud: Sql
    object_id: str

    def get_token(self, scope: str, **_: Any) -> Any:
        return SimpleNamespace(token=self.cloud.token(self.object_id, scope.removesuffix("/.default")))


@pytest.fixture
def settings(server: Sql, monkeypatch: pytest.MonkeyPatch) -> SqlSettings:
    found = database._arguments
    monkeypatch.setattr(database, "_arguments", lambda given: {**found(given), "hostaddr": "127.0.0.1"})
    return SqlSettings.model_validate(
        {
            "Server": f"{SERVER}.database.azure.test",
            "Port": server.estate.gateway.port,
            "Database": DATABASE,
            "Dialect": "postgresql",
            "User": ADMINISTRATOR,
        }
    )


def _migrate(server: Sql, settings: SqlSettings, users: dict[str, uuid.UUID]) -> None:
    wanted = settings.model_copy(update={"users": users})
    migrate.migrate(wanted, Credential(server, server.administrator))  # type: ignore[arg-type]


def _agent(server: Sql, settings: SqlSettings, object_id: str) -> Database:
    mine = settings.model_copy(update={"user": AGENT})
    return Database(make_engine(mine, Credential(server, object_id)))  # type: ignore[arg-type]


@pytest.mark.slow
async def test_agents_are_let_in_by_client_id_and_again_when_their_identity_was_made_anew(
    server: Sql, settings: SqlSettings
) -> None:
    first, client = server.services.principals.create(AGENT, "ManagedIdentity")
    _migrate(server, settings, {AGENT: uuid.UUID(client)})
    await _agent(server, settings, first).check()
    _migrate(server, settings, {AGENT: uuid.UUID(client)})
    await _agent(server, settings, first).check()

    second, client = server.services.principals.create(AGENT, "ManagedIdentity")
    with pytest.raises(DependencyError, match="Login failed"):
        await _agent(server, settings, second).check()
    _migrate(server, settings, {AGENT: uuid.UUID(client)})
    await _agent(server, settings, second).check()
    with pytest.raises(DependencyError, match="Login failed"):
        await _agent(server, settings, first).check()

    _migrate(server, settings, {})
    with pytest.raises(DependencyError, match="Login failed"):
        await _agent(server, settings, second).check()
