"""Addresses of LoadBalancer services, and the node that answers for them."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from sandbox.aks import layout
from sandbox.aks.layout import NodeLayout
from sandbox.aks.loadbalancer import allocate, holder
from sandbox.config import Config
from tests.sandbox.aks.objects import endpoint_slice, service

ADDRESSES = ["10.77.1.100", "10.77.1.101", "10.77.1.102"]


def balanced(name: str, held: str | None = None, **spec: Any) -> dict[str, Any]:
    made = service(name, type="LoadBalancer", **spec)
    if held:
        made["status"] = {"loadBalancer": {"ingress": [{"ip": held}]}}
    return made


def test_each_keeps_what_it_has_and_new_ones_take_the_first_free() -> None:
    services = [balanced("new"), balanced("old", held=ADDRESSES[0]), service("plain"), balanced("newer")]
    assert allocate(services, ADDRESSES) == {
        ("default", "old"): ADDRESSES[0],
        ("default", "new"): ADDRESSES[1],
        ("default", "newer"): ADDRESSES[2],
    }


def test_an_address_that_was_asked_for_or_none() -> None:
    wanted = balanced("a", loadBalancerIP=ADDRESSES[2])
    noted = balanced("b")
    noted["metadata"]["annotations"] = {"service.beta.kubernetes.io/azure-load-balancer-ipv4": ADDRESSES[2]}
    elsewhere = balanced("c", loadBalancerIP="10.9.9.9")
    assert allocate([wanted, noted, elsewhere], ADDRESSES) == {("default", "a"): ADDRESSES[2]}


def test_two_that_claim_one_address_do_not_both_get_it() -> None:
    given = allocate([balanced("a", held=ADDRESSES[0]), balanced("b", held=ADDRESSES[0])], ADDRESSES)
    assert sorted(given.values()) == ADDRESSES[:2]


def test_an_address_of_another_range_is_replaced() -> None:
    assert allocate([balanced("a", held="10.9.9.9")], ADDRESSES) == {("default", "a"): ADDRESSES[0]}


def test_when_none_is_left_a_service_waits() -> None:
    given = allocate([balanced(name) for name in "abcd"], ADDRESSES)
    assert ("default", "d") not in given
    assert len(given) == 3


@pytest.fixture
def nodes(tmp_path: Path) -> list[NodeLayout]:
    cluster = layout.allocate(Config(state=tmp_path, network=IPv4Network("10.77.0.0/16")), "/a")
    for pool in ("system", "user"):
        cluster.node(pool)
    return cluster.nodes()


def test_the_first_node_answers_unless_only_another_has_a_pod(nodes: list[NodeLayout]) -> None:
    slices = [endpoint_slice("10.244.1.2", node=nodes[1].name), endpoint_slice("10.244.0.9", service="other")]
    assert holder(balanced("web"), slices, nodes) == nodes[0]
    local = balanced("web", externalTrafficPolicy="Local")
    assert holder(local, slices, nodes) == nodes[1]
    unready = [endpoint_slice("10.244.1.2", node=nodes[1].name, ready=False)]
    assert holder(local, unready, nodes) == nodes[0]


def test_internal_load_balancers_have_addresses_of_their_own() -> None:
    inside = balanced("inside")
    inside["metadata"]["annotations"] = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    given = allocate([inside, balanced("outside")], ["10.77.1.100"], ["10.77.1.200"])
    assert given == {("default", "inside"): "10.77.1.200", ("default", "outside"): "10.77.1.100"}
    inside["status"] = {"loadBalancer": {"ingress": [{"ip": "10.77.1.101"}]}}
    moved = allocate([inside], ["10.77.1.100", "10.77.1.101"], ["10.77.1.200"])
    assert moved == {("default", "inside"): "10.77.1.200"}
