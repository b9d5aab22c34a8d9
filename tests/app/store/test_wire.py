"""The stores over the official SDK, on the sandbox's Cosmos DB, with the role that agents have; and over the
container in memory that the other tests use, which must answer alike.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from azure.cosmos.aio import CosmosClient

from app.llm.budget import Budget
from app.llm.metering import OverBudget
from app.store.account import day_of
from app.store.documents import ContinuationError, Create, Documents, Operation, Replace, Upsert
from app.store.errors import ConflictError, StaleError, StoreError
from app.store.events import MOST_EVENTS, EventStore
from app.store.ledger import Ledger
from app.store.letters import Letters
from app.store.markers import Markers
from app.store.outbox import Entry, Outbox
from infra.azure.cosmos_roles import AGENT, AGENT_ACTIONS
from sandbox.azure.documentdb.naming import ACCOUNT
from sandbox.azure.documentdb.roles import RoleDefinitionHandler
from tests.app.events.examples import event, execution
from tests.app.llm.test_budget import limits
from tests.app.store.container import Container
from tests.app.virtual import START
from tests.sandbox.azure.documentdb import conftest as sandboxed
from tests.sandbox.azure.fakes import Credential

pytestmark = pytest.mark.slow

WHO = "44444444-4444-4444-4444-444444444444"
LATER = START + timedelta(hours=1)


class AsyncCredential:
    async def get_token(self, *scopes: str, **options: Any) -> Any:
        return Credential(WHO).get_token(*scopes, **options)

    async def close(self) -> None: ...


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandboxed.Cosmos]:
    with sandboxed.running(tmp_path_factory.mktemp("wire")) as found:
        (account,) = found.world.store.list(type=ACCOUNT)
        properties = {
            "roleName": "Agent",
            "type": "CustomRole",
            "assignableScopes": [str(account.id)],
            "permissions": [{"dataActions": list(AGENT_ACTIONS)}],
        }
        found.put(
            RoleDefinitionHandler,
            f"{sandboxed.ACCOUNT}/sqlRoleDefinitions/{AGENT}",
            {"properties": properties},
        )
        found.assign(WHO, AGENT, "/dbs/AgentsDB", name="aaaaaaaa-0000-0000-0000-000000000009")
        yield found


@dataclass
class Place:
    events: Documents
    ledger: Documents


@pytest.fixture(params=["memory", "wire"])
async def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """Containers that this test alone uses."""
    if request.param == "memory":
        yield Place(Documents(Container()), Documents(Container("day")))
        return
    cosmos = request.getfixturevalue("cosmos")
    number = next(sandboxed._numbers)
    day = {"paths": ["/day"], "kind": "Hash", "version": 2}
    await asyncio.to_thread(cosmos.container, f"Events{number}", defaultTtl=3600)
    await asyncio.to_thread(cosmos.container, f"Ledger{number}", partitionKey=day, defaultTtl=3600)
    credential: Any = AsyncCredential()
    # aiohttp reads the trust store when it is imported, which may have been for another test.
    trust = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trust)
    async with CosmosClient(sandboxed.URL, credential) as client:
        database = client.get_database_client("AgentsDB")
        yield Place(
            Documents(database.get_container_client(f"Events{number}")),
            Documents(database.get_container_client(f"Ledger{number}")),
        )


def _id(entry: Entry) -> str:
    return entry.id


async def test_documents_are_written_under_their_preconditions(place: Place) -> None:
    events, one = place.events, {"id": "1", "agent": "devops", "n": 1}
    assert await events.read("devops", "1") is None
    await events.create(one)
    with pytest.raises(ConflictError):
        await events.create(one)
    found = await events.read("devops", "1")
    assert found is not None
    (etag,) = await events.batch("devops", [Replace({**one, "n": 2}, found["_etag"])])
    with pytest.raises(StaleError):
        await events.batch("devops", [Replace({**one, "n": 3}, found["_etag"])])
    await events.batch("devops", [Replace({**one, "n": 4}, etag)])
    await events.upsert({**one, "id": "2"})
    assert await events.read("servicedesk", "1") is None


async def test_a_transaction_is_done_as_a_whole(place: Place) -> None:
    events = place.events
    await events.create({"id": "1", "agent": "devops"})
    created = [Create({"id": "0", "agent": "devops"}), Create({"id": "1", "agent": "devops"})]
    with pytest.raises(ConflictError):
        await events.batch("devops", created)
    assert await events.read("devops", "0") is None
    operations: list[Operation] = [
        Upsert({"id": "2", "agent": "devops"}),
        Replace({"id": "9", "agent": "devops"}, "x"),
    ]
    with pytest.raises(StoreError):
        await events.batch("devops", operations)
    assert await events.read("devops", "2") is None


async def test_executions_are_recorded_once_and_listed(place: Place) -> None:
    store, told = EventStore(place.events, recorded=True, clock=lambda: START), list[Entry]()
    store.subscribe(told.extend)
    made = [execution(at=START + timedelta(seconds=number)) for number in range(5)]
    for number, one in enumerate(made):
        await store.record(one, [event()], once=f"request/{number}?")
    again = await store.record(execution(), [event()], once="request/0?")
    assert (again.fresh, again.execution) == (False, made[0])
    assert await store.find("servicedesk", made[1].id) == made[1]
    first = await store.list("servicedesk", 2)
    second = await store.list("servicedesk", 2, first.after)
    third = await store.list("servicedesk", 2, second.after)
    newest = [*first.executions, *second.executions, *third.executions]
    assert newest == made[::-1]
    assert third.after is None
    with pytest.raises(ContinuationError):
        await store.list("servicedesk", 2, "bm9uc2Vuc2U")
    await store.record(execution("devops"), [event() for _ in range(MOST_EVENTS)], once="x")

    outbox = Outbox(place.events, "servicedesk")
    pending = await outbox.pending("topic", LATER)
    wanted = [one for one in told[:10] if one.target == "topic"]
    assert sorted(pending, key=_id) == sorted(wanted, key=_id)
    assert len(await outbox.pending("sql", LATER, 3)) == 3
    await outbox.settle([one for one in told if one.target == "topic" and one.agent == "servicedesk"], START)
    assert await outbox.pending("topic", LATER) == []
    assert len(await outbox.pending("sql", LATER)) == 5
    settled = [one.body for one in told if one.target == "topic" and one.agent == "servicedesk"]
    assert sorted(map(str, (await outbox.settled("topic", START))[0])) == sorted(map(str, settled))
    assert await outbox.settled("topic", START + timedelta(seconds=1)) == ([], None)
    assert len(await Outbox(place.events, "devops").pending("topic", LATER)) == MOST_EVENTS


async def test_markers_and_letters_are_kept(place: Place) -> None:
    markers, letters = Markers(place.events, "devops"), Letters(place.events, lambda: START)
    assert not await markers.seen("k")
    await markers.mark("k")
    await markers.mark("k")
    assert await markers.seen("k")
    assert [await markers.count("k"), await markers.count("k")] == [1, 2]
    await markers.discount("k")
    assert await markers.count("k") == 2
    await markers.forgive("k")
    assert await markers.count("k") == 1
    for agent in ("devops", "servicedesk"):
        await letters.bury(agent, "m/1", "text \x00 é", "reason")
    await letters.bury("devops", "m/1", "text", "another reason")
    assert [(one.agent, one.reason) for one in await letters.all("devops")] == [("devops", "another reason")]
    assert len(await letters.all()) == 2
    assert not await letters.replayed("devops", "m/1")
    await letters.mark_replayed("devops", "m/1")
    await letters.mark_replayed("devops", "m/1")
    assert await letters.replayed("devops", "m/1")


async def test_pods_share_one_budget(place: Place) -> None:
    budgets = [
        Budget(limits(100, 150), agent, Ledger(place.ledger), lambda: START)
        for agent in ("devops", "devops", "servicedesk")
    ]
    for budget in budgets:
        await budget.__aenter__()
    asked = await asyncio.gather(
        *(budget.reserve(10) for budget in budgets for _ in range(10)), return_exceptions=True
    )
    granted = [one for one in asked if not isinstance(one, BaseException)]
    assert len([one for one in asked if isinstance(one, OverBudget)]) == 15
    await asyncio.gather(*(booking.commit(4, 2) for booking in granted))
    for budget in budgets:
        await budget.__aexit__(None, None, None)
    sheet = await Ledger(place.ledger).load(day_of(START), ("devops", "total"))
    assert (sheet.accounts["total"].committed, sheet.accounts["total"].reserved) == (90, 0)
    assert 0 < sheet.accounts["devops"].committed <= 60
