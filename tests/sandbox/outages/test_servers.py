"""Which host names fall silent with a region, and what becomes of requests to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from sandbox.arm.database import Database
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource
from sandbox.arm.store import SqliteStore
from sandbox.azure.documentdb import account_body
from sandbox.names import Names
from sandbox.outages import interception
from sandbox.outages.interception import Reachable
from sandbox.outages.registry import Outages
from sandbox.outages.servers import Servers
from sandbox.router import HostRouter
from tests.sandbox.clouds import GROUP

NAMES = Names("azure.test")
WEST, NORTH = "westeurope", "northeurope"


@dataclass
class Web:
    """Every host answers `fine` and what it was sent, behind the outages."""

    store: SqliteStore
    outages: Outages
    client: httpx.AsyncClient

    def save(self, path: str, location: str | None = WEST, **properties: Any) -> None:
        id_ = parse_id(f"{GROUP}/providers/{path}")
        self.store.save(Resource(id_, {"location": location, "properties": properties}, 0.0, 0.0))

    def cosmos(self, *regions: str) -> None:
        sent = [{"locationName": one, "failoverPriority": number} for number, one in enumerate(regions)]
        self.save(
            "Microsoft.DocumentDB/databaseAccounts/cosmos-x", **account_body.places(NAMES, "cosmos-x", sent)
        )

    async def answers(self, host: str) -> bool:
        try:
            async with asyncio.timeout(0.2):
                return (await self.client.get(f"https://{host}.azure.test/x")).status_code == 200
        except TimeoutError:
            return False


async def _fine(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive()).get("body", b"")
    await PlainTextResponse(b"fine" + body)(scope, receive, send)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    store, outages = SqliteStore(Database(tmp_path / "azure.db")), Outages(tmp_path / "outages.json")
    router = HostRouter()
    router.find = lambda _host: _fine  # type: ignore[method-assign]
    transport = httpx.ASGITransport(Reachable(router, outages, Servers(NAMES, store)))
    async with httpx.AsyncClient(transport=transport) as client:
        yield Web(store, outages, client)


async def test_what_is_in_the_region_is_silent(web: Web) -> None:
    web.save("Microsoft.Storage/storageAccounts/stwest")
    web.save("Microsoft.Storage/storageAccounts/stnorth", NORTH)
    web.save("Microsoft.CognitiveServices/accounts/oai", customSubDomainName="OAI-west")
    web.save("Microsoft.ContainerRegistry/registries/acrwest")
    web.outages.begin(WEST)
    for host in (
        "stwest.blob.storage",
        "stwest.queue.storage",
        "oai-west.openai",
        "acrwest.azurecr",
        "topic.westeurope-1.eventgrid",
        "westeurope.in.applicationinsights",
        "westeurope.oic.prod-aks",
    ):
        assert not await web.answers(host), host
    for host in (
        "stnorth.blob.storage",
        "nobody.blob.storage",
        "topic.northeurope-1.eventgrid",
        "northeurope.in.applicationinsights",
        "management",
        "login",
    ):
        assert await web.answers(host), host


async def test_a_registry_is_served_by_its_replicas(web: Web) -> None:
    web.save("Microsoft.ContainerRegistry/registries/acrwest")
    web.save("Microsoft.ContainerRegistry/registries/acrwest/replications/northeurope", NORTH)
    web.outages.begin(WEST)
    assert await web.answers("acrwest.azurecr")
    web.outages.begin(NORTH)
    assert not await web.answers("acrwest.azurecr")


async def test_a_vault_is_served_by_the_paired_region(web: Web) -> None:
    web.save("Microsoft.KeyVault/vaults/kv-west")
    web.outages.begin(WEST)
    assert await web.answers("kv-west.vault")
    web.outages.begin(NORTH)
    assert not await web.answers("kv-west.vault")


async def test_an_account_of_cosmos_is_silent_where_it_is_lost(web: Web) -> None:
    web.cosmos(WEST, NORTH)
    web.outages.begin(WEST)
    assert not await web.answers("cosmos-x.documents"), "its own name leads where it is written"
    assert not await web.answers("cosmos-x-westeurope.documents")
    assert await web.answers("cosmos-x-northeurope.documents")
    web.cosmos(NORTH, WEST)
    assert await web.answers("cosmos-x.documents")


async def test_who_still_waits_when_the_region_returns_is_answered(web: Web) -> None:
    web.save("Microsoft.Storage/storageAccounts/stwest")
    web.outages.begin(WEST)
    asked = asyncio.create_task(
        web.client.post("https://stwest.blob.storage.azure.test/x", content=b", kept")
    )
    await asyncio.sleep(0.05)
    assert not asked.done()
    web.outages.end(WEST)
    assert (await asyncio.wait_for(asked, 2)).text == "fine, kept"


async def test_who_still_waits_when_writes_have_moved_is_answered(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interception, "_LOOK", 0.05)
    web.cosmos(WEST, NORTH)
    web.outages.begin(WEST)
    asked = asyncio.create_task(web.client.get("https://cosmos-x.documents.azure.test/x"))
    await asyncio.sleep(0.1)
    assert not asked.done()
    web.cosmos(NORTH, WEST)
    assert (await asyncio.wait_for(asked, 2)).text == "fine"


async def test_nobody_waits_for_ever(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is broken off (over ASGI that shows as an answer without its body)."""
    monkeypatch.setattr(interception, "_LONGEST", 0.1)
    monkeypatch.setattr(interception, "_LOOK", 0.05)
    web.save("Microsoft.Storage/storageAccounts/stwest")
    web.outages.begin(WEST)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not sent:
            await asyncio.sleep(30)
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"host", b"stwest.blob.storage.azure.test")]}
    started = time.monotonic()
    await asyncio.wait_for(web.client._transport.app(scope, receive, send), 3)  # type: ignore[attr-defined]
    assert time.monotonic() - started >= 0.1
    assert [(one["type"], one["status"]) for one in sent] == [("http.response.start", 503)]


async def test_a_client_that_gave_up_changed_nothing(web: Web) -> None:
    web.save("Microsoft.Storage/storageAccounts/stwest")
    web.outages.begin(WEST)
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    heard.put_nowait({"type": "http.request", "body": b"x", "more_body": False})
    heard.put_nowait({"type": "http.disconnect"})

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "headers": [(b"host", b"stwest.blob.storage.azure.test")]}
    await asyncio.wait_for(web.client._transport.app(scope, heard.get, send), 2)  # type: ignore[attr-defined]
