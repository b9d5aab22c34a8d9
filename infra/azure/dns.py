"""The public DNS zone and the name under which the agents answer."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import dns

from infra.azure.place import Place

#: Seconds that clients remember the address: what moving the name to another region takes at most.
TTL_SECONDS = 60


@dataclass(frozen=True)
class PublicNameArgs:
    """`host` lies directly below `zone`; `address` is an IPv4 address."""

    place: Place
    host: str
    zone: str
    address: pulumi.Input[str]


class PublicName(pulumi.ComponentResource):
    """A zone (delegate its name servers at your registrar) with one A record.

    The zone is kept like what holds data: a new one would have other name servers, and the delegation would
    lead nowhere.
    """

    def __init__(self, name: str, args: PublicNameArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:PublicName", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        zone = dns.Zone(
            name,
            zone_name=args.zone,
            resource_group_name=args.place.resource_group,
            location="global",
            tags=args.place.tags,
            opts=args.place.stateful(self),
        )
        dns.RecordSet(
            args.host,
            relative_record_set_name=relative_name(args.host, args.zone),
            record_type="A",
            zone_name=zone.name,
            resource_group_name=args.place.resource_group,
            ttl=TTL_SECONDS,
            a_records=[dns.ARecordArgs(ipv4_address=args.address)],
            opts=child,
        )
        self.name_servers = zone.name_servers
        self.register_outputs({"nameServers": self.name_servers})


def relative_name(host: str, zone: str) -> str:
    """What a host directly below a zone is called in it."""
    return host.removesuffix(f".{zone}")
