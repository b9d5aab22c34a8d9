"""Which server a host name means: the server's own, or a failover group's, which leads to its primary."""

from __future__ import annotations

from sandbox.arm.resource import Resource
from sandbox.azure.sql import marks, naming
from sandbox.azure.sql.instance import Instance
from sandbox.azure.sql.logins import NO_DATABASE, LoginRefusedError
from sandbox.services import Services


def find(services: Services, asked: str) -> Resource:
    """The server behind a host name. Raises LoginRefusedError when there is none, or no name was said."""
    if not asked:
        raise LoginRefusedError(
            "its TLS names no server",
            "The server's name could not be told: use a driver that sends it in TLS (SNI), and connect by "
            "name.",
        )
    suffix = f".{naming.suffix(services.names)}"
    label = asked.removesuffix(suffix) if asked.endswith(suffix) else ""
    wanted, secondary = label.removesuffix(".secondary"), label.endswith(".secondary")
    for server in services.store.list(type=naming.SERVER):
        if not secondary and server.id.name.lower() == wanted:
            return server
    role = "Secondary" if secondary else "Primary"
    for group in services.store.list(type=naming.FAILOVER_GROUP):
        if group.id.name.lower() == wanted and group.properties["replicationRole"] == role:
            at = services.store.get(naming.server_id(group.id))
            if at is not None:
                return at
    raise LoginRefusedError(
        "there is no such server", f"Cannot open server '{wanted or asked}' requested by the login."
    )


def database(services: Services, instance: Instance, server: Resource, asked: str) -> str:
    """The database's name as it is spelt. Names of databases do not differ by case on Azure.

    One that Azure does not know may still be there, made with SQL; on a replica it is not shown.
    """
    for known in services.store.list(type=naming.DATABASE, under=server.id.text):
        if known.id.name.lower() == asked.lower():
            return known.id.name
    if instance.is_standby or asked.lower().startswith(("template", marks.UNFINISHED)):
        raise LoginRefusedError(
            f"there is no database '{asked}'",
            f"Cannot open database '{asked}' requested by the login. The login failed.",
            NO_DATABASE,
        )
    return asked
