from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sandbox.arm.handlers import HANDLERS, Gate
from tests.sandbox.clouds import GROUP, Client, running


@pytest.fixture
def gate() -> Gate:
    """Closed: long-running work of the test type waits until it is opened."""
    Gate.current = Gate()
    return Gate.current


@pytest.fixture
async def arm(tmp_path: Path, gate: Gate) -> AsyncIterator[Client]:
    async with running(tmp_path, handlers=HANDLERS) as client:
        yield client


@pytest.fixture
async def group(arm: Client) -> str:
    """An empty resource group, `rg`."""
    await arm.put(GROUP, {"location": "westeurope"})
    return GROUP
