from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.host.conftest import machine
from tests.sandbox.network.world import Paper, paper

__all__ = ["cloud", "machine"]


@pytest.fixture
def cloud(tmp_path: Path) -> Paper:
    return paper(tmp_path)
