"""What executions cost in tokens."""

from __future__ import annotations

from benchmarks.load.environments import ROOT
from benchmarks.load.prompts import costs


def test_every_agent_of_prompts_has_a_cost_within_its_limit() -> None:
    found = {cost.agent: cost for cost in costs()}
    assert set(found) == {path.name for path in (ROOT / "prompts").iterdir() if path.is_dir()}
    for cost in found.values():
        assert 100 < cost.prompt_tokens < 10_000
        # What does not fit is cut off, and asked for again.
        assert 0 < cost.completion_tokens < 0.9 * cost.max_tokens
