"""The stubs of Azure's services, asked over TLS by the SDKs that the application uses."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosBatchOperationError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)
from azure.identity.aio import WorkloadIdentityCredential
from azure.storage.queue.aio import QueueClient

from benchmarks.load import certificate
from benchmarks.load.processes import Process, free_port

pytestmark = pytest.mark.slow

_EVENT = {"specversion": "1.0", "id": "1", "source": "/agents/a", "type": "t", "data": {"text": "<&>"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cloud")


@pytest.fixture(scope="module")
def cloud(folder: Path) -> Iterator[str]:
    made, port = certificate.make(folder), free_port()
    command = (sys.executable, "-m", "benchmarks.load.stubs.cloud", str(port), made.server)
    with Process("cloud", command, f"https://localhost:{port}/", folder):
        yield f"https://localhost:{port}"


@pytest.fixture
def trusted(folder: Path) -> str:
    """Given to each client: aiohttp reads the variables that name it once, when it is imported."""
    return str(folder / "ca" / "bundle.pem")


@pytest.fixture
async def credential(cloud: str, folder: Path, trusted: str) -> AsyncIterator[AsyncTokenCredential]:
    token = folder / "token"
    token.write_text("stub")
    async with WorkloadIdentityCredential(
        tenant_id="tenant",
        client_id="client",
        token_file_path=str(token),
        authority=cloud,
        disable_instance_discovery=True,
        connection_verify=trusted,
    ) as found:
        yield found


@pytest.fixture
async def container(
    cloud: str, credential: AsyncTokenCredential, trusted: str
) -> AsyncIterator[ContainerProxy]:
    async with CosmosClient(cloud, credential=credential, connection_verify=trusted) as client:
        yield client.get_database_client("AgentsDB").get_container_client("Events")


async def test_documents_are_written_read_and_refused(cloud: str, container: ContainerProxy) -> None:
    document = {"id": "one", "agent": "a", "type": "execution"}
    before = _executions(cloud)
    made: Any = await container.create_item(document)
    with pytest.raises(CosmosResourceExistsError):
        await container.create_item(document)
    await container.upsert_item({**document, "more": 1})
    found = await container.read_item("one", partition_key="a")
    assert found["more"] == 1
    with pytest.raises(CosmosAccessConditionFailedError):
        await container.replace_item(
            "one", document, etag=made["_etag"], match_condition=MatchConditions.IfNotModified
        )
    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("one", partition_key="b")
    assert _executions(cloud) == before + 1


async def test_a_batch_is_done_whole_or_not_at_all(container: ContainerProxy) -> None:
    first, second = {"id": "b1", "agent": "a"}, {"id": "b2", "agent": "a"}
    answers = await container.execute_item_batch(
        [("create", (first,)), ("upsert", (second,))], partition_key="a"
    )
    with pytest.raises(CosmosBatchOperationError) as refused:
        await container.execute_item_batch(
            [("upsert", ({"id": "b3", "agent": "a"},)), ("create", (first,))], partition_key="a"
        )
    assert refused.value.status_code == 409
    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("b3", partition_key="a")
    (renewed,) = await container.execute_item_batch(
        [("replace", ("b1", first), {"if_match_etag": answers[0]["eTag"]})], partition_key="a"
    )
    assert renewed["eTag"] != answers[0]["eTag"]
    with pytest.raises(CosmosBatchOperationError) as stale:
        await container.execute_item_batch(
            [("replace", ("b1", first), {"if_match_etag": answers[0]["eTag"]})], partition_key="a"
        )
    assert stale.value.status_code == 412


async def test_queries_find_nothing(container: ContainerProxy) -> None:
    rows = container.query_items("SELECT * FROM c ORDER BY c.x", partition_key="a", max_item_count=5)
    assert [row async for row in rows] == []


async def test_what_is_published_waits_in_the_queue(
    cloud: str, credential: AsyncTokenCredential, trusted: str
) -> None:
    _ask("PUT", f"{cloud}/stub/queues/a")
    _ask("POST", f"{cloud}/topics/a", json=[_EVENT, {**_EVENT, "id": "2"}])
    _ask("POST", f"{cloud}/topics/elsewhere", json=[_EVENT])
    assert _ask("GET", f"{cloud}/stub/published").json() == 3
    async with QueueClient(f"{cloud}/queues", "a", credential=credential, connection_verify=trusted) as queue:
        assert (await queue.get_queue_properties()).approximate_message_count == 2
        peeked = await queue.peek_messages(1)
        assert peeked[0].dequeue_count == 0
        pages = queue.receive_messages(messages_per_page=32, max_messages=32, visibility_timeout=60)
        taken = [message async for message in pages]
        assert [message.dequeue_count for message in taken] == [1, 1]
        assert [message async for message in queue.receive_messages(max_messages=32)] == []
        await queue.delete_message(taken[0])
        with pytest.raises(ResourceNotFoundError):
            await queue.delete_message(taken[0])
        with pytest.raises(ResourceNotFoundError):
            await queue.delete_message(taken[1].id, "not its receipt")
        assert (await queue.get_queue_properties()).approximate_message_count == 1


def _executions(cloud: str) -> int:
    return int(_ask("GET", f"{cloud}/stub/executions").text)


def _ask(method: str, url: str, **options: Any) -> httpx.Response:
    return httpx.request(method, url, verify=False, **options).raise_for_status()  # noqa: S501 - loopback
