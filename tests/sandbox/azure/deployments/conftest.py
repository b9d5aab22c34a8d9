from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from sandbox.arm.catalogue import TypeInfo
from sandbox.arm.handler import Handler, Put
from sandbox.azure.deployments import HANDLERS as DEPLOYMENTS
from sandbox.config import REGIONS
from tests.sandbox.arm.handlers import HANDLERS, Gate
from tests.sandbox.clouds import GROUP, TYPES, VERSION, Client, running

DEPLOYMENT_TYPE = TypeInfo("Microsoft.Resources/deployments", (VERSION,), REGIONS)


class Hesitant(Handler):
    """Looks long at a request before it takes it."""

    type = "Microsoft.Test/hesitant"

    async def check(self, put: Put) -> None:
        Gate.current.log.append(f"check {put.id.name}")
        await Gate.current.open.wait()


def cloud(state: Path) -> AbstractAsyncContextManager[Client]:
    """With the test types and deployments."""
    types = (*TYPES, DEPLOYMENT_TYPE, TypeInfo(Hesitant.type, (VERSION,), REGIONS))
    return running(state, handlers=(*HANDLERS, *DEPLOYMENTS, Hesitant), types=types)


@pytest.fixture
def gate() -> Gate:
    """Closed: what is slow waits until it is opened."""
    Gate.current = Gate()
    return Gate.current


@pytest.fixture
async def arm(tmp_path: Path, gate: Gate) -> AsyncIterator[Client]:
    """With an empty resource group, `rg`."""
    async with cloud(tmp_path) as client:
        await client.put(GROUP, {"location": "westeurope"})
        yield client
