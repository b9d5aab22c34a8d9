"""What AKS refuses though the schema allows it."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest

from sandbox.aks import rules
from sandbox.arm.errors import ArmError

SANDBOX = IPv4Network("10.77.0.0/16")


def pool(**changes: Any) -> dict[str, Any]:
    return {"name": "system", "mode": "System", "vmSize": "Standard_D2s_v5", "count": 1, **changes}


def refusal(call: Any, *arguments: Any, **options: Any) -> ArmError:
    with pytest.raises(ArmError) as caught:
        call(*arguments, **options)
    assert caught.value.status == 400
    assert caught.value.target or caught.value.code == "OperationNotAllowed"
    return caught.value


def test_a_new_cluster_needs_a_system_pool() -> None:
    assert refusal(rules.check_profiles, [pool(mode="User")], new=True).code == "AgentPoolProfilesInvalid"
    assert refusal(rules.check_profiles, [], new=True).code == "AgentPoolProfilesInvalid"
    rules.check_profiles([pool()], new=True)
    rules.check_profiles([], new=False)


@pytest.mark.parametrize("name", ["", "System", "9pool", "much-too", "thirteenchars"])
def test_pool_names_are_short_and_plain(name: str) -> None:
    assert name in refusal(rules.check_profiles, [pool(name=name)], new=True).message


def test_pool_names_are_unique() -> None:
    assert "unique" in refusal(rules.check_profiles, [pool(), pool()], new=True).message


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"count": 0}, "count"),
        ({"count": 1001}, "count"),
        ({"maxPods": 9}, "maxPods"),
        ({"maxPods": 251}, "maxPods"),
        ({"osType": "Windows"}, "osType"),
        ({"nodeTaints": ["key=value"]}, "nodeTaints"),
        ({"nodeTaints": ["key=value:Never"]}, "nodeTaints"),
        ({"enableAutoScaling": True}, "minCount"),
        ({"enableAutoScaling": True, "minCount": 3, "maxCount": 2}, "minCount"),
    ],
)
def test_pools_have_bounds(changes: dict[str, Any], at: str) -> None:
    assert refusal(rules.check_pool, pool(**changes)).target == f"properties.{at}"


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "User", "count": 0},
        {"maxPods": 10},
        {"nodeTaints": ["CriticalAddonsOnly=true:NoSchedule", "gpu:NoExecute"]},
        {"enableAutoScaling": True, "minCount": 1, "maxCount": 1},
    ],
)
def test_pools_within_bounds_pass(changes: dict[str, Any]) -> None:
    rules.check_pool(pool(**changes))


def test_what_only_another_pool_can_have() -> None:
    before = pool(maxPods=30)
    assert refusal(rules.check_unchanged, before, pool(vmSize="other")).code == "PropertyChangeNotAllowed"
    assert refusal(rules.check_unchanged, before, {"maxPods": 31}).target == "properties.maxPods"
    rules.check_unchanged(before, {"count": 3})


def test_the_last_system_pool_stays() -> None:
    refusal(rules.check_last_system_pool, [pool(mode="User")], "system")
    rules.check_last_system_pool([pool(mode="User"), pool()], "other")


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        ({"podCidr": "10.77.8.0/22"}, "PodCidrOverlapExistingSubnetsCidr"),
        ({"serviceCidr": "10.0.0.0/8"}, "ServiceCidrOverlapExistingSubnetsCidr"),
        ({"podCidr": "10.0.0.0/20"}, "PodCidrOverlapServiceCidr"),
        ({"podCidr": "10.244.0.0/25"}, "InvalidNetworkProfile"),
        ({"podCidr": "10.244.0.1/16"}, "InvalidParameter"),
        ({"dnsServiceIP": "10.0.0.1"}, "InvalidServiceCidrDNSIP"),
        ({"dnsServiceIP": "10.1.0.10"}, "InvalidServiceCidrDNSIP"),
        ({"serviceCidr": "10.96.0.0/16"}, "InvalidServiceCidrDNSIP"),
        ({"dnsServiceIP": "ten"}, "InvalidParameter"),
    ],
)
def test_networks_do_not_overlap(profile: dict[str, str], code: str) -> None:
    assert refusal(rules.check_network, profile, sandbox=SANDBOX).code == code


def test_networks_apart_pass() -> None:
    rules.check_network({}, sandbox=SANDBOX)
    own = {"podCidr": "192.168.0.0/24", "serviceCidr": "10.96.0.0/16", "dnsServiceIP": "10.96.0.10"}
    rules.check_network(own, sandbox=SANDBOX)


@pytest.mark.parametrize(
    ("sent", "before", "target"),
    [
        ({"enablePrivateCluster": True}, {}, "enablePrivateCluster"),
        ({}, {"enablePrivateCluster": True}, "enablePrivateCluster"),
        (
            {"enablePrivateCluster": True, "authorizedIPRanges": ["203.0.113.0/24"]},
            None,
            "authorizedIPRanges",
        ),
        ({"authorizedIPRanges": ["203.0.113.1/24"]}, None, "authorizedIPRanges"),
        ({"authorizedIPRanges": ["anywhere"]}, None, "authorizedIPRanges"),
        (
            {
                "enablePrivateCluster": True,
                "privateDNSZone": "none",
                "enablePrivateClusterPublicFQDN": False,
            },
            None,
            "enablePrivateClusterPublicFQDN",
        ),
    ],
)
def test_access_to_an_api_server_must_make_sense(
    sent: dict[str, Any], before: dict[str, Any] | None, target: str
) -> None:
    assert str(refusal(rules.check_access, sent, before).target).endswith(target)


def test_access_to_an_api_server() -> None:
    rules.check_access({}, None)
    rules.check_access({"enablePrivateCluster": True}, {"enablePrivateCluster": True})
    rules.check_access({"authorizedIPRanges": ["203.0.113.0/24", "198.51.100.1"]}, {})
