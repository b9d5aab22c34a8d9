"""What the runbook has people type does what it says, on the deployed dev."""

from __future__ import annotations

import pytest

from tests.runbook.pages import blocks, preparation
from tests.sandboxed import Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.mark.parametrize("block", [block for _, block in blocks()], ids=[name for name, _ in blocks()])
def test_a_block_runs_as_it_is(sandbox: Sandbox, block: str) -> None:
    done = sandbox.run("bash", "-euo", "pipefail", "-c", f"{preparation()}\n{block}")
    assert done.out.strip(), "it tells nobody anything"
    assert "Traceback" not in done.out + done.err
