"""What the specification leaves to the node: its own traffic, pods that are not known yet, replies."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest

from sandbox.aks.networkpolicy import objects, rendering
from sandbox.aks.networkpolicy.isolation import Cluster
from sandbox.aks.networkpolicy.rendering import NodeRules
from tests.sandbox.aks.networkpolicy.cluster import NODES, OUTSIDE, passes, pod, policy, tables
from tests.sandbox.aks.networkpolicy.nft import Flow
from tests.sandbox.aks.networkpolicy.specification import Packet, World

A, B, REMOTE, STRANGER = "10.244.0.2", "10.244.0.3", "10.244.1.2", "10.244.0.77"
INGRESS, NODE, IMDS = "10.244.0.254", "10.244.0.1", "169.254.169.254"
NAMESPACES = {
    "agents": {"kubernetes.io/metadata.name": "agents"},
    "kube-system": {"kubernetes.io/metadata.name": "kube-system"},
    "app-routing-system": {"kubernetes.io/metadata.name": "app-routing-system"},
}
EVERYWHERE = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]


def world(*policies: dict[str, Any], blocks_mean_pods: bool = False) -> World:
    pods = [
        pod("a", A, app="a", ports=[{"name": "web", "containerPort": 8000}]),
        pod("b", B, app="b", ports=[{"name": "web", "containerPort": 9000}]),
        pod("dns", REMOTE, namespace="kube-system", app="kube-dns"),
        pod("nginx", INGRESS, namespace="app-routing-system", app="nginx"),
    ]
    return World(pods, NAMESPACES, [*policies], blocks_mean_pods)


def through(made: World, source: str, target: str, port: int = 8000, protocol: str = "TCP") -> bool:
    return passes(tables(made), Packet(source, target, protocol, port))


def test_without_policies_everything_known_passes() -> None:
    for source, target in ((A, B), (A, REMOTE), (OUTSIDE[0], A), (A, OUTSIDE[0])):
        assert through(world(), source, target)


def test_a_pod_that_was_not_looked_up_yet_is_closed() -> None:
    assert not through(world(), STRANGER, A)
    assert not through(world(), A, STRANGER)
    assert not through(world(), STRANGER, OUTSIDE[0])
    assert not tables(world(), {"one": (IPv4Address(INGRESS),)})["one"].passes("input", Flow(STRANGER, IMDS))


def test_deny_all_and_one_way_out() -> None:
    deny = policy(ingress=[], egress=[])
    dns = policy(
        egress=[
            {
                "to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "kube-dns"}}}],
                "ports": [{"protocol": "UDP", "port": 53}],
            }
        ]
    )
    assert not through(world(deny), A, REMOTE, 53, "UDP")
    made = world(deny, dns)
    assert through(made, A, REMOTE, 53, "UDP")
    assert not through(made, A, REMOTE, 53, "TCP")
    assert not through(made, A, B)
    assert not through(made, REMOTE, A)
    assert through(made, REMOTE, OUTSIDE[0])
    assert through(made, A, A)


def test_blocks_mean_the_outside_alone_unless_the_engine_says_otherwise() -> None:
    """https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium"""
    anywhere = policy(egress=[{"to": EVERYWHERE}])
    assert through(world(anywhere), A, OUTSIDE[0])
    assert not through(world(anywhere), A, B)
    assert through(world(anywhere, blocks_mean_pods=True), A, B)


def test_what_is_public_but_not_private() -> None:
    public = policy(egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}])
    assert through(world(public), A, "192.0.2.1", 443)
    assert not through(world(public), A, "10.240.16.4", 443)
    endpoints = policy(egress=[{"to": [{"ipBlock": {"cidr": "10.240.16.0/24"}}]}])
    assert through(world(public, endpoints), A, "10.240.16.4", 443)
    nothing = policy(egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}]}])
    assert not through(world(nothing), A, "10.240.16.4", 443)
    other_family = policy(egress=[{"to": [{"ipBlock": {"cidr": "2001:db8::/32"}}]}])
    assert not through(world(other_family), A, "10.240.16.4", 443)


def test_a_ports_name_is_each_receivers_own() -> None:
    out = policy(egress=[{"ports": [{"port": "web"}]}])
    into = policy(ingress=[{"ports": [{"port": "web"}]}])
    for made in (world(out), world(into)):
        assert through(made, A, B, 9000)
        assert not through(made, A, B, 8000)
        assert through(made, B, A, 8000)
    assert not through(world(out), A, OUTSIDE[0], 9000)


def test_ranges_of_ports_may_overlap() -> None:
    made = world(policy(ingress=[{"ports": [{"port": 100, "endPort": 200}, {"port": 150, "endPort": 300}]}]))
    for port, expected in ((99, False), (100, True), (175, True), (300, True), (301, False)):
        assert through(made, B, A, port) == expected
    assert through(world(policy(ingress=[{"ports": [{"protocol": "UDP"}]}])), B, A, 5, "UDP")


def test_the_node_reaches_its_pods_and_they_reach_it() -> None:
    table = tables(world(policy(ingress=[], egress=[])), {"one": (IPv4Address(INGRESS),)})["one"]
    assert table.passes("output", Flow(NODE, A))
    assert table.passes("input", Flow(A, NODE))
    # What answers there on Azure is no part of the node.
    assert not table.passes("input", Flow(A, IMDS))
    assert not table.passes("input", Flow(A, INGRESS))
    assert table.passes("input", Flow(OUTSIDE[0], INGRESS))


def test_a_pod_that_runs_on_the_node_is_one_like_any_other() -> None:
    hosted = {"one": (IPv4Address(INGRESS),)}
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "app-routing-system"}}}
    closed, opened = policy(ingress=[]), policy(ingress=[{"from": [peer], "ports": [{"port": 8000}]}])
    flow = Flow(INGRESS, A, "tcp", 8000)
    assert not tables(world(closed), hosted)["one"].passes("output", flow)
    assert tables(world(closed, opened), hosted)["one"].passes("output", flow)


def test_replies_pass_first_of_all() -> None:
    for chain in ("forward", "input", "output"):
        table = tables(world(), {"one": (IPv4Address(INGRESS),)})["one"]
        assert table.chains[table.hooks[chain]][0] == "ct state established,related accept"


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_pod_has_no_address(phase: str) -> None:
    gone, there = pod("gone", A, app="a"), pod("there", A, app="b")
    gone["status"]["phase"] = phase
    assert [one.name for one in objects.pods([gone, there], {})] == ["there"]


def test_pods_of_the_hosts_network_are_no_pods() -> None:
    one = pod("agent", A)
    one["spec"]["hostNetwork"] = True
    assert objects.pods([one], {}) == []


def test_a_nodes_announcement_comes_before_a_status() -> None:
    one = pod("a", A)
    del one["status"]["podIP"], one["status"]["podIPs"]
    assert objects.pods([one], {}) == []
    (found,) = objects.pods([one], {"a": IPv4Address(B)})
    assert found.address == IPv4Address(B)
    (found,) = objects.pods([pod("a", A)], {"a": IPv4Address(B)})
    assert found.address == IPv4Address(B)


def test_an_address_is_the_last_pods_that_got_it() -> None:
    going, older, newer, announced = (pod(name, A) for name in ("going", "older", "newer", "announced"))
    going["metadata"] |= {"creationTimestamp": "2026-01-03T00:00:00Z", "deletionTimestamp": "x"}
    older["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    newer["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
    announced["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    assert [one.name for one in objects.pods([newer, going, older], {})] == ["newer"]
    found = objects.pods([announced, newer], {"announced": IPv4Address(A)})
    assert [one.name for one in found] == ["announced"]


def test_without_types_a_policy_is_of_the_directions_it_has_rules_for() -> None:
    plain = policy(ingress=[])
    del plain["spec"]["policyTypes"]
    assert set(objects.policy(plain).rules) == {"Ingress"}
    plain["spec"]["egress"] = [{}]
    assert set(objects.policy(plain).rules) == {"Ingress", "Egress"}


def test_an_empty_node_closes_its_range() -> None:
    text = rendering.render(NodeRules("one", NODES["one"]), Cluster([], {}, []))
    assert "ip saddr 10.244.0.0/24 drop" in text
    assert "{  }" not in text
