"""What Resource Manager tells of the backups that Azure makes, and what is made of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken

from app.backup.restorable import ResourceManager, restorables
from app.backup.settings import BackupSettings
from app.dependency import DependencyError

ARM = "https://management.azure.test"
_GROUP = "/subscriptions/s/resourceGroups/rg-agents-prod/providers"
SETTINGS = {
    "Source": {
        "VaultUri": "https://kv-agents-prod.vault.azure.test/",
        "DeadLetters": "https://stagentsprod.blob.storage.azure.test/",
        "CosmosId": f"{_GROUP}/Microsoft.DocumentDB/databaseAccounts/cosmos-agents-prod",
        "SqlId": f"{_GROUP}/Microsoft.Sql/servers/sql-agents-prod",
        "SqlDatabase": "AgentsDB-20261128T095930Z",
        "Location": "westeurope",
    },
    "Copies": {
        "Endpoint": "https://stagentsprodbackup.blob.storage.azure.test/",
        "Key": "https://kv-agents-prod-backup.vault.azure.test/keys/copies",
    },
    "ResourceManager": {"Endpoint": ARM},
    "INTERVAL_SECONDS": 900,
}
Answer = Callable[[httpx.Request], httpx.Response]


class Credential:
    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(scopes[0], 4102444800)


def _newest(name: str, answer: Answer) -> float:
    async def ask() -> float:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            arm = ResourceManager(f"{ARM}/", Credential(), http)  # type: ignore[arg-type]
            found = {one.name: one for one in restorables(BackupSettings.model_validate(SETTINGS), arm)}
            return await found[name].newest()

    return asyncio.run(ask())


def test_cosmos_db_is_asked_until_it_has_the_answer() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        assert request.headers["Authorization"] == f"Bearer {ARM}/.default"
        if request.method == "POST":
            assert request.url.params["api-version"]
            return httpx.Response(202, headers={"location": f"{ARM}/later", "retry-after": "0"})
        text = {"latestRestorableTimestamp": "11/28/2026 9:59:30 AM"}
        return httpx.Response(200, json={"continuousBackupInformation": text})

    assert _newest("cosmos", answer) == 1795859970
    container = f"{SETTINGS['Source']['CosmosId']}/sqlDatabases/AgentsDB/containers/Events"  # type: ignore[index]
    assert asked == [f"POST {container}/retrieveContinuousBackupInformation", "GET /later"]


def test_sql_reaches_its_last_log_backup() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json={"properties": {"earliestRestoreDate": "2026-11-01T00:00:00Z"}})

    assert _newest("sql", answer) == pytest.approx(time.time() - 600, abs=30)
    source: Any = SETTINGS["Source"]
    assert asked == [f"GET {source['SqlId']}/databases/{source['SqlDatabase']}"]


@pytest.mark.parametrize(
    ("name", "answer", "why"),
    [
        ("sql", httpx.Response(404, text="no such database"), "no such database"),
        ("sql", httpx.Response(200, json={"properties": {}}), "no point"),
        ("cosmos", httpx.Response(200, json={}), "names no moment"),
        (
            "cosmos",
            httpx.Response(200, json={"continuousBackupInformation": {"latestRestorableTimestamp": "soon"}}),
            "not a time",
        ),
    ],
    ids=["no database", "no backup", "nothing", "no time"],
)
def test_what_tells_no_moment_is_an_error_that_says_so(name: str, answer: httpx.Response, why: str) -> None:
    with pytest.raises(DependencyError, match=why):
        _newest(name, lambda _: answer)


def test_who_does_not_answer_is_an_error_too() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(DependencyError, match="does not answer"):
        _newest("sql", answer)
