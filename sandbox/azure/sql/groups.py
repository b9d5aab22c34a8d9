"""Failover groups as the other resources see them: which servers belong together, which is the primary."""

from __future__ import annotations

from sandbox.arm.errors import conflict
from sandbox.arm.resource import Resource
from sandbox.azure.sql import naming
from sandbox.services import Store

PRIMARY, SECONDARY = "Primary", "Secondary"


def group_of(store: Store, server: Resource) -> Resource | None:
    """The group that the server is in, as it is shown at that server."""
    return next(iter(store.list(type=naming.FAILOVER_GROUP, under=server.id.text)), None)


def partner(store: Store, group: Resource) -> Resource | None:
    """The other server of a group."""
    partners = group.properties.get("partnerServers") or ()
    return store.get(partners[0]["id"]) if partners else None


def is_secondary(store: Store, server: Resource) -> bool:
    group = group_of(store, server)
    return group is not None and group.properties.get("replicationRole") == SECONDARY


def members(store: Store, server: Resource) -> list[Resource]:
    """The servers that have the server's data: itself, or the primary and the secondary of its group."""
    group = group_of(store, server)
    other = partner(store, group) if group is not None else None
    if other is None:
        return [server]
    return [other, server] if is_secondary(store, server) else [server, other]


def require_primary(store: Store, server: Resource) -> None:
    """Raise ArmError 409 where databases are only a replica's."""
    if is_secondary(store, server):
        raise conflict(
            "OperationNotAllowedOnSecondary",
            f"The server '{server.id.name}' is the secondary of a failover group: its databases are those of "
            "the primary.",
        )
