"""Private DNS zones, their links to networks, and their record sets.

A records resolve in the networks that their zone is linked to (`sandbox.network.resolution`); records of
other types are only kept.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Sequence
from ipaddress import IPv4Address

from sandbox.arm.errors import bad_request, conflict, not_found
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.azure.network import references
from sandbox.network.resolution import LINKS, ZONES


class PrivateZoneHandler(Handler):
    type = ZONES

    def operations(self) -> Sequence[Operation]:
        base = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{ZONES}/{{zone}}"
        return (Operation("GET", f"{base}/all", f"{ZONES}/all/read", self._records),)

    async def _records(self, call: OperationCall) -> Answer:
        """Record sets of every type."""
        group = f"/subscriptions/{call.parameters['subscription']}/resourceGroups/{call.parameters['group']}"
        zone = f"{group}/providers/{ZONES}/{call.parameters['zone']}"
        found = self.services.store.get(zone)
        if found is None:
            raise not_found(zone)
        below = self.services.store.list(under=str(found.id))
        return Answer(body={"value": [one.wire() for one in below if one.id.type.lower() != LINKS.lower()]})

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        before = put.previous.properties if put.previous else {}
        body.setdefault("properties", {})["internalId"] = before.get("internalId", str(uuid.uuid4()))
        return body

    async def view(self, resource: Resource) -> Body:
        wire = copy.deepcopy(resource.wire())
        below = list(self.services.store.list(under=str(resource.id)))
        links = [one for one in below if one.id.type.lower() == LINKS.lower()]
        registering = [link for link in links if link.properties.get("registrationEnabled")]
        wire.setdefault("properties", {}).update(
            maxNumberOfRecordSets=25_000,
            # The zone's SOA counts, as on Azure.
            numberOfRecordSets=1 + len(below) - len(links),
            maxNumberOfVirtualNetworkLinks=1_000,
            numberOfVirtualNetworkLinks=len(links),
            maxNumberOfVirtualNetworkLinksWithRegistration=100,
            numberOfVirtualNetworkLinksWithRegistration=len(registering),
        )
        return wire

    async def check_delete(self, resource: Resource) -> None:
        if any(self.services.store.list(type=LINKS, under=str(resource.id))):
            raise conflict(
                "CannotDeleteResource",
                "Can not delete resource before nested resources are deleted. Remove the virtual network "
                "links first.",
            )


class LinkHandler(Handler):
    type = LINKS

    async def check(self, put: Put) -> None:
        network = (put.body.get("properties") or {}).get("virtualNetwork") or {}
        references.check(self.services.store, put.id, network)
        zone = parse_id(put.id.text.rsplit("/", 2)[0])
        for link in self.services.store.list(type=LINKS, under=str(zone)):
            if link.id != put.id and _network(link) == str(network.get("id")).lower():
                raise conflict(
                    "Conflict",
                    "A virtual network cannot be linked to multiple zones with overlapping namespaces: "
                    f"{network['id']} is linked to '{zone.name}' by '{link.id.name}' already.",
                )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body.setdefault("properties", {})
        properties.setdefault("registrationEnabled", False)
        properties.setdefault("resolutionPolicy", "Default")
        properties["virtualNetworkLinkState"] = "Completed"
        return body

    async def provision(self, resource: Resource) -> None:
        del resource
        await self.services.networks.settle()

    async def delete(self, resource: Resource) -> None:
        await self.services.networks.settle(resource.id)


def _network(link: Resource) -> str:
    return str((link.properties.get("virtualNetwork") or {}).get("id", "")).lower()


class _PrivateRecordHandler(Handler):
    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        zone = parse_id(put.id.text.rsplit("/", 2)[0])
        name = "" if put.id.name == "@" else f"{put.id.name}."
        body.setdefault("properties", {}).update(fqdn=f"{name}{zone.name}.", isAutoRegistered=False)
        return body


class PrivateAddressHandler(_PrivateRecordHandler):
    type = f"{ZONES}/A"

    async def check(self, put: Put) -> None:
        for record in (put.body.get("properties") or {}).get("aRecords") or ():
            try:
                IPv4Address(record.get("ipv4Address"))
            except ValueError as error:
                raise bad_request(
                    "BadRequest",
                    f"The record set's IPv4 address '{record.get('ipv4Address')}' is invalid.",
                    "properties.aRecords",
                ) from error

    async def provision(self, resource: Resource) -> None:
        del resource
        await self.services.networks.settle()

    async def delete(self, resource: Resource) -> None:
        await self.services.networks.settle(resource.id)


#: One handler per record type: the others differ in the name alone.
RECORD_HANDLERS: tuple[type[Handler], ...] = (
    PrivateAddressHandler,
    *(
        type(f"Private{record}RecordHandler", (_PrivateRecordHandler,), {"type": f"{ZONES}/{record}"})
        for record in ("AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT")
    ),
)
