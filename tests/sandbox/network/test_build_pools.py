"""Which machines may push what they built into a registry."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.containerregistry.tasks.agent_pools import AgentPoolHandler, refused
from tests.sandbox.network.world import Paper

REGISTRY = "Microsoft.ContainerRegistry/registries/acragentsprod"


def _registry(cloud: Paper, sku: str = "Premium", **properties: Any) -> Resource:
    return cloud.save(
        REGISTRY, {"networkRuleBypassOptions": "AzureServices", **properties}, sku={"name": sku}
    )


def _pool(cloud: Paper, name: str = "builds", **properties: Any) -> Resource:
    body = {"location": "westeurope", "properties": properties}
    return cloud.world.put(AgentPoolHandler, f"{REGISTRY}/agentPools/{name}", body)


def test_an_open_registry_takes_builds_of_all_machines(cloud: Paper) -> None:
    registry = _registry(cloud)
    _pool(cloud)
    assert refused(cloud.world.services, registry, None) is None
    assert refused(cloud.world.services, registry, "builds") is None


@pytest.mark.parametrize(
    "closed", [{"publicNetworkAccess": "Disabled"}, {"networkRuleSet": {"defaultAction": "Deny"}}]
)
def test_a_closed_one_takes_those_of_a_pool_in_a_network_where_it_has_an_address(
    cloud: Paper, closed: dict[str, Any]
) -> None:
    registry, network, other = _registry(cloud, **closed), cloud.network("one"), cloud.network("two")
    _pool(cloud, virtualNetworkSubnetResourceId=f"{network.id}/subnets/nodes")
    _pool(cloud, "elsewhere", virtualNetworkSubnetResourceId=f"{other.id}/subnets/nodes")
    _pool(cloud, "shared")
    services = cloud.world.services
    why = refused(services, registry, "builds")
    assert why is not None
    assert "is not allowed access" in why
    cloud.endpoint("pe", network, registry, "registry")
    assert refused(services, registry, "builds") is None
    assert [refused(services, registry, pool) is None for pool in (None, "shared", "elsewhere")] == [
        False
    ] * 3


def test_a_pool_has_azures_defaults(cloud: Paper) -> None:
    _registry(cloud)
    assert _pool(cloud).properties == {"count": 1, "tier": "S1", "os": "Linux"}


@pytest.mark.parametrize(
    ("sku", "properties", "words"),
    [
        ("Standard", {}, "Premium"),
        ("Premium", {"tier": "S9"}, "S9"),
        ("Premium", {"virtualNetworkSubnetResourceId": "/subscriptions/x/subnets/gone"}, "was not found"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(
    cloud: Paper, sku: str, properties: dict[str, Any], words: str
) -> None:
    _registry(cloud, sku)
    with pytest.raises(ArmError, match=words) as found:
        _pool(cloud, **properties)
    assert found.value.status == 400
