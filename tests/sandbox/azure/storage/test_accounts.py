"""The control plane of storage accounts, and what a restart brings back."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient

from sandbox.arm.errors import ArmError
from sandbox.azure.storage.accounts import StorageAccountHandler
from sandbox.azure.storage.containers import ContainerHandler, QueueHandler
from tests.sandbox.azure.conftest import GROUP, World
from tests.sandbox.azure.fakes import Credential
from tests.sandbox.azure.storage.conftest import ACCOUNT, CONTAINER, QUEUE, QUEUE_URL, account_body

HANDLERS: Any = [StorageAccountHandler, ContainerHandler, QueueHandler]


def test_endpoints_and_defaults(plane: World) -> None:
    account = next(iter(plane.store.list(type=StorageAccountHandler.type)))
    assert account.properties["primaryEndpoints"]["queue"] == f"{QUEUE_URL}/"
    assert account.properties["minimumTlsVersion"] == "TLS1_0"
    assert account.body["sku"]["tier"] == "Standard"
    again = plane.put(StorageAccountHandler, ACCOUNT, account_body(minimumTlsVersion="TLS1_2"))
    assert again.properties["creationTime"] == account.properties["creationTime"]
    assert {"stagentsdev.blob.storage.azure.test", "stagentsdev.queue.storage.azure.test"} <= set(
        plane.hosts.names
    )


def test_names_are_unique(plane: World) -> None:
    def check(name: str) -> Any:
        return plane.operate(StorageAccountHandler, "POST", "/checkNameAvailability", {"name": name}).body

    with pytest.raises(ArmError) as taken:
        plane.put(StorageAccountHandler, f"{GROUP}-other/providers/{ACCOUNT}", account_body())
    assert taken.value.code == "StorageAccountInAnotherResourceGroup"
    assert check("stagentsdev")["reason"] == "AlreadyExists"
    assert check("St-agents")["reason"] == "AccountNameInvalid"
    assert check("free0")["nameAvailable"] is True


def test_a_restart_brings_back_what_arm_knows(plane: World) -> None:
    """Azurite keeps its newest indexes in memory for seconds: ended the hard way, it may forget a "
    "container."""
    plane.put(QueueHandler, QUEUE.replace("notification", "fresh"), {"properties": {}})
    process = plane.supervisor.running["azurite-stagentsdev"]
    process.send_signal(signal.SIGKILL)
    process.wait()

    async def resume() -> None:
        for handler in HANDLERS:
            for resource in plane.store.list(type=handler.type):
                await handler(plane.services).resume(resource)

    asyncio.run(resume())
    plane.rbac.grant("lister", "Microsoft.Storage/storageAccounts/queueServices/queues/read", data=False)
    with QueueServiceClient(QUEUE_URL, Credential("lister"), retry_total=0) as service:
        assert {"notification", "fresh"} <= {q.name for q in service.list_queues()}


def test_deletion_leaves_nothing(plane: World) -> None:
    folder = plane.services.config.state / "storage" / "stagentsdev"
    assert folder.exists()
    account = next(iter(plane.store.list(type=StorageAccountHandler.type)))
    plane.delete(HANDLERS, account)
    assert not folder.exists()
    assert not plane.supervisor.running
    assert not plane.hosts.names
    assert not list(plane.store.list(under=str(account.id)))
    plane.put(StorageAccountHandler, ACCOUNT, account_body())
    plane.put(ContainerHandler, CONTAINER, {"properties": {}})
