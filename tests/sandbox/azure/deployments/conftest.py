from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from sandbox.arm.catalogue import TypeInfo
from sandbox.azure.deployments import HANDLERS as DEPLOYMENTS
from sandbox.config import REGIONS
from tests.sandbox.arm.handlers import HANDLERS, Gate
from tests.sandbox.clouds import GROUP, TYPES, Client, running

DEPLOYMENT_TYPE = TypeInfo(
    "Microsoft.Resources/deployments", ("2024-03-01",), REGIONS, accepts=lambda _: True
)


def cloud(state: Path) -> AbstractAsyncContextManager[Client]:
    """With the test types and deployments."""
    return running(state, handlers=(*HANDLERS, *DEPLOYMENTS), types=(*TYPES, DEPLOYMENT_TYPE))


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
