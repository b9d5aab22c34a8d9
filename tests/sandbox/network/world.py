"""A cloud with networks, clusters' nodes and services on paper: no machine, no server."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from sandbox.aks.layout import ClusterLayout, allocate
from sandbox.arm.handler import Handler
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource
from sandbox.azure.network.private_endpoints import PrivateEndpointHandler, ZoneGroupHandler
from sandbox.azure.network.private_zones import LinkHandler, PrivateZoneHandler
from sandbox.azure.network.public_addresses import NatGatewayHandler, PublicAddressHandler
from sandbox.azure.network.virtual_networks import VirtualNetworkHandler
from sandbox.network.networks import StoredNetworks
from sandbox.network.plan import Plan
from tests.sandbox.azure.conftest import GROUP, World, make_world

#: Every environment has the same address plan.
SPACE, NODES, ENDPOINTS = "10.240.0.0/16", "10.240.0.0/20", "10.240.16.0/24"


@dataclass
class Fabric:
    """Remembers what was put in force last."""

    plan: Plan = field(default_factory=Plan)
    times: int = 0

    async def apply(self, plan: Plan) -> None:
        self.plan, self.times = plan, self.times + 1


@dataclass
class Paper:
    world: World
    fabric: Fabric

    def save(self, path: str, properties: Body, **more: Any) -> Resource:
        """A resource as it would be stored, without asking its handler."""
        now = time.time()
        id_ = parse_id(path if path.startswith("/") else f"{GROUP}/providers/{path}")
        resource = Resource(id_, {"location": "westeurope", "properties": properties, **more}, now, now)
        self.world.store.save(resource)
        return resource

    def network(self, name: str, **nodes: Any) -> Resource:
        subnets = [
            {"name": "nodes", "properties": {"addressPrefix": NODES, **nodes}},
            {"name": "endpoints", "properties": {"addressPrefix": ENDPOINTS}},
        ]
        properties = {"addressSpace": {"addressPrefixes": [SPACE]}, "subnets": subnets}
        body: Body = {"location": "westeurope", "properties": properties}
        return self.world.put(VirtualNetworkHandler, f"Microsoft.Network/virtualNetworks/{name}", body)

    def nat_gateway(self, name: str) -> Resource:
        static: Body = {
            "location": "westeurope",
            "sku": {"name": "Standard"},
            "properties": {"publicIPAllocationMethod": "Static"},
        }
        address = self.world.put(PublicAddressHandler, f"Microsoft.Network/publicIPAddresses/{name}", static)
        body: Body = {
            "location": "westeurope",
            "sku": {"name": "Standard"},
            "properties": {"publicIpAddresses": [{"id": str(address.id)}]},
        }
        return self.world.put(NatGatewayHandler, f"Microsoft.Network/natGateways/{name}", body)

    def cluster(self, name: str, network: Resource | None, **properties: Any) -> ClusterLayout:
        """With one node, of the pool `system`."""
        cluster = self.save(f"Microsoft.ContainerService/managedClusters/{name}", dict(properties))
        subnet = {"vnetSubnetID": f"{network.id}/subnets/nodes"} if network else {}
        self.save(f"{cluster.id}/agentPools/system", subnet)
        layout = allocate(self.world.services.config, str(cluster.id))
        layout.node("system")
        return layout

    def vault(self, name: str, **properties: Any) -> Resource:
        uri = {"vaultUri": f"https://{name}.vault.azure.test/"}
        return self.save(f"Microsoft.KeyVault/vaults/{name}", {**uri, **properties})

    def zone(self, name: str, *networks: Resource) -> Resource:
        path = f"Microsoft.Network/privateDnsZones/{name}"
        zone = self.world.put(PrivateZoneHandler, path, {"location": "global"})
        for network in networks:
            self.link(zone, network)
        return zone

    def link(self, zone: Resource, network: Resource) -> Resource:
        body: Body = {"location": "global", "properties": {"virtualNetwork": {"id": str(network.id)}}}
        return self.world.put(LinkHandler, f"{zone.id}/virtualNetworkLinks/{network.id.name}", body)

    def endpoint(
        self, name: str, network: Resource, target: Resource, group: str, *, manual: bool = False
    ) -> Resource:
        kind = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
        connection = {"privateLinkServiceId": str(target.id), "groupIds": [group]}
        properties = {
            "subnet": {"id": f"{network.id}/subnets/endpoints"},
            kind: [{"name": name, "properties": connection}],
        }
        body: Body = {"location": "westeurope", "properties": properties}
        return self.world.put(PrivateEndpointHandler, f"Microsoft.Network/privateEndpoints/{name}", body)

    def zone_group(self, endpoint: Resource, zone: Resource) -> Resource:
        config = {"name": "one", "properties": {"privateDnsZoneId": str(zone.id)}}
        body: Body = {"properties": {"privateDnsZoneConfigs": [config]}}
        return self.world.put(ZoneGroupHandler, f"{endpoint.id}/privateDnsZoneGroups/default", body)

    def delete(self, *resources: Resource) -> None:
        handlers: list[type[Handler]] = [
            PrivateEndpointHandler,
            ZoneGroupHandler,
            PrivateZoneHandler,
            LinkHandler,
        ]
        for resource in resources:
            self.world.delete(handlers, resource)

    def node_file(self) -> dict[str, int]:
        path = self.world.services.config.state / "network" / "endpoints.json"
        found: dict[str, int] = json.loads(path.read_text())
        return found


def paper(state: Path) -> Paper:
    world, fabric = make_world(state), Fabric()
    config = replace(world.services.config, network=IPv4Network("10.77.0.0/16"))
    networks = StoredNetworks(config, world.store, fabric)
    world.services = replace(world.services, config=config, networks=networks)
    return Paper(world, fabric)
