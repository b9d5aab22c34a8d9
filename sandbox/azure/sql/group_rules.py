"""What a failover group may be made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Put
from sandbox.arm.resource import Resource
from sandbox.azure.sql import groups, naming, server_body
from sandbox.services import Store

#: Azure's shortest grace period, in minutes.
_GRACE = 60


def check(store: Store, server: Resource, put: Put, sent: Mapping[str, Any]) -> None:
    """Raise ArmError unless the servers and databases fit. `server` is the (future) primary."""
    _check_endpoint(sent.get("readWriteEndpoint") or {})
    other = _partner(store, sent)
    if other.id == server.id or other.location == server.location:
        raise bad_request(
            "InvalidPartnerServerRegion",
            f"The partner server '{other.id.name}' must be in another region than '{server.location}'.",
            "properties.partnerServers",
        )
    for one in (server, other):
        known = groups.group_of(store, one)
        if known is not None and known.id.name.lower() != put.id.name.lower():
            raise conflict(
                "ServerInFailoverGroup",
                f"Here a server is in one failover group; '{one.id.name}' is in '{known.id.name}'.",
            )
    if put.previous is None:
        _check_fresh(store, server, other)
    elif not naming.same(put.previous.properties["partnerServers"][0]["id"], other.id):
        raise bad_request(
            "FailoverGroupPartnerChange",
            "The partner server of a failover group cannot be changed.",
            "properties.partnerServers",
        )
    prefix = f"{server.id.key}/databases/"
    for number, database in enumerate(sent.get("databases") or ()):
        lies_here = str(database).lower().startswith(prefix)
        if not lies_here or store.get(database) is None or str(database).lower() == f"{prefix}master":
            raise bad_request(
                "InvalidDatabase",
                f"'{database}' is no database of the server '{server.id.name}'.",
                f"properties.databases[{number}]",
            )


def _check_endpoint(endpoint: Mapping[str, Any]) -> None:
    grace = endpoint.get("failoverWithDataLossGracePeriodMinutes")
    automatic = endpoint.get("failoverPolicy") == "Automatic"
    if automatic and (grace is None or grace < _GRACE):
        raise bad_request(
            "InvalidFailoverGroupGracePeriod",
            f"Automatic failover needs a grace period of at least {_GRACE} minutes.",
            "properties.readWriteEndpoint.failoverWithDataLossGracePeriodMinutes",
        )
    if not automatic and grace is not None:
        raise bad_request(
            "InvalidFailoverGroupGracePeriod",
            "A grace period is for automatic failover.",
            "properties.readWriteEndpoint.failoverWithDataLossGracePeriodMinutes",
        )


def _partner(store: Store, sent: Mapping[str, Any]) -> Resource:
    partners: Sequence[Mapping[str, Any]] = sent.get("partnerServers") or []
    if len(partners) != 1:
        raise bad_request(
            "InvalidPartnerServers",
            "A failover group has one partner server here.",
            "properties.partnerServers",
        )
    id = str(partners[0].get("id"))  # noqa: A001
    other = store.get(id) if id.startswith("/") else None
    if other is None or other.id.type.lower() != naming.SERVER.lower():
        raise ArmError(404, "PartnerServerNotFound", f"The partner server '{id}' was not found.")
    return other


def _check_fresh(store: Store, server: Resource, other: Resource) -> None:
    """The partner becomes a copy of the server: it has no data of its own, and no clashing administrator."""
    own = [
        database.id.name
        for database in store.list(type=naming.DATABASE, under=other.id.text)
        if database.id.name != naming.MASTER
    ]
    if own:
        raise conflict(
            "PartnerServerHasDatabases",
            f"Here the partner of a failover group becomes a replica as a whole; '{other.id.name}' has "
            f"databases of its own: {', '.join(own)}.",
        )
    one, two = (server_body.administrator(each.properties) for each in (server, other))
    if one and two and one.login == two.login and one.sid.lower() != two.sid.lower():
        raise conflict(
            "AdministratorsClash",
            f"The servers' administrators have one login, '{one.login}', and different object ids.",
        )
