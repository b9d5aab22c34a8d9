"""The namespace's quota admits all that the autoscalers may ask for, and is no larger than that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.settings.sections import AgentSettings
from infra.workload.namespace import _limits, sizes_of
from infra.workload.quota import BESIDE, Quota, Size, mebibytes, millis

_SETTINGS = st.builds(
    lambda replicas, more, cpu, memory, extra: AgentSettings(
        replicas=replicas,
        max_replicas=min(replicas + more, 100),
        cpu=cpu,
        memory=f"{memory}Mi",
        memory_limit=f"{memory + extra}Mi",
    ),
    st.integers(1, 100),
    st.integers(0, 99),
    st.one_of(st.integers(1, 8000).map("{}m".format), st.sampled_from(["1", "0.25", "2.5", "0.125"])),
    st.integers(64, 4096),
    st.integers(0, 4096),
)
_AGENTS = st.lists(_SETTINGS, min_size=1, max_size=8)


def _kubernetes(quantity: str) -> float:
    """As Kubernetes reads a quantity: cores or bytes."""
    units = {"Mi": 2**20, "Gi": 2**30, "m": 1e-3}
    for unit, factor in units.items():
        if quantity.endswith(unit):
            return float(quantity.removesuffix(unit)) * factor
    return float(quantity)


@given(_AGENTS)
def test_the_quota_admits_the_autoscalers_maxima_while_all_of_them_are_replaced(
    agents: list[AgentSettings],
) -> None:
    hard = {key: _kubernetes(value) for key, value in Quota.for_agents(agents).hard().items()}
    # All pods of the old revision still finishing, all of the new one there, and one that surges.
    counts = [2 * agent.max_replicas + 1 for agent in agents]
    for resource, field in (
        ("requests.cpu", "cpu"),
        ("requests.memory", "memory"),
        ("limits.memory", "memory_limit"),
    ):
        asked = sum(
            _kubernetes(getattr(agent, field)) * count for agent, count in zip(agents, counts, strict=True)
        )
        assert asked < hard[resource] + 1e-6
    assert sum(counts) <= hard["pods"]


@given(_AGENTS)
def test_the_quota_leaves_no_room_for_an_agent_more(agents: list[AgentSettings]) -> None:
    quota = Quota.for_agents(agents)
    spare = sum(count for _, count in BESIDE)
    assert quota.pods == sum(2 * agent.max_replicas + 1 for agent in agents) + spare


@given(_AGENTS)
def test_no_agent_is_larger_than_a_container_may_be(agents: list[AgentSettings]) -> None:
    limits = _limits(sizes_of(agents))
    assert isinstance(limits.max, dict)
    largest = _kubernetes(str(limits.max["memory"]))
    assert all(_kubernetes(agent.memory_limit) <= largest for agent in agents)
    assert all(size.memory_limit * 2**20 <= largest for size, _ in BESIDE)
    assert isinstance(limits.default, dict)
    assert _kubernetes(str(limits.default["memory"])) <= largest


@pytest.mark.parametrize(
    ("text", "value"), [("100m", 100), ("1", 1000), ("0.25", 250), ("1.5", 1500), ("0.125", 125)]
)
def test_cpus_are_counted_in_thousandths(text: str, value: int) -> None:
    assert millis(text) == value


@pytest.mark.parametrize(("text", "value"), [("256Mi", 256), ("2Gi", 2048)])
def test_memory_is_counted_in_mebibytes(text: str, value: int) -> None:
    assert mebibytes(text) == value


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="quantity"):
        millis("much")


def test_a_size_comes_from_the_settings() -> None:
    assert Size.of(AgentSettings(cpu="0.5", memory="1Gi", memory_limit="2Gi")) == Size(500, 1024, 2048)
