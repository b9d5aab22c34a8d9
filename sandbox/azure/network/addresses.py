"""Address ranges of networks and subnets, checked in Azure's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from sandbox.arm.errors import bad_request

Network = IPv4Network | IPv6Network
#: Azure keeps five addresses of every subnet for itself, so the smallest has eight; IPv6 ones are all /64.
_SMALLEST = 29
_IPV6 = 64


def space(name: str, properties: Mapping[str, Any]) -> list[Network]:
    """A virtual network's ranges. Raises ArmError when they are missing, malformed or overlap."""
    prefixes = (properties.get("addressSpace") or {}).get("addressPrefixes") or []
    if not prefixes:
        raise bad_request(
            "InvalidAddressSpace",
            f"Virtual network {name} has no address prefixes.",
            "properties.addressSpace",
        )
    found = [_parse(prefix, name, "properties.addressSpace.addressPrefixes") for prefix in prefixes]
    for number, one in enumerate(found):
        for other in found[:number]:
            if _overlap(one, other):
                raise bad_request(
                    "AddressPrefixesOverlap",
                    f"The address prefixes {other} and {one} of virtual network {name} overlap.",
                    "properties.addressSpace.addressPrefixes",
                )
    return found


def subnet(name: str, properties: Mapping[str, Any]) -> list[Network]:
    """A subnet's ranges. Raises ArmError when there are none or one is malformed or too small."""
    single = properties.get("addressPrefix")
    prefixes = properties.get("addressPrefixes") or ([single] if single else [])
    if not prefixes:
        raise bad_request(
            "InvalidRequestFormat", f"Subnet {name} has no address prefix.", "properties.addressPrefix"
        )
    found = [_parse(prefix, name, "properties.addressPrefix") for prefix in prefixes]
    for one in found:
        if (one.version == 4 and one.prefixlen > _SMALLEST) or (one.version == 6 and one.prefixlen != _IPV6):
            raise bad_request(
                "NetcfgInvalidSubnet",
                f"Subnet '{name}' is not valid because its IP address range {one} is too small; the "
                f"smallest IPv4 subnet is /{_SMALLEST}, and IPv6 subnets are /{_IPV6}.",
                "properties.addressPrefix",
            )
    return found


def check_subnets(network: str, whole: Sequence[Network], subnets: Mapping[str, Sequence[Network]]) -> None:
    """Every subnet lies in the address space, and none on another."""
    seen: list[tuple[str, Network]] = []
    for name, ranges in subnets.items():
        for one in ranges:
            if not any(_contains(outer, one) for outer in whole):
                raise bad_request(
                    "NetcfgInvalidSubnet",
                    f"Subnet '{name}' is not valid because its IP address range is outside the IP address "
                    f"range of virtual network '{network}'.",
                )
            for other, taken in seen:
                if _overlap(one, taken):
                    raise bad_request(
                        "NetcfgSubnetRangesOverlap",
                        f"Subnet '{name}' is not valid because its IP address range overlaps with that of "
                        f"an existing subnet in virtual network '{network}'. It overlaps with '{other}'.",
                    )
            seen.append((name, one))


def _parse(prefix: Any, owner: str, target: str) -> Network:
    try:
        return ip_network(str(prefix), strict=True)
    except ValueError as error:
        raise bad_request(
            "InvalidAddressPrefixFormat",
            f"Address prefix {prefix} of resource {owner} is not formatted correctly. It should follow CIDR "
            f"notation, for example 10.0.0.0/24: {error}.",
            target,
        ) from error


def _contains(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)
