"""`Microsoft.Network/dnsZones/A`, `CNAME`, …: an A record in the sandbox's namespace really resolves."""

from __future__ import annotations

import copy
from ipaddress import ip_address
from typing import Any

from sandbox.arm.errors import bad_request, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource
from sandbox.azure.dns import names

ZONES = "Microsoft.Network/dnsZones"
RECORD_TYPES = ("A", "AAAA", "CAA", "CNAME", "DS", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT")
#: Where each type keeps its records on the wire.
_KEYS = {"CNAME": "CNAMERecord", "SOA": "SOARecord", "CAA": "caaRecords"}
#: Exist with the zone, at its apex.
BUILT_IN = ("NS", "SOA")


class RecordSetHandler(Handler):
    """One record type; `record` is its name."""

    record: str

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        name = names.fqdn(_zone(put.id.text), put.id.name)
        if names.is_reserved(self.services.names, name):
            raise bad_request("ReservedName", f"'{name}' is a name under which the cloud itself answers.")
        if put.id.name == "@" and self.record == "CNAME":
            raise bad_request("BadRequest", "A CNAME record cannot be created at the zone's apex ('@').")
        records = properties.get(_KEYS.get(self.record, f"{self.record}Records"))
        if not records and not properties.get("targetResource"):
            raise bad_request(
                "BadRequest",
                f"The record set has no {self.record} records.",
                f"properties.{_KEYS.get(self.record, f'{self.record}Records')}",
            )
        if self.record in ("A", "AAAA"):
            for one in records or ():
                _check_address(self.record, one)
        self._check_cname(put)

    def _check_cname(self, put: Put) -> None:
        """A CNAME is alone at its name."""
        zone = put.id.text.rsplit("/", 2)[0]
        others = [other for other in RECORD_TYPES if (other == "CNAME") != (self.record == "CNAME")]
        for other in others:
            if self.services.store.get(f"{zone}/{other}/{put.id.name}") is not None:
                raise conflict(
                    "Conflict",
                    f"The record set could not be created because a {other} record with the same name "
                    "already exists in this zone.",
                )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body.setdefault("properties", {})
        properties.setdefault("TTL", 3600)
        properties["fqdn"] = f"{names.fqdn(_zone(put.id.text), put.id.name)}."
        properties.setdefault("targetResource", {})
        return body

    async def provision(self, resource: Resource) -> None:
        name, addresses = names.fqdn(_zone(resource.id.text), resource.id.name), self._addresses(resource)
        usable = [one for one in addresses if names.resolvable(self.services.config, name, one)]
        if usable:
            self.services.hosts.publish(name, usable[0])
        elif addresses:
            self.services.hosts.withdraw(name)

    async def resume(self, resource: Resource) -> None:
        await self.provision(resource)

    async def check_delete(self, resource: Resource) -> None:
        if resource.id.name == "@" and self.record in BUILT_IN:
            raise bad_request(
                "BadRequest", f"The {self.record} record set at the zone's apex cannot be deleted."
            )

    async def delete(self, resource: Resource) -> None:
        if self._addresses(resource):
            self.services.hosts.withdraw(names.fqdn(_zone(resource.id.text), resource.id.name))

    def _addresses(self, resource: Resource) -> list[str]:
        """IPv4 addresses of the record set: its own, its target's, or those of the name it stands for."""
        if self.record == "CNAME":
            alias = str((resource.properties.get("CNAMERecord") or {}).get("cname", "")).rstrip(".").lower()
            return self._of_name(alias)
        if self.record != "A":
            return []
        target = (resource.properties.get("targetResource") or {}).get("id")
        if target:
            found = self.services.store.get(target)
            return [str(found.properties["ipAddress"])] if found and found.properties.get("ipAddress") else []
        return [str(one["ipv4Address"]) for one in resource.properties.get("ARecords") or ()]

    def _of_name(self, name: str) -> list[str]:
        for other in self.services.store.list(type=f"{ZONES}/A"):
            if names.fqdn(_zone(other.id.text), other.id.name) == name:
                return [str(one["ipv4Address"]) for one in other.properties.get("ARecords") or ()]
        if name.endswith(f".{self.services.names.suffix}"):
            return [str(self.services.config.gateway)]
        return []


def _zone(record_id: str) -> str:
    return parse_id(record_id.rsplit("/", 2)[0]).name


def _check_address(record: str, value: Any) -> None:
    version, key = (4, "ipv4Address") if record == "A" else (6, "ipv6Address")
    text = value.get(key) if isinstance(value, dict) else None
    try:
        right = ip_address(str(text)).version == version
    except ValueError:
        right = False
    if not right:
        raise bad_request(
            "BadRequest",
            f"The value '{text}' is not a valid IPv{version} address.",
            f"properties.{record}Records",
        )


RECORD_HANDLERS: tuple[type[Handler], ...] = tuple(
    type(f"{record}RecordHandler", (RecordSetHandler,), {"type": f"{ZONES}/{record}", "record": record})
    for record in RECORD_TYPES
)
