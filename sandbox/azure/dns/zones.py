"""`Microsoft.Network/dnsZones`: public zones, each with its name servers, NS and SOA records."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Sequence

from sandbox.arm.errors import bad_request, not_found
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.azure.dns import names
from sandbox.azure.dns.record_sets import ZONES


class ZoneHandler(Handler):
    type = ZONES
    long_running_delete = True

    def operations(self) -> Sequence[Operation]:
        base = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{ZONES}/{{zone}}"
        return tuple(
            Operation("GET", f"{base}/{segment}", f"{ZONES}/{segment}/read", self._records)
            for segment in ("recordsets", "all")
        )

    async def _records(self, call: OperationCall) -> Answer:
        """Record sets of every type."""
        group = f"/subscriptions/{call.parameters['subscription']}/resourceGroups/{call.parameters['group']}"
        zone = f"{group}/providers/{ZONES}/{call.parameters['zone']}"
        found = self.services.store.get(zone)
        if found is None:
            raise not_found(zone)
        return Answer(body={"value": [one.wire() for one in self.services.store.list(under=str(found.id))]})

    async def check(self, put: Put) -> None:
        if names.is_reserved(self.services.names, put.id.name.lower()):
            raise bad_request(
                "BadRequest",
                f"The zone '{put.id.name}' is not available: the cloud itself answers under that name.",
            )
        if (put.body.get("properties") or {}).get("zoneType", "Public") != "Public":
            raise bad_request(
                "BadRequest",
                "Private zones are of type Microsoft.Network/privateDnsZones.",
                "properties.zoneType",
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body.setdefault("properties", {})
        properties["zoneType"] = "Public"
        properties["nameServers"] = self._servers(put.id.name)
        return body

    async def provision(self, resource: Resource) -> None:
        servers = resource.properties["nameServers"]
        soa = {
            "host": servers[0],
            "email": f"azuredns-hostmaster.{self.services.names.suffix}",
            "serialNumber": 1,
            "refreshTime": 3600,
            "retryTime": 300,
            "expireTime": 2_419_200,
            "minimumTTL": 300,
        }
        self._keep(resource, "NS", {"TTL": 172_800, "NSRecords": [{"nsdname": server} for server in servers]})
        self._keep(resource, "SOA", {"TTL": 3600, "SOARecord": soa})

    async def view(self, resource: Resource) -> Body:
        wire = copy.deepcopy(resource.wire())
        count = len(list(self.services.store.list(under=str(resource.id))))
        wire["properties"].update(
            maxNumberOfRecordSets=10_000, maxNumberOfRecordsPerRecordSet=None, numberOfRecordSets=count
        )
        return wire

    def _keep(self, zone: Resource, record: str, properties: Body) -> None:
        """A record set at the apex, once: a zone's owner may have changed it."""
        id_ = parse_id(f"{zone.id}/{record}/@")
        if self.services.store.get(id_) is None:
            now = time.time()
            shown = {
                **properties,
                "fqdn": f"{zone.id.name}.",
                "provisioningState": "Succeeded",
                "targetResource": {},
            }
            self.services.store.save(Resource(id_, {"properties": shown}, now, now))

    def _servers(self, zone: str) -> list[str]:
        """Four name servers of one of a hundred sets, by the zone's name."""
        number = int.from_bytes(hashlib.sha256(zone.lower().encode()).digest()[:2]) % 100
        return [f"ns{index}-{number:02}.azure-dns.{self.services.names.suffix}." for index in range(1, 5)]
