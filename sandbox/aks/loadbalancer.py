"""`LoadBalancer` services: an address each, answered in the namespace of one of the cluster's nodes.

kube-proxy does the forwarding; the address is on the cluster's own subnet, so hosts on the sandbox's network
reach it without a route.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from typing import Any

from sandbox.aks import network
from sandbox.aks.api import Api
from sandbox.aks.layout import ClusterLayout, NodeLayout

log = logging.getLogger(__name__)

SERVICES = "/api/v1/services"
_INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
#: The annotation that asks for an address, as `spec.loadBalancerIP` does.
_WANTED = "service.beta.kubernetes.io/azure-load-balancer-ipv4"

Service = Mapping[str, Any]
Key = tuple[str, str]


async def reconcile(
    api: Api, layout: ClusterLayout, services: Sequence[Service], slices: Sequence[Mapping[str, Any]]
) -> dict[Key, str]:
    """Give every such service its address and hold it; (namespace, name) -> address."""
    given = allocate(
        services,
        [str(address) for address in layout.load_balancers],
        [str(address) for address in layout.internal_load_balancers],
    )
    for service in services:
        key = _key(service)
        if _held(service) != given.get(key):
            await _announce(api, key, given.get(key))
    nodes = layout.nodes()
    holders: dict[str, set[IPv4Address]] = {node.name: set() for node in nodes}
    for service in services:
        if nodes and _key(service) in given:
            holders[holder(service, slices, nodes).name].add(IPv4Address(given[_key(service)]))
    for node in nodes:
        await asyncio.to_thread(network.hold, node.netns, holders[node.name])
    return given


def allocate(
    services: Sequence[Service], addresses: Sequence[str], internal: Sequence[str] = ()
) -> dict[Key, str]:
    """Addresses of load balancers: the one each has, else the one it asks for, else the first that is free;
    of those that are `internal` where it wants to be. A service that cannot get one waits, as on Azure."""

    def pool(service: Service) -> Sequence[str]:
        return internal if _is_internal(service) else addresses

    balanced = [one for one in services if one["spec"].get("type") == "LoadBalancer"]
    given: dict[Key, str] = {}
    for service in balanced:
        held = _held(service)
        if held is not None and held in pool(service) and held not in given.values():
            given[_key(service)] = held
    for service in balanced:
        if _key(service) in given:
            continue
        wanted = _wanted(service)
        free = [one for one in pool(service) if one not in given.values() and wanted in {None, one}]
        if free:
            given[_key(service)] = free[0]
        else:
            log.warning("service %s gets no address: %s", _key(service), wanted or "none is left")
    return given


def holder(service: Service, slices: Sequence[Mapping[str, Any]], nodes: Sequence[NodeLayout]) -> NodeLayout:
    """The node that answers: the first; under externalTrafficPolicy Local the first with a pod of the
    service, because kube-proxy then passes nothing on to other nodes."""
    if service["spec"].get("externalTrafficPolicy") != "Local":
        return nodes[0]
    namespace, name = _key(service)
    homes = {
        endpoint.get("nodeName")
        for part in slices
        if part["metadata"]["namespace"] == namespace
        and (part["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name
        for endpoint in part.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
    }
    return next((node for node in nodes if node.name in homes), nodes[0])


def _key(service: Service) -> Key:
    return service["metadata"]["namespace"], service["metadata"]["name"]


def _is_internal(service: Service) -> bool:
    """https://learn.microsoft.com/azure/aks/internal-lb"""
    notes = service["metadata"].get("annotations") or {}
    return str(notes.get(_INTERNAL)).lower() == "true"


def _held(service: Service) -> str | None:
    points = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    held: str | None = points[0].get("ip")
    return held


def _wanted(service: Service) -> str | None:
    noted = (service["metadata"].get("annotations") or {}).get(_WANTED)
    wanted: str | None = noted or service["spec"].get("loadBalancerIP")
    return wanted


async def _announce(api: Api, service: Key, address: str | None) -> None:
    namespace, name = service
    points = [{"ip": address, "ipMode": "VIP"}] if address else None
    await api.patch(
        f"/api/v1/namespaces/{namespace}/services/{name}/status",
        {"status": {"loadBalancer": {"ingress": points}}},
    )
