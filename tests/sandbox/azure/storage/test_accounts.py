"""The control plane of storage accounts, and what a restart brings back."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueClient

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


def test_a_kill_loses_nothing_that_was_acknowledged(plane: World) -> None:
    plane.put(QueueHandler, QUEUE.replace("notification", "fresh"), {"properties": {}})
    line = QueueClient(QUEUE_URL, "fresh", credential=Credential("queues"), retry_total=0)
    with line:
        for number in range(5):
            line.send_message(str(number))
        process = plane.supervisor.running["azurite-stagentsdev"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        with pytest.raises(HttpResponseError) as gone:
            line.peek_messages()
        assert (gone.value.status_code, gone.value.error_code) == (503, "ServerBusy")

        async def resume() -> None:
            for handler in HANDLERS:
                for resource in plane.store.list(type=handler.type):
                    await handler(plane.services).resume(resource)

        asyncio.run(resume())
        assert sorted(message.content for message in line.receive_messages()) == ["0", "1", "2", "3", "4"]


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
