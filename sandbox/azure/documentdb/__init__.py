"""Cosmos DB for NoSQL: accounts, databases, containers and roles in ARM, and items in the data plane."""

from __future__ import annotations

from sandbox.azure.documentdb.accounts import AccountHandler
from sandbox.azure.documentdb.databases import databases
from sandbox.azure.documentdb.locations import LocationHandler
from sandbox.azure.documentdb.plane import Plane
from sandbox.azure.documentdb.restorable_accounts import RestorableAccountHandler
from sandbox.azure.documentdb.roles import RoleAssignmentHandler, RoleDefinitionHandler
from sandbox.azure.documentdb.sql_resources import ContainerHandler, DatabaseHandler
from sandbox.azure.documentdb.throughput import ContainerThroughputHandler, DatabaseThroughputHandler
from sandbox.services import Services

HANDLERS = (
    AccountHandler,
    DatabaseHandler,
    DatabaseThroughputHandler,
    ContainerHandler,
    ContainerThroughputHandler,
    RoleDefinitionHandler,
    RoleAssignmentHandler,
    LocationHandler,
    RestorableAccountHandler,
)


def mount(services: Services) -> None:
    services.router.mount(f"*.{services.names.service('documents')}", Plane(services))


async def stop(services: Services) -> None:
    await databases(services.config).close_all()
