"""`Microsoft.Network/networkSecurityGroups`, their rules, and route tables.

They are checked and kept, and stop no packet: what says no here are firewalls of services, private networks
and Kubernetes' network policies.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Put
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.network import references
from sandbox.azure.network.inline import InlineChild, InlineParent, listed, siblings

_LOWEST, _HIGHEST = 100, 4096
#: (name, priority, direction, access, source, destination) of the rules every group has.
_DEFAULT_RULES = (
    ("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
    ("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
    ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
)


class SecurityGroupHandler(InlineParent):
    type = "Microsoft.Network/networkSecurityGroups"
    children = "securityRules"

    def complete(self, id: ResourceId, properties: Body) -> Body:  # noqa: A002
        del id
        lists = (
            "sourceAddressPrefixes",
            "destinationAddressPrefixes",
            "sourcePortRanges",
            "destinationPortRanges",
        )
        return {**{name: [] for name in lists}, **properties}

    async def check(self, put: Put) -> None:
        await super().check(put)
        rules = listed(put.body, self.children) or []
        check_rules({str(rule.get("name")): rule.get("properties") or {} for rule in rules})

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body.setdefault("properties", {})
        before = put.previous.properties if put.previous else {}
        properties["resourceGuid"] = before.get("resourceGuid", str(uuid.uuid4()))
        return body

    async def delete(self, resource: Resource) -> None:
        references.require_unused(
            self.services.store,
            resource.id,
            "InUseNetworkSecurityGroupCannotBeDeleted",
            "Network security group {id} cannot be deleted because it is in use by the following "
            "resources: {user}. In order to delete the Network security group, remove the association with "
            "the resource(s).",
            but=resource.id,
        )

    async def view(self, resource: Resource) -> Body:
        wire = await super().view(resource)
        wire["properties"]["defaultSecurityRules"] = [
            _default_rule(resource.id, rule) for rule in _DEFAULT_RULES
        ]
        users = references.users(self.services.store, resource.id, but=resource.id)
        subnets = [{"id": str(user.id)} for user in users if user.id.type.lower().endswith("/subnets")]
        if subnets:
            wire["properties"]["subnets"] = subnets
        return wire


class SecurityRuleHandler(InlineChild):
    type = "Microsoft.Network/networkSecurityGroups/securityRules"
    parent_handler = SecurityGroupHandler

    async def check(self, put: Put) -> None:
        check_rules({**siblings(self.family(), put.id), put.id.name: put.body.get("properties") or {}})


class RouteTableHandler(InlineParent):
    type = "Microsoft.Network/routeTables"
    children = "routes"

    def complete(self, id: ResourceId, properties: Body) -> Body:  # noqa: A002
        del id
        return {"hasBgpOverride": False, **properties}

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body.setdefault("properties", {})
        before = put.previous.properties if put.previous else {}
        properties.setdefault("disableBgpRoutePropagation", False)
        properties["resourceGuid"] = before.get("resourceGuid", str(uuid.uuid4()))
        return body

    async def delete(self, resource: Resource) -> None:
        references.require_unused(
            self.services.store,
            resource.id,
            "InUseRouteTableCannotBeDeleted",
            "Route table {name} is in use and cannot be deleted: {user}.",
            but=resource.id,
        )


def check_rules(rules: Mapping[str, Mapping[str, Any]]) -> None:
    """Priorities in range, and one rule per priority and direction."""
    taken: dict[tuple[int, str], str] = {}
    for name, rule in rules.items():
        priority, direction = rule.get("priority"), str(rule.get("direction"))
        if not isinstance(priority, int) or not _LOWEST <= priority <= _HIGHEST:
            raise bad_request(
                "SecurityRuleInvalidPriority",
                f"Security rule has invalid Priority. Value provided: {priority} Allowed range "
                f"{_LOWEST}-{_HIGHEST}. Rule: {name}.",
            )
        other = taken.setdefault((priority, direction.lower()), name)
        if other != name:
            raise bad_request(
                "SecurityRuleConflict",
                f"Security rule {name} conflicts with rule {other}. Rules cannot have the same Priority and "
                "Direction.",
            )


def _default_rule(group: ResourceId, rule: tuple[str, int, str, str, str, str]) -> Body:
    name, priority, direction, access, source, destination = rule
    return {
        "id": f"{group}/defaultSecurityRules/{name}",
        "name": name,
        "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
        "properties": {
            "provisioningState": "Succeeded",
            "protocol": "*",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": destination,
            "access": access,
            "priority": priority,
            "direction": direction,
        },
    }
