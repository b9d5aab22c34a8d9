"""Public IP addresses and NAT gateways.

A NAT gateway's first address is what services and the internet see of the clusters in its subnets
(`sandbox.network.places`); its ports and timeouts are only kept.

A static address is given out at once, from 198.18.0.0/15 (reserved for benchmarks, RFC 2544): it is unique,
and nothing on the internet can be meant by it.
"""

from __future__ import annotations

import copy
import uuid
from ipaddress import ip_network

from sandbox.arm.errors import bad_request, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure.network import references

_POOLS = {"IPv4": ip_network("198.18.0.0/15"), "IPv6": ip_network("2001:2:0:1::/64")}


class PublicAddressHandler(Handler):
    type = "Microsoft.Network/publicIPAddresses"

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        sku = (put.body.get("sku") or {}).get("name", "Basic")
        if sku != "Basic" and properties.get("publicIPAllocationMethod", "Dynamic") != "Static":
            raise bad_request(
                "PublicIPAddressAllocationMethodMustBeStatic",
                f"{sku} SKU public IP addresses must have the allocation method Static.",
                "properties.publicIPAllocationMethod",
            )
        label = (properties.get("dnsSettings") or {}).get("domainNameLabel")
        if label and any(
            other.id != put.id
            and other.location == put.body.get("location")
            and _label(other) == str(label).lower()
            for other in self.services.store.list(type=self.type)
        ):
            raise conflict(
                "DnsRecordInUse",
                f"DNS record {label}.{put.body.get('location')} is already used by another public IP.",
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body.setdefault("properties", {})
        before = put.previous.properties if put.previous else {}
        sku = body.setdefault("sku", {"name": "Basic"})
        sku.setdefault("tier", "Regional")
        properties.setdefault("publicIPAddressVersion", "IPv4")
        properties.setdefault("publicIPAllocationMethod", "Dynamic")
        properties.setdefault("idleTimeoutInMinutes", 4)
        properties.setdefault("ipTags", [])
        properties["resourceGuid"] = before.get("resourceGuid", str(uuid.uuid4()))
        if properties["publicIPAllocationMethod"] == "Static":
            properties["ipAddress"] = before.get("ipAddress") or self._free(
                properties["publicIPAddressVersion"]
            )
        settings = properties.get("dnsSettings")
        if settings and settings.get("domainNameLabel"):
            suffix = f"{body.get('location')}.cloudapp.{self.services.names.suffix}"
            settings["fqdn"] = f"{settings['domainNameLabel']}.{suffix}"
        return body

    async def delete(self, resource: Resource) -> None:
        references.require_unused(
            self.services.store,
            resource.id,
            "PublicIPAddressCannotBeDeleted",
            "Public IP address {id} can not be deleted since it is still allocated to resource {user}. In "
            "order to delete the public IP, disassociate/detach the Public IP address from the resource.",
            but=resource.id,
        )

    def _free(self, version: str) -> str:
        taken = {other.properties.get("ipAddress") for other in self.services.store.list(type=self.type)}
        return next(str(address) for address in _POOLS[version].hosts() if str(address) not in taken)


class NatGatewayHandler(Handler):
    type = "Microsoft.Network/natGateways"

    async def check(self, put: Put) -> None:
        references.check(self.services.store, put.id, put.body)
        if not str((put.body.get("sku") or {}).get("name", "")).startswith("Standard"):
            raise bad_request("InvalidSku", "A NAT gateway has SKU Standard or StandardV2.", "sku.name")
        if len(put.body.get("zones") or ()) > 1:
            raise bad_request("InvalidZones", "A NAT gateway lies in at most one zone.", "zones")

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body.setdefault("properties", {})
        before = put.previous.properties if put.previous else {}
        properties.setdefault("idleTimeoutInMinutes", 4)
        properties["resourceGuid"] = before.get("resourceGuid", str(uuid.uuid4()))
        return body

    async def view(self, resource: Resource) -> Body:
        users = references.users(self.services.store, resource.id, but=resource.id)
        subnets = [{"id": str(user.id)} for user in users if user.id.type.lower().endswith("/subnets")]
        wire = resource.wire()
        return {**wire, "properties": {**wire["properties"], "subnets": subnets}} if subnets else wire

    async def delete(self, resource: Resource) -> None:
        references.require_unused(
            self.services.store,
            resource.id,
            "InUseNatGatewayCannotBeDeleted",
            "Nat gateway {name} is in use by {user} and cannot be deleted.",
            but=resource.id,
        )


def _label(address: Resource) -> str:
    return str((address.properties.get("dnsSettings") or {}).get("domainNameLabel", "")).lower()
