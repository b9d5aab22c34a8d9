"""Whether a connection may reach a service: through a private endpoint, or past the service's own firewall.

Services spell their firewalls differently; each translates its properties into `Rules` and words its refusals
itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from typing import Any

from starlette.requests import Request

from sandbox.arm.resource import Resource
from sandbox.network import endpoints, places
from sandbox.network.places import Place
from sandbox.services import Services


@dataclass(frozen=True)
class Rules:
    """`public`: it answers outside private endpoints at all. `default`: so it does to whom no rule names.
    `trusted`: Azure's own services pass in any case. `anything_in_azure`: whatever calls from Azure's
    addresses passes, clusters included. `subnets` are keys of subnets with a service endpoint."""

    public: bool = True
    default: bool = True
    ranges: tuple[IPv4Network, ...] = ()
    subnets: frozenset[str] = frozenset()
    trusted: bool = False
    anything_in_azure: bool = False


class Reason(Enum):
    PUBLIC_ACCESS_DISABLED = auto()
    NOT_LISTED = auto()


@dataclass(frozen=True)
class Refusal:
    """`address` is the client's, as the service sees and names it."""

    reason: Reason
    address: IPv4Address


@dataclass(frozen=True)
class Connection:
    """The two ends of a connection as the server's socket has them; None where it is none of ours."""

    peer: IPv4Address | None
    local: IPv4Address | None

    @classmethod
    def of(cls, request: Request) -> Connection:
        server = request.scope.get("server") or (None,)
        return cls(_address(request.client.host if request.client else None), _address(server[0]))


def refusal(
    services: Services, resource: Resource, group: str, rules: Rules, connection: Connection
) -> Refusal | None:
    """Why the connection may not reach `resource`; None when it may. `group` is the sub-resource that the
    server answers for, as private endpoints name it."""
    if rules.public and rules.default:
        return None
    config, store = services.config, services.store
    if connection.local is not None:
        leads_to = endpoints.way_in(config, store, connection.local)
        if leads_to is not None and leads_to[0] == resource.id.key and group.lower() in leads_to[1]:
            return None
    place = places.place(config, store, connection.peer or config.gateway)
    if rules.trusted and place.azure:
        return None
    if not rules.public:
        return Refusal(Reason.PUBLIC_ACCESS_DISABLED, place.public)
    return None if _listed(rules, place) else Refusal(Reason.NOT_LISTED, place.public)


def of_acls(properties: Mapping[str, Any], *, bypass: str = "AzureServices") -> Rules:
    """The rules of services that spell them `publicNetworkAccess` and `networkAcls`; `bypass` is the
    service's default for whom they do not concern."""
    acls = properties.get("networkAcls") or {}
    return Rules(
        public=properties.get("publicNetworkAccess", "Enabled") == "Enabled",
        default=acls.get("defaultAction", "Allow") == "Allow",
        ranges=ranges(rule.get("value") for rule in acls.get("ipRules") or ()),
        subnets=subnets(rule.get("id") for rule in acls.get("virtualNetworkRules") or ()),
        trusted="AzureServices" in str(acls.get("bypass", bypass)),
    )


def ranges(found: Iterable[object]) -> tuple[IPv4Network, ...]:
    """Addresses and CIDR ranges; IPv6 ones, which nobody here has, are left out."""
    texts = (str(one) for one in found if one)
    return tuple(IPv4Network(text, strict=False) for text in texts if ":" not in text)


def between(first: str, last: str) -> Iterator[IPv4Network]:
    """The range from `first` to `last`, both included."""
    return summarize_address_range(IPv4Address(first), IPv4Address(last))


def subnets(ids: Iterable[object]) -> frozenset[str]:
    return frozenset("/" + str(one).strip("/").lower() for one in ids if one)


def _listed(rules: Rules, place: Place) -> bool:
    in_azure = place.azure or place.network is not None
    return (
        any(place.public in one for one in rules.ranges)
        or (place.subnet is not None and place.subnet in rules.subnets)
        or (rules.anything_in_azure and in_azure)
    )


def _address(text: str | None) -> IPv4Address | None:
    try:
        return IPv4Address(text) if text else None
    except ValueError:
        return None
