from __future__ import annotations

import pytest

from tests.infra.preflight.recorded import Azure, ready, stack


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a shell that has heard of no cloud."""
    for name in ("ARM_CLIENT_ID", "ARM_SUBSCRIPTION_ID", "ARM_METADATA_HOSTNAME", "ARM_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def azure() -> Azure:
    """A subscription that has what prod needs."""
    return ready(stack())
