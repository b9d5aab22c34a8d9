"""ARM types of Cosmos DB, and the host names of an account."""

from __future__ import annotations

from sandbox.arm.resource import Resource
from sandbox.names import Names

ACCOUNT = "Microsoft.DocumentDB/databaseAccounts"
DATABASE = f"{ACCOUNT}/sqlDatabases"
CONTAINER = f"{DATABASE}/containers"
DATABASE_THROUGHPUT = f"{DATABASE}/throughputSettings"
CONTAINER_THROUGHPUT = f"{CONTAINER}/throughputSettings"
RESTORABLE = "Microsoft.DocumentDB/locations/restorableDatabaseAccounts"
ROLE_DEFINITION = f"{ACCOUNT}/sqlRoleDefinitions"
ROLE_ASSIGNMENT = f"{ACCOUNT}/sqlRoleAssignments"


def region(location: str) -> str:
    """A location's name without spaces and capitals: `West Europe` is `westeurope`."""
    return location.replace(" ", "").lower()


def host(names: Names, account: str, location: str | None = None) -> str:
    """The account's host name, or that of one of its regions."""
    label = account.lower() if location is None else f"{account.lower()}-{region(location)}"
    return f"{label}.{names.service('documents')}"


def endpoint(names: Names, account: str, location: str | None = None) -> str:
    return f"https://{host(names, account, location)}:443/"


def locations(account: Resource) -> list[str]:
    """The account's regions, the writable one first."""
    return [place["locationName"] for place in account.properties["readLocations"]]


def hosts(names: Names, account: Resource) -> list[str]:
    name = account.id.name
    return [host(names, name), *(host(names, name, place) for place in locations(account))]
