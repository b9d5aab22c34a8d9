"""The way out: one address that stays, so that others can let the platform in by it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from infra.azure.diagnostics import diagnose
from infra.azure.place import Place
from infra.naming import Names


@dataclass(frozen=True)
class EgressArgs:
    place: Place
    names: Names
    workspace_id: pulumi.Input[str]


class Egress(pulumi.ComponentResource):
    """A NAT gateway with a public address that takes no connections from outside.

    One address gives 64,512 ports towards each destination. The address is in every zone; the gateway, like
    all of its SKU, is in one that Azure chooses.
    https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource
    """

    def __init__(self, name: str, args: EgressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Egress", name, None, opts)
        place, child = args.place, pulumi.ResourceOptions(parent=self)
        address = network.PublicIPAddress(
            name,
            public_ip_address_name=args.names.egress_address,
            resource_group_name=place.resource_group,
            location=place.location,
            sku=network.PublicIPAddressSkuArgs(
                name=network.PublicIPAddressSkuName.STANDARD, tier=network.PublicIPAddressSkuTier.REGIONAL
            ),
            public_ip_allocation_method=network.IPAllocationMethod.STATIC,
            public_ip_address_version=network.IPVersion.I_PV4,
            tags=place.tags,
            opts=child,
        )
        gateway = network.NatGateway(
            name,
            nat_gateway_name=args.names.nat_gateway,
            resource_group_name=place.resource_group,
            location=place.location,
            sku=network.NatGatewaySkuArgs(name=network.NatGatewaySkuName.STANDARD),
            public_ip_addresses=[network.SubResourceArgs(id=address.id)],
            idle_timeout_in_minutes=4,
            tags=place.tags,
            opts=child,
        )
        diagnose(f"{name}-address", address.id, args.workspace_id, child, logs=("allLogs",))
        diagnose(name, gateway.id, args.workspace_id, child, logs=())
        self.id = gateway.id
        self.address = address.ip_address.apply(_allocated)
        self.register_outputs({"address": self.address})


def _allocated(address: str | None) -> str:
    """A static address is there as soon as its resource is, so a missing one is a fault to report."""
    if not address:
        raise pulumi.RunError("Azure gave the NAT gateway's public address no number.")
    return address
