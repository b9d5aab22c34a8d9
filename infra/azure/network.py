"""The virtual network and its subnets."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

# One address plan for every environment: they are never peered with each other.
ADDRESS_SPACE = "10.240.0.0/16"
SUBNETS = {"nodes": "10.240.0.0/20", "endpoints": "10.240.16.0/24"}


@dataclass(frozen=True)
class NetworkArgs:
    name: str
    resource_group: pulumi.Input[str]
    tags: dict[str, str]


class Network(pulumi.ComponentResource):
    """A VNet with a subnet for the cluster's nodes and one for private endpoints."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Network", name, None, opts)
        self.vnet = network.VirtualNetwork(
            name,
            virtual_network_name=args.name,
            resource_group_name=args.resource_group,
            address_space=network.AddressSpaceArgs(address_prefixes=[ADDRESS_SPACE]),
            subnets=[
                network.SubnetArgs(name=subnet, address_prefix=prefix) for subnet, prefix in SUBNETS.items()
            ],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self.vnet.id
        self.nodes_subnet_id = pulumi.Output.concat(self.vnet.id, "/subnets/nodes")
        self.register_outputs({"id": self.id, "nodesSubnetId": self.nodes_subnet_id})
