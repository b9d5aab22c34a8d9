"""How old the backups are that Azure makes itself, as Resource Manager tells it.

Cosmos DB says what it could be restored to; SQL says only since when, and backs up its log every five to ten
minutes. https://learn.microsoft.com/azure/cosmos-db/get-latest-restore-timestamp
https://learn.microsoft.com/azure/azure-sql/database/automated-backups-overview
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
from azure.core.credentials_async import AsyncTokenCredential

from app.backup.settings import BackupSettings
from app.dependency import DependencyError

_COSMOS, _SQL = "2024-08-15", "2023-08-01"
_WAIT_SECONDS, _PATIENCE_SECONDS = 5.0, 300.0
_ACCEPTED = 202
#: How old SQL's log backups may be at most, for which nothing can be asked.
_LOG_BACKUP_SECONDS = 600.0


class ResourceManager:
    """Asks as this identity. Raises DependencyError."""

    def __init__(self, endpoint: str, credential: AsyncTokenCredential, http: httpx.AsyncClient) -> None:
        self._endpoint, self._credential, self._http = endpoint.rstrip("/"), credential, http

    async def ask(self, method: str, path: str, version: str, body: Any = None) -> dict[str, Any]:
        """What a request answers, after its operation has ended if it takes a while."""
        url = f"{self._endpoint}{path}"
        answer = await self._send(method, url, params={"api-version": version}, json=body)
        end = time.monotonic() + _PATIENCE_SECONDS
        while answer.status_code == _ACCEPTED and (later := answer.headers.get("location")):
            if time.monotonic() > end:
                raise DependencyError(f"{path} was not answered within {_PATIENCE_SECONDS:g} seconds")
            await asyncio.sleep(float(answer.headers.get("retry-after", _WAIT_SECONDS)))
            answer = await self._send("GET", later)
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    async def _send(self, method: str, url: str, **options: Any) -> httpx.Response:
        token = await self._credential.get_token(f"{self._endpoint}/.default")
        try:
            answer = await self._http.request(
                method, url, headers={"Authorization": f"Bearer {token.token}"}, **options
            )
        except httpx.HTTPError as error:
            raise DependencyError(f"Resource Manager does not answer: {error}") from error
        if answer.is_error:
            raise DependencyError(f"{method} {url}: {answer.text[:300]}", answer.status_code)
        return answer


class Restorable:
    """The newest moment that a service's own backups reach. `newest` raises DependencyError."""

    def __init__(self, name: str, newest: Callable[[], Awaitable[float]]) -> None:
        self.name, self.newest = name, newest


def restorables(settings: BackupSettings, arm: ResourceManager) -> list[Restorable]:
    source = settings.source

    async def cosmos() -> float:
        path = (
            f"{source.cosmos_id}/sqlDatabases/{source.cosmos_database}/containers/{source.cosmos_container}"
        )
        answer = await arm.ask(
            "POST", f"{path}/retrieveContinuousBackupInformation", _COSMOS, {"location": source.location}
        )
        text = (answer.get("continuousBackupInformation") or {}).get("latestRestorableTimestamp")
        return _moment(text, "Cosmos DB names no moment that it could be restored to")

    async def sql() -> float:
        answer = await arm.ask("GET", f"{source.sql_id}/databases/{source.sql_database}", _SQL)
        text = answer.get("properties", {}).get("earliestRestoreDate")
        return max(
            _moment(text, "the SQL database has no point that it could be restored to"),
            time.time() - _LOG_BACKUP_SECONDS,
        )

    return [Restorable("cosmos", cosmos), Restorable("sql", sql)]


def _moment(text: Any, otherwise: str) -> float:
    """Seconds since the epoch, of a time in ISO 8601 or, as Cosmos DB writes it, in the American way."""
    if not isinstance(text, str) or not text:
        raise DependencyError(otherwise)
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass
    try:
        return datetime.strptime(f"{text} +0000", "%m/%d/%Y %I:%M:%S %p %z").timestamp()
    except ValueError as error:
        raise DependencyError(f"{text!r} is not a time") from error
