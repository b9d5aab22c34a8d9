"""The stacks' whole resource graphs, as they were last reviewed.

After an intended change: `uv run python -m tests.infra.graph.record`, and read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.graph.record import render


@pytest.mark.parametrize("stack", ["dev", "prod", "prod-backup"])
def test_the_graph_is_the_reviewed_one(stack: str) -> None:
    reviewed = (Path(__file__).parent / f"{stack}.yaml").read_text()
    assert render(stack) == reviewed, "after an intended change: uv run python -m tests.infra.graph.record"
