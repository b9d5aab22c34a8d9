"""ARM types of Azure SQL, the host names of servers and failover groups, and names that no user can have."""

from __future__ import annotations

import hashlib

from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource, ResourceId
from sandbox.names import Names

SERVER = "Microsoft.Sql/servers"
DATABASE = f"{SERVER}/databases"
ADMINISTRATOR = f"{SERVER}/administrators"
ENTRA_ONLY = f"{SERVER}/azureADOnlyAuthentications"
FIREWALL_RULE = f"{SERVER}/firewallRules"
FAILOVER_GROUP = f"{SERVER}/failoverGroups"
DROPPED = f"{SERVER}/restorableDroppedDatabases"
RECOVERABLE = f"{SERVER}/recoverableDatabases"
SHORT_TERM = f"{DATABASE}/backupShortTermRetentionPolicies"
LONG_TERM = f"{DATABASE}/backupLongTermRetentionPolicies"

#: The system database that every server has.
MASTER = "master"
#: Names of administrators and principals that Azure reserves, and the instance's own roles.
#: https://learn.microsoft.com/rest/api/sql/servers/create-or-update
RESERVED = frozenset(
    {"admin", "administrator", "sa", "root", "dbmanager", "loginmanager", "dbo", "guest", "public"}
    | {"azure_superuser", "azure_replication", "azure_administrators"}
)


def suffix(names: Names) -> str:
    """What server names end in: the cloud's `sqlServerHostname`."""
    return names.service("database")


def host(names: Names, name: str) -> str:
    """The host name of a server, or of a failover group's read-write listener."""
    return f"{name.lower()}.{suffix(names)}"


def read_only_host(names: Names, group: str) -> str:
    """The host name of a failover group's read-only listener."""
    return f"{group.lower()}.secondary.{suffix(names)}"


def is_reserved(name: str) -> bool:
    """Whether a principal of that name can be no user here."""
    return name.lower() in RESERVED or name.lower().startswith("pg_")


def server_id(id: ResourceId) -> ResourceId:  # noqa: A002
    """The server that a resource lies in, or is."""
    position = len(id.names) - 1
    return parse_id(id.text.rsplit("/", 2 * position)[0]) if position else id


def database_id(id: ResourceId) -> ResourceId:  # noqa: A002
    """The database that a policy lies in."""
    return parse_id(id.text.rsplit("/", 2)[0])


def same(one: ResourceId | str, other: ResourceId | str) -> bool:
    """Whether two ids name one resource."""
    return str(one).strip("/").lower() == str(other).strip("/").lower()


def key(server: Resource | str) -> str:
    """A short name for what a server has outside its folder: sockets, whose paths are bounded."""
    name = server if isinstance(server, str) else server.id.name
    return hashlib.sha256(name.lower().encode()).hexdigest()[:10]
