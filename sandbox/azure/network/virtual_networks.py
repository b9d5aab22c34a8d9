"""`Microsoft.Network/virtualNetworks` and their subnets."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Put
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.network import addresses, references
from sandbox.azure.network.inline import InlineChild, InlineParent, listed, siblings

_IN_USE = (
    "Subnet {name} is in use by {user} and cannot be deleted. In order to delete the subnet, delete all "
    "the resources within the subnet. See aka.ms/deletesubnet."
)


class VirtualNetworkHandler(InlineParent):
    type = "Microsoft.Network/virtualNetworks"
    children = "subnets"

    def complete(self, id: ResourceId, properties: Body) -> Body:  # noqa: A002
        for number, delegation in enumerate(properties.get("delegations") or ()):
            name = delegation.setdefault("name", str(number))
            delegation["id"] = f"{id}/delegations/{name}"
            delegation["type"] = "Microsoft.Network/virtualNetworks/subnets/delegations"
            delegation.setdefault("properties", {})["provisioningState"] = "Succeeded"
        shown = {key: value for key, value in properties.items() if key not in _BACK_REFERENCES}
        return {
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
            **shown,
        }

    def in_use(self, id: ResourceId, parent: ResourceId) -> None:  # noqa: A002
        references.require_unused(self.services.store, id, "InUseSubnetCannotBeDeleted", _IN_USE, but=parent)

    async def check(self, put: Put) -> None:
        await super().check(put)
        whole = addresses.space(put.id.name, put.body.get("properties") or {})
        sent = listed(put.body, self.children)
        subnets: dict[str, list[addresses.Network]] = {}
        for child in sent if sent is not None else [c.wire() for c in self.stored(put.id)]:
            name = str(child.get("name") or "")
            if not name:
                raise bad_request("InvalidRequestFormat", "A subnet has no name.", "properties.subnets")
            if name.lower() in (other.lower() for other in subnets):
                raise bad_request(
                    "InvalidRequestFormat", f"Subnet {name} is listed twice.", "properties.subnets"
                )
            subnets[name] = addresses.subnet(name, child.get("properties") or {})
        addresses.check_subnets(put.id.name, whole, subnets)

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body["properties"]
        before = put.previous.properties if put.previous else {}
        properties.setdefault("virtualNetworkPeerings", [])
        properties.setdefault("enableDdosProtection", False)
        properties["resourceGuid"] = before.get("resourceGuid", str(uuid.uuid4()))
        return body

    async def view(self, resource: Resource) -> Body:
        wire = await super().view(resource)
        wire["properties"]["subnets"] = [
            with_users(self, subnet, child)
            for subnet, child in zip(wire["properties"]["subnets"], self.stored(resource.id), strict=True)
        ]
        return wire


class SubnetHandler(InlineChild):
    type = "Microsoft.Network/virtualNetworks/subnets"
    parent_handler = VirtualNetworkHandler

    async def check(self, put: Put) -> None:
        references.check(self.services.store, put.id, put.body)
        above = self.services.store.get(parse_id(put.id.text.rsplit("/", 2)[0]))
        if above is None:
            return  # ARM has said so already
        subnets = {
            name: addresses.subnet(name, properties)
            for name, properties in siblings(self.family(), put.id).items()
        }
        subnets[put.id.name] = addresses.subnet(put.id.name, put.body.get("properties") or {})
        addresses.check_subnets(above.id.name, addresses.space(above.id.name, above.properties), subnets)

    async def view(self, resource: Resource) -> Body:
        return with_users(self.family(), resource.wire(), resource)


_BACK_REFERENCES = ("privateEndpoints", "ipConfigurations")


def with_users(handler: InlineParent, wire: Body, subnet: Resource) -> Body:
    """A subnet with the private endpoints that lie in it."""
    endpoints: list[dict[str, Any]] = [
        {"id": str(user.id)}
        for user in handler.services.store.list(type="Microsoft.Network/privateEndpoints")
        if str((user.properties.get("subnet") or {}).get("id", "")).lower() == subnet.id.key
    ]
    if endpoints:
        wire = {**wire, "properties": {**wire["properties"], "privateEndpoints": endpoints}}
    return wire
