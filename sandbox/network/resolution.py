"""What names mean inside a virtual network: the records of the private DNS zones that are linked to it.

A service with a private endpoint is an alias of its name under `privatelink`, as Azure's public DNS has it;
the zone of that name decides where it leads.
https://learn.microsoft.com/azure/private-link/private-endpoint-dns
Only A records are served; peered networks and conditional forwarders are not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address

from sandbox.arm.resource import Resource

ZONES = "Microsoft.Network/privateDnsZones"
LINKS = f"{ZONES}/virtualNetworkLinks"
RECORDS = f"{ZONES}/A"
_PRIVATE = "privatelink."
#: Zones that are called otherwise than the service whose names they hold.
_OTHERWISE = {"vaultcore.": "vault."}

#: Its listener is an alias of the name of the server that has the data.
FAILOVER_GROUPS = "Microsoft.Sql/servers/failoverGroups"

#: Name -> address.
Names = Mapping[str, IPv4Address]


def public_suffix(zone: str) -> str | None:
    """What the public names end in that a private zone stands behind: `vault.azure.test` for
    `privatelink.vaultcore.azure.test`."""
    if not zone.lower().startswith(_PRIVATE):
        return None
    suffix = zone.lower().removeprefix(_PRIVATE)
    for private, public in _OTHERWISE.items():
        if suffix.startswith(private):
            return public + suffix.removeprefix(private)
    return suffix


def record_name(fqdn: str, zone: str) -> str:
    """The record that stands for a service's public name in a private zone. A zone of another service gets
    one too, under the first label, as Azure writes it; no name leads there."""
    suffix = public_suffix(zone)
    if suffix and fqdn.lower().endswith(f".{suffix}"):
        return fqdn.lower().removesuffix(f".{suffix}")
    return fqdn.partition(".")[0].lower()


def linked(links: Iterable[Resource], records: Iterable[Resource]) -> dict[str, dict[str, IPv4Address]]:
    """Network -> the names it knows from its zones."""
    by_zone: dict[str, dict[str, IPv4Address]] = defaultdict(dict)
    for record in records:
        zone, _, _ = record.id.key.rpartition("/a/")
        by_zone[zone].update(_names(record, zone.rpartition("/")[2]))
    found: dict[str, dict[str, IPv4Address]] = defaultdict(dict)
    for link in links:
        zone, _, _ = link.id.key.rpartition("/virtualnetworklinks/")
        network = str((link.properties.get("virtualNetwork") or {}).get("id", "")).strip("/").lower()
        found[f"/{network}"].update(by_zone.get(zone, {}))
    return {network: names for network, names in found.items() if names}


def add_listeners(names: Mapping[str, dict[str, IPv4Address]], groups: Iterable[Resource]) -> None:
    """Let failover groups' listeners lead where their servers' names do. Each server shows the group with the
    role that it has; the secondary's listener is called `<group>.secondary`.
    https://learn.microsoft.com/azure/azure-sql/database/failover-group-sql-db#use-private-link
    """
    for group in groups:
        server = group.id.key.rpartition("/failovergroups/")[0].rpartition("/")[2]
        secondary = group.properties.get("replicationRole") == "Secondary"
        listener = f"{group.id.name.lower()}{'.secondary' if secondary else ''}"
        for known in names.values():
            for name, address in list(known.items()):
                label, _, zone = name.partition(".")
                if label == server and not zone.startswith(_PRIVATE):
                    known[f"{listener}.{zone}"] = address


def _names(record: Resource, zone: str) -> Iterator[tuple[str, IPv4Address]]:
    listed = record.properties.get("aRecords") or ()
    if not listed:
        return
    address = IPv4Address(listed[0]["ipv4Address"])
    name = record.id.name.lower()
    yield (zone if name == "@" else f"{name}.{zone}"), address
    suffix = public_suffix(zone)
    if suffix and name != "@":
        yield f"{name}.{suffix}", address
