"""Private endpoints as ways in: each has an address of its own in the sandbox, which its clients' connections
arrive at, so that a server knows from a connection's local address which endpoint it came through."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from sandbox.arm.resource import Resource
from sandbox.config import Config
from sandbox.host import files
from sandbox.network import addresses
from sandbox.services import Store

TYPE = "Microsoft.Network/privateEndpoints"
INTERFACES = "Microsoft.Network/networkInterfaces"


@dataclass(frozen=True)
class Endpoint:
    """`address` is the one in its virtual network `network`, `way` the one in the sandbox. It leads to the
    sub-resources `groups` of the resource whose key is `target`."""

    network: str
    address: IPv4Address
    way: IPv4Address
    target: str
    groups: frozenset[str]


class Ways:
    """Remembers which address each endpoint has, by its key. One process writes."""

    def __init__(self, config: Config) -> None:
        self._range = addresses.endpoints(config)
        self._file = _file(config)

    def assign(self, keys: Iterable[str]) -> dict[str, IPv4Address]:
        """An address for each, the one it has had if any; those of others are free again."""
        wanted, known = sorted(keys), self._read()
        kept = {key: known[key] for key in wanted if key in known}
        free = (number for number in range(1, self._range.num_addresses - 1) if number not in kept.values())
        numbers = {key: kept[key] if key in kept else next(free) for key in wanted}
        if numbers != known:
            files.write_if_changed(self._file, json.dumps(numbers, indent=2, sort_keys=True))
        return {key: self._range[number] for key, number in numbers.items()}

    def owner(self, way: IPv4Address) -> str | None:
        """The key of the endpoint that has the address."""
        if way not in self._range:
            return None
        number = int(way) - int(self._range.network_address)
        return next((key for key, known in self._read().items() if known == number), None)

    def _read(self) -> dict[str, int]:
        if not self._file.is_file():
            return {}
        found: dict[str, int] = json.loads(self._file.read_text())
        return found


def read(store: Store, resources: Iterable[Resource], ways: Ways) -> Iterator[Endpoint]:
    """Endpoints whose connection is approved."""
    found = {one.id.key: (one, address_of(store, one)) for one in resources if is_approved(one)}
    given = ways.assign(found)
    for key, (one, address) in found.items():
        subnet = str((one.properties.get("subnet") or {}).get("id", "")).lower()
        if address is not None:
            target, groups = leads_to(one)
            yield Endpoint(subnet.rpartition("/subnets/")[0], address, given[key], target, groups)


def way_in(config: Config, store: Store, local: IPv4Address) -> tuple[str, frozenset[str]] | None:
    """Where the endpoint leads that a connection to `local` came through: (key of a resource, groups)."""
    key = Ways(config).owner(local)
    endpoint = store.get(key) if key else None
    return leads_to(endpoint) if endpoint is not None and is_approved(endpoint) else None


def connections(endpoint: Resource) -> list[dict[str, object]]:
    """Its connections' properties."""
    kinds = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    found = [one for kind in kinds for one in endpoint.properties.get(kind) or ()]
    return [one.get("properties") or {} for one in found]


def is_approved(endpoint: Resource) -> bool:
    states = [one.get("privateLinkServiceConnectionState") for one in connections(endpoint)]
    return any(isinstance(state, dict) and state.get("status") == "Approved" for state in states)


def leads_to(endpoint: Resource) -> tuple[str, frozenset[str]]:
    """(key of the resource, its sub-resources in lower case)."""
    properties = connections(endpoint)[0]
    groups = properties.get("groupIds")
    target = "/" + str(properties.get("privateLinkServiceId", "")).strip("/").lower()
    return target, frozenset(str(one).lower() for one in groups) if isinstance(groups, list) else frozenset()


def address_of(store: Store, endpoint: Resource) -> IPv4Address | None:
    """The address in the virtual network, which its network interface holds."""
    for reference in endpoint.properties.get("networkInterfaces") or ():
        interface = store.get(reference["id"])
        for one in interface.properties.get("ipConfigurations") or () if interface else ():
            return IPv4Address(one["properties"]["privateIPAddress"])
    return None


def _file(config: Config) -> Path:
    return config.state / "network" / "endpoints.json"
