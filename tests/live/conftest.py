"""What tests of the deployed dev share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.planes import Wire, connect
from tests.sandboxed import Sandbox


@pytest.fixture(scope="module")
def wire(sandbox: Sandbox) -> Iterator[Wire]:
    found = connect(sandbox)
    with found.http:
        yield found
