"""One account with a real Azurite behind it, for all tests of a module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.azure import storage
from sandbox.azure.storage.accounts import StorageAccountHandler
from sandbox.azure.storage.containers import ContainerHandler, QueueHandler
from sandbox.config import Config
from tests.sandbox.azure.conftest import World, make_world, serving

ACCOUNT = "Microsoft.Storage/storageAccounts/stagentsdev"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/prompts"
QUEUE = f"{ACCOUNT}/queueServices/default/queues/notification"
BLOB_URL = "https://stagentsdev.blob.storage.azure.test"
QUEUE_URL = "https://stagentsdev.queue.storage.azure.test"

BASE = "Microsoft.Storage/storageAccounts/"
BLOBS = f"{BASE}blobServices/containers/blobs/"
MESSAGES = f"{BASE}queueServices/queues/messages/"


def account_body(**properties: Any) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"allowSharedKeyAccess": False, **properties},
    }


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not (Config().cache / "bin" / "azurite").exists() or shutil.which("node") is None:
        pytest.skip("Azurite is not in the cache; `make up` installs it")
    world = make_world(tmp_path_factory.mktemp("storage"))
    storage.mount(world.services)
    world.put(StorageAccountHandler, ACCOUNT, account_body())
    world.put(ContainerHandler, CONTAINER, {"properties": {}})
    world.put(QueueHandler, QUEUE, {"properties": {}})
    world.rbac.grant("blobs", f"{BLOBS}read", f"{BLOBS}write", f"{BLOBS}delete")
    world.rbac.grant(
        "queues", f"{MESSAGES}read", f"{MESSAGES}write", f"{MESSAGES}delete", f"{MESSAGES}process/action"
    )
    with serving(world):
        yield world
    world.supervisor.end()
