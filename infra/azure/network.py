"""The virtual network: a subnet for the cluster's nodes, one for private endpoints, one for image builds."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from infra.azure.diagnostics import diagnose
from infra.azure.egress import Egress, EgressArgs
from infra.azure.nsg import Rule, endpoint_rules, node_rules, security_group
from infra.azure.place import Place
from infra.azure.private import PrivateAccess
from infra.azure.private_zones import PrivateZones, PrivateZonesArgs
from infra.naming import Names
from infra.settings.sections import NetworkSettings

ENDPOINTS = "endpoints"
_NODES, _ENDPOINTS, _BUILDS = "nodes", ENDPOINTS, "builds"


@dataclass(frozen=True)
class NetworkArgs:
    """`workspace_id`: where flow events and metrics go."""

    place: Place
    names: Names
    settings: NetworkSettings
    workspace_id: pulumi.Input[str]


class Network(pulumi.ComponentResource):
    """Every subnet has a security group and no way out by default; nodes and builds have the NAT gateway.

    `private_access` is the way to services inside the network, `builds_subnet_id` where images are built for
    a registry that answers only there; both are None where services are public.
    `egress_address` is what the internet sees the cluster's calls come from.
    """

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Network", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        egress = Egress("egress", EgressArgs(args.place, args.names, args.workspace_id), child)
        self._groups = {
            subnet: security_group(subnet, args.names.security_group(subnet), args.place, rules, child)
            for subnet, rules in self._rules().items()
        }
        self.vnet = self._network(name, egress)
        self.id = self.vnet.id
        self.nodes_subnet_id = pulumi.Output.concat(self.vnet.id, f"/subnets/{_NODES}")
        self.builds_subnet_id = (
            pulumi.Output.concat(self.vnet.id, f"/subnets/{_BUILDS}") if args.settings.private else None
        )
        self.egress_address = egress.address
        self.private_access = self._private_access(name)
        self._diagnose(name)
        self.register_outputs({"id": self.id, "egressAddress": self.egress_address})

    def _rules(self) -> dict[str, list[Rule]]:
        """What may come in, by subnet. Nobody calls a machine that builds."""
        settings = self._args.settings
        found = {_NODES: node_rules(settings), _ENDPOINTS: endpoint_rules(settings)}
        return {**found, _BUILDS: []} if settings.private else found

    def _network(self, name: str, egress: Egress) -> network.VirtualNetwork:
        place, settings = self._args.place, self._args.settings
        return network.VirtualNetwork(
            name,
            virtual_network_name=self._args.names.network,
            resource_group_name=place.resource_group,
            location=place.location,
            address_space=network.AddressSpaceArgs(address_prefixes=[settings.address_space]),
            subnets=[
                network.SubnetArgs(
                    name=_NODES,
                    address_prefix=settings.nodes,
                    network_security_group=network.NetworkSecurityGroupArgs(id=self._groups[_NODES].id),
                    nat_gateway=network.SubResourceArgs(id=egress.id),
                    default_outbound_access=False,
                ),
                network.SubnetArgs(
                    name=_ENDPOINTS,
                    address_prefix=settings.endpoints,
                    network_security_group=network.NetworkSecurityGroupArgs(id=self._groups[_ENDPOINTS].id),
                    # Azure applies security groups to private endpoints only where it is told to.
                    private_endpoint_network_policies=(
                        network.VirtualNetworkPrivateEndpointNetworkPolicies.NETWORK_SECURITY_GROUP_ENABLED
                    ),
                    default_outbound_access=False,
                ),
                *self._builds(egress),
            ],
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _builds(self, egress: Egress) -> list[network.SubnetArgs]:
        if not self._args.settings.private:
            return []
        return [
            network.SubnetArgs(
                name=_BUILDS,
                address_prefix=self._args.settings.builds,
                network_security_group=network.NetworkSecurityGroupArgs(id=self._groups[_BUILDS].id),
                # Base images and packages come from the internet.
                nat_gateway=network.SubResourceArgs(id=egress.id),
                default_outbound_access=False,
            )
        ]

    def _private_access(self, name: str) -> PrivateAccess | None:
        if not self._args.settings.private:
            return None
        zones = PrivateZones(
            f"{name}-zones",
            PrivateZonesArgs(self._args.place, self.vnet.id),
            pulumi.ResourceOptions(parent=self),
        )
        return PrivateAccess(pulumi.Output.concat(self.vnet.id, f"/subnets/{_ENDPOINTS}"), zones.ids)

    def _diagnose(self, name: str) -> None:
        workspace, child = self._args.workspace_id, pulumi.ResourceOptions(parent=self)
        diagnose(name, self.vnet.id, workspace, child, logs=("allLogs",))
        for subnet, group in self._groups.items():
            diagnose(subnet, group.id, workspace, child, logs=("allLogs",), metrics=False)
