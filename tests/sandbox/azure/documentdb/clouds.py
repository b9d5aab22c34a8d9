"""The real ARM core with Cosmos DB and its real query engine, for the unmodified management client."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, documentdb, managedidentity, resources
from sandbox.config import Config
from sandbox.toolchain.toolchain import Toolchain
from tests.sandbox.azure import fakes
from tests.sandbox.served import Served, client, served

GROUP = "rg-cosmos"
KEY = {"paths": ["/agent"], "kind": "Hash", "version": 2}
MODULES = [resources, authorization, managedidentity, documentdb]


@contextmanager
def folder() -> Iterator[Path]:
    """A state folder, with the toolchain that the machine has."""
    genuine = Config()
    if not (genuine.cache / "bin" / "cosmosdb-server").exists():
        pytest.skip("needs the toolchain's cosmosdb-server: run `make up` once")
    # A short path: unix sockets lie below it.
    state = Path(tempfile.mkdtemp(prefix="cosmos-"))
    Toolchain(genuine.cache / "bin", {}, {}, genuine.cache).save(Config(state=state))
    try:
        yield state
    finally:
        shutil.rmtree(state, ignore_errors=True)


@contextmanager
def on(state: Path) -> Iterator[Served]:
    """A cloud on a state folder: the same one again is the cloud after a restart."""
    with pytest.MonkeyPatch.context() as patch, served(state, patch, catalogue(), MODULES) as found:
        client(found, ResourceManagementClient).resource_groups.create_or_update(
            GROUP, {"location": "westeurope"}
        )
        try:
            yield found
        finally:
            supervisor = found.cloud.services.supervisor
            assert isinstance(supervisor, fakes.Supervisor)
            supervisor.end()


@contextmanager
def running() -> Iterator[Served]:
    with folder() as state, on(state) as found:
        yield found


def body(**properties: Any) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "kind": "GlobalDocumentDB",
        "properties": {
            "databaseAccountOfferType": "Standard",
            "locations": [{"locationName": "westeurope", "failoverPriority": 0, "isZoneRedundant": False}],
            **properties,
        },
    }
