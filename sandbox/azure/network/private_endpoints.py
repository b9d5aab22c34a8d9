"""Private endpoints: an address in a subnet for a service, and its names in private zones.

Clients in the subnet's network reach the service there (`sandbox.network`), whatever its firewall says.
https://learn.microsoft.com/azure/private-link/private-endpoint-overview
"""

from __future__ import annotations

import copy
import time
from typing import Any
from urllib.parse import urlsplit

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.network import interfaces, references
from sandbox.azure.network.inline import etag
from sandbox.network.endpoints import TYPE
from sandbox.network.resolution import record_name

_TTL = 10


class PrivateEndpointHandler(Handler):
    type = TYPE

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        if not (properties.get("subnet") or {}).get("id"):
            raise bad_request(
                "InvalidRequestFormat", "A private endpoint needs a subnet.", "properties.subnet"
            )
        connections = _connections(properties)
        if len(connections) != 1:
            raise bad_request(
                "InvalidRequestFormat",
                "A private endpoint has exactly one private link service connection.",
                "properties.privateLinkServiceConnections",
            )
        target = str((connections[0].get("properties") or {}).get("privateLinkServiceId"))
        references.check(self.services.store, put.id, [properties["subnet"], {"id": target}])

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body["properties"]
        before = put.previous.properties if put.previous else {}
        properties["networkInterfaces"] = before.get("networkInterfaces", [])
        for kind in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
            for connection in properties.setdefault(kind, []):
                _approve(put.id, kind, connection)
        properties.setdefault("ipConfigurations", [])
        return body

    async def provision(self, resource: Resource) -> None:
        names = self._names(_connections(resource.properties)[0])
        interface = interfaces.ensure(self.services.store, resource, names)
        resource.properties["networkInterfaces"] = [{"id": str(interface.id)}]
        address = interface.properties["ipConfigurations"][0]["properties"]["privateIPAddress"]
        resource.properties["customDnsConfigs"] = [{"fqdn": name, "ipAddresses": [address]} for name in names]
        self.services.store.save(resource)
        await self.services.networks.settle()

    async def delete(self, resource: Resource) -> None:
        await self.services.networks.settle(resource.id)
        for interface in resource.properties.get("networkInterfaces") or ():
            self.services.store.remove(parse_id(interface["id"]))

    def _names(self, connection: Body) -> list[str]:
        """Host names of the service behind, from its own properties."""
        target = self.services.store.get(connection["properties"]["privateLinkServiceId"])
        groups = [str(group).lower() for group in connection["properties"].get("groupIds") or ()]
        return sorted(_host_names(target.properties, groups)) if target else []


class ZoneGroupHandler(Handler):
    """Keeps an endpoint's names as A records in the private zones it lists."""

    type = f"{TYPE}/privateDnsZoneGroups"

    async def check(self, put: Put) -> None:
        for config in (put.body.get("properties") or {}).get("privateDnsZoneConfigs") or ():
            zone = str((config.get("properties") or {}).get("privateDnsZoneId"))
            references.check(self.services.store, put.id, {"id": zone})

    async def provision(self, resource: Resource) -> None:
        endpoint = self.services.store.get(parse_id(resource.id.text.rsplit("/", 2)[0]))
        configs = endpoint.properties.get("customDnsConfigs") or [] if endpoint else []
        for zone_config in resource.properties.get("privateDnsZoneConfigs") or ():
            properties = zone_config["properties"]
            zone = parse_id(properties["privateDnsZoneId"])
            properties["recordSets"] = [
                self._record(zone, config["fqdn"], config["ipAddresses"]) for config in configs
            ]
        await self.services.networks.settle()

    async def delete(self, resource: Resource) -> None:
        for zone_config in resource.properties.get("privateDnsZoneConfigs") or ():
            for record in zone_config["properties"].get("recordSets") or ():
                zone = zone_config["properties"]["privateDnsZoneId"]
                self.services.store.remove(parse_id(f"{zone}/A/{record['recordSetName']}"))
        await self.services.networks.settle()

    def _record(self, zone: ResourceId, fqdn: str, ips: list[str]) -> Body:
        name = record_name(fqdn, zone.name)
        now = time.time()
        properties = {
            "ttl": _TTL,
            "fqdn": f"{name}.{zone.name}.",
            "isAutoRegistered": False,
            "aRecords": [{"ipv4Address": ip} for ip in ips],
        }
        record = Resource(parse_id(f"{zone}/A/{name}"), {"properties": properties, "etag": etag()}, now, now)
        self.services.store.save(record)
        return {
            "recordType": "A",
            "recordSetName": name,
            "fqdn": f"{name}.{zone.name}",
            "ttl": _TTL,
            "ipAddresses": ips,
            "provisioningState": "Succeeded",
        }


def _connections(properties: Body) -> list[Body]:
    kinds = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    return [connection for kind in kinds for connection in properties.get(kind) or ()]


def _approve(endpoint: ResourceId, kind: str, connection: Body) -> None:
    connection.setdefault("name", endpoint.name)
    connection["id"] = f"{endpoint}/{kind}/{connection['name']}"
    connection["type"] = f"{TYPE}/{kind}"
    properties = connection.setdefault("properties", {})
    properties["provisioningState"] = "Succeeded"
    approved = {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}
    properties["privateLinkServiceConnectionState"] = approved


def _host_names(properties: Any, groups: list[str]) -> set[str]:
    """Names that a resource answers under, wherever its type keeps them."""
    found = [properties.get(key) for key in ("vaultUri", "endpoint", "documentEndpoint", "loginServer")]
    found.append(properties.get("fullyQualifiedDomainName"))
    # Cosmos DB's regional endpoints, and a registry's for its layers.
    found += [place.get("documentEndpoint") for place in properties.get("locations") or ()]
    found += properties.get("dataEndpointHostNames") or ()
    endpoints = properties.get("primaryEndpoints") or {}
    found += [endpoints.get(group) for group in groups]
    return {urlsplit(str(url)).hostname or str(url) for url in found if url}
