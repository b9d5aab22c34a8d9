from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sandbox.clouds import Client, running


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path) as client:
        yield client
