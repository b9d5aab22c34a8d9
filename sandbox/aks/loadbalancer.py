"""`LoadBalancer` services: an address each, answered in the namespace of the cluster's first node.

kube-proxy does the forwarding; the address is on the cluster's own subnet, so hosts on the sandbox's network
reach it without a route.
"""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address
from typing import Any

from sandbox.aks import network
from sandbox.aks.api import Api, ApiError
from sandbox.aks.layout import ClusterLayout

SERVICES = "/api/v1/services"


async def reconcile(api: Api, layout: ClusterLayout) -> dict[tuple[str, str], str]:
    """Give every such service its address and hold it; (namespace, name) -> address."""
    listed = (await api.get(SERVICES))["items"]
    given: dict[tuple[str, str], str] = {}
    waiting: list[dict[str, Any]] = []
    for service in listed:
        key = (service["metadata"]["namespace"], service["metadata"]["name"])
        balanced = service["spec"].get("type") == "LoadBalancer"
        known = ((service["status"].get("loadBalancer") or {}).get("ingress") or [{}])[0].get("ip")
        if balanced and known and known not in given.values():
            given[key] = known
        elif balanced:
            waiting.append(service)
        elif known:
            await _announce(api, key, None)
    for service in waiting:
        key = (service["metadata"]["namespace"], service["metadata"]["name"])
        wanted = service["spec"].get("loadBalancerIP")
        free = [str(ip) for ip in layout.load_balancers if str(ip) not in given.values()]
        if not free:
            raise ApiError(0, f"no load balancer address is left on {layout.subnet}")
        given[key] = wanted if wanted in free else free[0]
        await _announce(api, key, given[key])
    nodes = layout.nodes()
    if nodes:
        await asyncio.to_thread(
            network.hold, nodes[0].netns, {IPv4Address(address) for address in given.values()}
        )
    return given


async def _announce(api: Api, service: tuple[str, str], address: str | None) -> None:
    namespace, name = service
    points = [{"ip": address, "ipMode": "VIP"}] if address else None
    await api.patch(
        f"/api/v1/namespaces/{namespace}/services/{name}/status",
        {"status": {"loadBalancer": {"ingress": points}}},
    )
