"""Azure networking as the control plane sees it: networks, rules, addresses, endpoints, private zones."""

from __future__ import annotations

from sandbox.azure.network.interfaces import InterfaceHandler
from sandbox.azure.network.private_endpoints import PrivateEndpointHandler, ZoneGroupHandler
from sandbox.azure.network.private_zones import RECORD_HANDLERS, LinkHandler, PrivateZoneHandler
from sandbox.azure.network.public_addresses import NatGatewayHandler, PublicAddressHandler
from sandbox.azure.network.security_groups import RouteTableHandler, SecurityGroupHandler, SecurityRuleHandler
from sandbox.azure.network.virtual_networks import SubnetHandler, VirtualNetworkHandler

HANDLERS = (
    VirtualNetworkHandler,
    SubnetHandler,
    SecurityGroupHandler,
    SecurityRuleHandler,
    RouteTableHandler,
    PublicAddressHandler,
    NatGatewayHandler,
    InterfaceHandler,
    PrivateEndpointHandler,
    ZoneGroupHandler,
    PrivateZoneHandler,
    LinkHandler,
    *RECORD_HANDLERS,
)
